package netify

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/netpol/netpol/lang/importer"
	"github.com/netpol/netpol/lang/suggest"
)

// maxLabelBit is the highest bit of a conntrack label (XT_CONNLABEL_MAXBIT in
// linux/netfilter/xt_connlabel.h).
const maxLabelBit = 127

// target is one target and what it does in netpol.
type target struct {
	name    string
	from    int // of its key
	to      int
	enabled bool
	broken  bool // a mistake was reported
	labels  []string
	mark    *mark
	set     *set  // flows are put into it
	sink    *sink // it is told of flows
	log     bool  // it logs flows
	// lost says why the target does nothing, or less, in netpol; empty when it
	// was converted whole.
	lost string
}

// effective reports whether the target does anything in netpol.
func (t *target) effective() bool {
	return len(t.labels) > 0 || t.mark != nil || t.set != nil || t.sink != nil
}

// targetKeys are the keys of each target type besides target_type and
// target_enabled.
var targetKeys = map[string][]string{
	"log":     {"interval", "path", "prefix", "suffix", "overwrite"},
	"ipset":   {"set_name", "set_family", "type", "max_elements", "size", "ttl", "skb_mark", "skb_mask", "skb_prio", "skb_queue", "managed", "flush_on_create", "flush_on_destroy", "address_type", "nested", "nested_mode"},
	"nftset":  {"table_name", "table_family", "set_name", "set_family", "type", "max_elements", "size", "ttl", "managed", "flush_on_create", "flush_on_destroy", "nested", "nested_mode"},
	"ctlabel": {"labels", "auto_label", "log_errors"},
	"ctmark":  {"mark", "mask", "shift"},
	"pftable": {"table_name", "address_type"},
	"sink":    {"sink", "channel"},
}

func targetTypes() []string {
	return []string{"ctlabel", "ctmark", "ipset", "log", "nftset", "pftable", "sink"}
}

// readGlobals reads target_globals, of which max_bits matters.
func (r *run) readGlobals(v *value) {
	if v = r.want(v, object, "target_globals"); v == nil {
		return
	}
	r.checkKeys(v, "target_globals", targetTypes()...)
	for _, m := range v.members {
		if m.key != "ctlabel" && targetKeys[m.key] != nil {
			r.report(importer.NotNeeded, m.from, m.to, "netpol has no use for the settings of %s targets.", m.key)
		}
	}
	label := r.want(v.get("ctlabel"), object, "target_globals.ctlabel")
	if label == nil {
		return
	}
	r.checkKeys(label, "target_globals.ctlabel", "max_bits", "connlabel_conf")
	r.notNeeded(label, "connlabel_conf", "netpol writes /etc/connlabel.conf and /etc/xtables/connlabel.conf")
	if bits := r.want(label.get("max_bits"), number, "max_bits"); bits != nil {
		n, err := strconv.Atoi(bits.text)
		if err != nil || n < 0 || n > maxLabelBit+1 {
			r.report(importer.BadValue, bits.from, bits.to, "max_bits is a whole number up to %d.", maxLabelBit)
			return
		}
		r.maxBit = min(n, maxLabelBit)
	}
}

// readTargets converts all targets.
func (r *run) readTargets(top *value) {
	defaults := r.want(top.get("target_defaults"), object, "target_defaults")
	if defaults != nil {
		r.checkKeys(defaults, "target_defaults", targetTypes()...)
		for _, m := range defaults.members {
			if d := r.want(m.value, object, "target_defaults."+m.key); d != nil && targetKeys[m.key] != nil {
				r.checkKeys(d, "target_defaults."+m.key, targetKeys[m.key]...)
				if slices.Contains([]string{"log", "pftable"}, m.key) {
					r.report(importer.NotNeeded, m.from, m.to, "Targets of type %s are not converted, and neither are their defaults.", m.key)
				}
				r.notNeeded(d, "log_errors", "netpold counts what it could not write")
			}
		}
	}
	all := r.want(top.get("targets"), object, "targets")
	if all == nil {
		return
	}
	r.checkKeys(all, "targets")
	r.reserveLabels(all, defaults)
	for _, m := range all.members {
		r.targets[m.key] = r.target(m, defaults)
	}
}

// target converts one target.
func (r *run) target(m member, defaults *value) *target {
	t := &target{name: m.key, from: m.from, to: m.to, enabled: true, broken: true}
	v := r.want(m.value, object, "The target "+importer.OneLine(m.key, 80))
	if v == nil {
		return t
	}
	kind, ok := r.is(v.get("target_type"), text, "target_type")
	switch {
	case kind == nil:
		if ok {
			r.report(importer.MissingKey, m.from, m.to, "The target needs a target_type: %s.", strings.Join(targetTypes(), ", "))
		}
		return t
	case targetKeys[kind.text] == nil:
		r.add(importer.New(importer.UnknownTargetType, r.src.Range(kind.from, kind.to), "There is no target type %q. The types are %s.", importer.OneLine(kind.text, 80), strings.Join(targetTypes(), ", ")).
			WithHint(suggest.Hint(kind.text, targetTypes())))
		return t
	}
	t.broken = false
	r.checkKeys(v, "a target of type "+kind.text, append([]string{"target_type", "target_enabled"}, targetKeys[kind.text]...)...)
	if on, ok := r.is(v.get("target_enabled"), boolean, "target_enabled"); on != nil {
		t.enabled = on.flag
	} else if !ok {
		t.broken = true
	}
	r.notNeeded(v, "log_errors", "netpold counts what it could not write")
	r.effect(t, kind.text, properties{v, defaults.get(kind.text)})
	return t
}

// reserveLabels keeps the names of labels that are fine as they are from being
// given to others.
func (r *run) reserveLabels(lists ...*value) {
	for _, list := range lists {
		if list == nil {
			continue
		}
		for _, m := range list.members {
			labels := m.value.get("labels")
			if labels == nil {
				continue
			}
			for _, l := range labels.list {
				if _, err := strconv.Atoi(l.text); err != nil && l.kind == text && importer.LabelName(l.text) == l.text {
					r.labels.Label(l.text)
				}
			}
		}
	}
}

// properties are a target's keys over the defaults of its type.
type properties struct{ own, defaults *value }

func (p properties) get(key string) *value {
	if v := p.own.get(key); v != nil {
		return v
	}
	return p.defaults.get(key)
}

// effect converts what a target does.
func (r *run) effect(t *target, kind string, p properties) {
	switch kind {
	case "ctlabel":
		r.ctlabel(t, p)
	case "ctmark":
		r.ctmark(t, p)
	case "ipset", "nftset":
		r.setTarget(t, kind, p)
	case "sink":
		r.sinkTarget(t, p)
	case "log":
		t.log = true
		r.report(importer.NoEffect, t.from, t.to, "%s: netpol writes no log files of a policy's own. An action that only logs becomes a policy with audit = true, of which netpold logs each connection once; one with other effects gets log = true, a line in the kernel's log for a packet a second at most.", importer.OneLine(t.name, 80))
	default:
		t.lost = fmt.Sprintf("netpol has no effect like a target of type %s", kind)
		r.report(importer.NoEffect, t.from, t.to, "%s: %s.", importer.OneLine(t.name, 80), t.lost)
	}
}

// ctlabel converts the labels of a target: names, or the numbers of bits.
func (r *run) ctlabel(t *target, p properties) {
	if auto := r.want(p.get("auto_label"), boolean, "auto_label"); auto != nil && auto.flag {
		t.lost = "auto_label, a label for each application and protocol, has no counterpart"
		r.report(importer.NotConverted, auto.from, auto.to, "auto_label sets a label for each application and protocol that is found. Write a policy for each application that matters.")
	}
	list, ok := r.is(p.get("labels"), array, "labels")
	t.broken = t.broken || !ok
	if list == nil || len(list.list) == 0 {
		if t.lost == "" && ok {
			t.lost = "it has no labels"
			r.report(importer.NotConverted, t.from, t.to, "The target has no labels, so it does nothing.")
		}
		return
	}
	for _, v := range list.list {
		if name, ok := r.label(t, v); ok && !slices.Contains(t.labels, name) {
			t.labels = append(t.labels, name)
		}
	}
}

// label converts one label.
func (r *run) label(t *target, v *value) (string, bool) {
	bit, isBit := 0, v.kind == number
	switch v.kind {
	case number:
		n, err := strconv.Atoi(v.text)
		if err != nil || n < 0 || n > r.maxBit {
			r.report(importer.BadValue, v.from, v.to, "A label's bit is a whole number up to %d.", r.maxBit)
			t.broken = true
			return "", false
		}
		bit = n
	case text:
		if n, err := strconv.Atoi(v.text); err == nil && n >= 0 && n <= r.maxBit {
			bit, isBit = n, true
		}
	default:
		r.report(importer.WrongType, v.from, v.to, "A label is a name or the number of a bit, not %s.", v.kind)
		t.broken = true
		return "", false
	}
	name := v.text
	if isBit {
		known, ok := r.in.Labels[bit]
		if !ok {
			t.lost = fmt.Sprintf("the name of label bit %d is not known", bit)
			hint := "give the file that names it: --connlabel /etc/xtables/connlabel.conf"
			if r.in.Labels != nil {
				hint = ""
			}
			r.add(importer.New(importer.UnnamedBit, r.src.Range(v.from, v.to), "netpol's labels have names, and that of bit %d is not known.", bit).WithHint(hint))
			return "", false
		}
		name = known
	}
	return r.labelName(v, name)
}

// labelName is the label's name in netpol.
func (r *run) labelName(v *value, name string) (string, bool) {
	if name == "" {
		r.report(importer.BadValue, v.from, v.to, "A label has a name.")
		return "", false
	}
	label := r.labels.Label(name)
	if label != name && !r.renamed[name] {
		r.renamed[name] = true
		r.report(importer.Renamed, v.from, v.to, "The label %q is called %q here: conntrack and nft agree on letters, digits and - only. Rules outside of netpol that test it need the new name.", importer.OneLine(name, 80), label)
	}
	return label, true
}
