package netify

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/netpol/netpol/lang"
	"github.com/netpol/netpol/lang/importer"
)

// Bounds of sets (lang/decode_set.go).
const (
	maxSets       = 256
	minSetTimeout = 15 // seconds
)

// set is a set block in the making.
type set struct {
	name      string // of the block
	kernel    string // the kernel's name, without .v4 and .v6
	place     string // kind, family and table: what names must differ within
	versions  []string
	addresses bool // it has a field that is an address
	arguments []importer.Argument
	written   bool
}

func (s *set) add(name, value string) {
	s.arguments = append(s.arguments, importer.Argument{Name: name, Value: value})
}

// block is the set as HCL.
func (s *set) block() importer.Block {
	return importer.Block{Type: "set", Label: s.name, Arguments: s.arguments}
}

// setTarget converts a target of type nftset or ipset.
func (r *run) setTarget(t *target, kind string, p properties) {
	name, ok := r.is(p.get("set_name"), text, "set_name")
	if name == nil {
		if ok {
			r.report(importer.MissingKey, t.from, t.to, "A target of type %s needs a set_name.", kind)
		}
		t.broken = true
		return
	}
	s := &set{kernel: name.text}
	if kind == "nftset" {
		r.nftSet(t, s, p)
	} else {
		r.ipset(t, s, p)
	}
	r.setFamily(t, s, p)
	r.setLife(t, s, p)
	if kind == "ipset" {
		r.skbInfo(t, s, p)
	}
	for _, key := range []string{"nested", "nested_mode", "address_type"} {
		if v := p.get(key); v != nil {
			r.report(importer.NotConverted, v.from, v.to, "What %s means is not documented, so it was left out. Compare the elements of the set with what rules expect.", key)
		}
	}
	if !t.broken {
		r.keepSet(t, s)
	}
}

// setText reads a key of a set's that is a string.
func (r *run) setText(t *target, p properties, key, otherwise string) string {
	v, ok := r.is(p.get(key), text, key)
	t.broken = t.broken || !ok
	if v == nil {
		return otherwise
	}
	return v.text
}

// setFlag reads a key of a set's that is true or false.
func (r *run) setFlag(t *target, p properties, key string) bool {
	v, ok := r.is(p.get(key), boolean, key)
	t.broken = t.broken || !ok
	return v != nil && v.flag
}

// nftSet converts the place and the fields of a set of nftables.
func (r *run) nftSet(t *target, s *set, p properties) {
	table, family := r.setText(t, p, "table_name", "nfa"), r.setText(t, p, "table_family", "inet")
	s.place = "nft " + family + " " + table
	s.add("kind", importer.Quote("nft"))
	s.add("table", importer.Quote(table))
	if family != "inet" {
		s.add("family", importer.Quote(family))
	}
	v := p.get("type")
	list, ok := r.strings(v, "type")
	switch {
	case !ok:
		t.broken = true
		return
	case len(list) == 0:
		r.report(importer.MissingKey, t.from, t.to, "A target of type nftset needs a type, the list of its fields.")
		t.broken = true
		return
	}
	fields := make([]string, len(list))
	for i, f := range list {
		fields[i] = importer.Quote(f.text)
		s.addresses = s.addresses || strings.HasSuffix(f.text, "_addr")
	}
	s.add("type", importer.List(fields))
}

// ipset converts the type of an ipset.
func (r *run) ipset(t *target, s *set, p properties) {
	s.place = "ipset"
	s.add("kind", importer.Quote("ipset"))
	form := r.setText(t, p, "type", "hash:ip")
	s.addresses = form != "hash:mac"
	s.add("type", importer.Quote(form))
}

// setFamily converts the family of a set's addresses. Netify ends every name in
// .v4 or .v6, netpol only those of sets that come in two.
func (r *run) setFamily(t *target, s *set, p properties) {
	family := r.setText(t, p, "set_family", "*")
	name := s.kernel
	switch {
	case !s.addresses && !t.broken:
		s.versions = []string{""}
		r.report(importer.Assumed, t.from, t.to, "The set has no addresses, so netpol fills one for both IP versions, which is called %s. Rules on %s.v4 or %s.v6 need that name.",
			importer.OneLine(name, 80), importer.OneLine(name, 80), importer.OneLine(name, 80))
	case family == "*":
		s.versions = []string{".v4", ".v6"}
	case family == "ipv4" || family == "ipv6":
		s.versions = []string{".v" + family[3:]}
		name += s.versions[0]
		s.add("families", importer.List([]string{importer.Quote(family)}))
	default:
		v := p.get("set_family")
		r.report(importer.BadValue, v.from, v.to, "A set's family is *, ipv4 or ipv6, not %q.", importer.OneLine(family, 80))
		t.broken = true
	}
	s.add("name", importer.Quote(name))
}

// setLife converts who makes a set, its size, and how long elements live.
func (r *run) setLife(t *target, s *set, p properties) {
	managed := r.setFlag(t, p, "managed")
	if managed {
		s.add("managed", "true")
		size := p.get("max_elements")
		if size == nil {
			size = p.get("size")
		}
		if n, ok := r.whole(t, size, "size", 1); ok && n != 65536 {
			s.add("size", strconv.Itoa(n))
		}
	}
	ttl := p.get("ttl")
	n, _ := r.whole(t, ttl, "ttl", 0)
	switch {
	case n > 0 && n < minSetTimeout:
		r.report(importer.Assumed, ttl.from, ttl.to, "Elements live %d seconds in netpol at least, and as long as their flow; taken as that.", minSetTimeout)
		n = minSetTimeout
		fallthrough
	case n > 0:
		s.add("timeout", importer.Quote(fmt.Sprintf("%ds", n)))
	case managed:
		s.add("timeout", importer.Quote("0s"))
	}
	if r.setFlag(t, p, "flush_on_create") && managed {
		s.add("flush_on_create", "true")
	}
	if r.setFlag(t, p, "flush_on_destroy") {
		s.add("flush_on_destroy", "true")
	}
}

// whole reads a whole number from least on; ok is false where there is none.
func (r *run) whole(t *target, v *value, key string, least int) (n int, ok bool) {
	if v, ok = r.is(v, number, key); v == nil {
		t.broken = t.broken || !ok
		return 0, false
	}
	n, err := strconv.Atoi(v.text)
	if err != nil || n < least {
		r.report(importer.BadValue, v.from, v.to, "%s is a whole number from %d on.", key, least)
		t.broken = true
		return 0, false
	}
	return n, true
}

// skbInfo converts what the target SET --map-set gives packets.
func (r *run) skbInfo(t *target, s *set, p properties) {
	if v := p.get("skb_mark"); v != nil {
		value, ok := r.markNumber(v, "skb_mark", 32)
		mask, ok2 := uint64(0xffffffff), true
		if m := p.get("skb_mask"); m != nil {
			mask, ok2 = r.markNumber(m, "skb_mask", 32)
		}
		t.broken = t.broken || !ok || !ok2
		s.add("skb_mark", importer.Quote(mark{uint32(value), uint32(mask)}.String()))
	}
	if prio := r.setText(t, p, "skb_prio", ""); prio != "" {
		s.add("skb_prio", importer.Quote(prio))
	}
	if n, ok := r.whole(t, p.get("skb_queue"), "skb_queue", 0); ok {
		s.add("skb_queue", strconv.Itoa(n))
	}
}

// keepSet gives the set its name and the target the set. What the language says
// of the block is held against it first, so that no import writes what netpol
// would refuse; of two targets on one set of the kernel's the first counts.
func (r *run) keepSet(t *target, s *set) {
	lose := func(format string, args ...any) {
		t.lost = fmt.Sprintf("its set %s: ", importer.OneLine(s.kernel, 80)) + fmt.Sprintf(format, args...)
		r.report(importer.NotConverted, t.from, t.to, "%s: %s.", importer.OneLine(t.name, 80), t.lost)
	}
	content := fmt.Sprint(s.place, s.arguments)
	if same := r.setsByContent[content]; same != nil {
		t.set = same
		return
	}
	for _, version := range s.versions {
		if other := r.setsByKernel[s.place+" "+s.kernel+version]; other != nil {
			lose("another target has it with other properties")
			return
		}
	}
	s.name = r.setNames.Group(t.name)
	if _, diags := lang.Parse(map[string][]byte{"set.netpol.hcl": []byte(s.block().Text())}, lang.Options{}); diags.HasErrors() {
		lose("%s", strings.TrimSuffix(diags[0].Detail, "."))
		return
	}
	if len(r.setsByContent) == maxSets {
		lose("a policy set has at most %d sets", maxSets)
		return
	}
	r.setsByContent[content], t.set = s, s
	for _, version := range s.versions {
		r.setsByKernel[s.place+" "+s.kernel+version] = s
	}
}

// writeSets writes the sets of a policy that have not been written.
func (r *run) writeSets(w *importer.Writer, a *action) {
	for _, t := range a.targets {
		if s := t.set; s != nil && t.enabled && !s.written {
			s.written = true
			w.Add(s.block())
		}
	}
}

// addsTo are the sets that an action's flows are put into, as HCL.
func (a *action) addsTo() []string {
	var out []string
	seen := map[*set]bool{}
	for _, t := range a.targets {
		if t.set != nil && t.enabled && !seen[t.set] {
			seen[t.set] = true
			out = append(out, t.set.name)
		}
	}
	return out
}

// dropSets leaves the sets out of an action that asks for what only rules of
// the kernel know: flows are put into sets by netpold.
func (r *run) dropSets(a *action) (lost []string) {
	if !a.perPacket && !r.exemptPerPacket && len(a.schedules)+len(a.except) == 0 {
		return nil
	}
	for i, t := range a.targets {
		if t.set == nil && t.sink == nil || !t.enabled {
			continue
		}
		if t.sink != nil {
			lost = append(lost, r.dropSink(a, i))
			continue
		}
		lost = append(lost, importer.OneLine(t.name, 80)+": the action asks for what changes from packet to packet")
		r.report(importer.NoEffect, a.from, a.to, "%s: flows are put into sets by netpold, and the action asks for what only the kernel's rules know of each packet: bytes, packets, marks, times or the interface out. Put them there by a policy that asks for the rest alone, and ask for these in your rules on the set.", importer.OneLine(t.name, 80))
		without := *t
		without.set = nil
		a.targets[i] = &without
	}
	return lost
}
