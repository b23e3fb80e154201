package netify

import (
	"fmt"
	"slices"

	"github.com/netpol/netpol/lang/importer"
	"github.com/netpol/netpol/lang/suggest"
)

// action is one action and what it becomes.
type action struct {
	name     string
	from, to int // of its key
	policy   string
	enabled  bool
	halt     bool
	criteria []string // as they were, for comments
	drafts   []string // the same in netpol's language, as far as it goes
	any      []importer.Condition
	exempt   []string // criteria of netpol
	iface    string   // empty: all
	// schedules say when the action holds, except when it does not; exempt says
	// the latter as well.
	schedules, except []*schedule
	audit             bool // it only logs
	perPacket         bool // it asks for what changes from packet to packet
	targets           []*target
	// reasons say why the policy is switched off; none when it is not.
	reasons []string
}

// disable switches the policy off.
func (a *action) disable(format string, args ...any) {
	reason := fmt.Sprintf(format, args...)
	if !slices.Contains(a.reasons, reason) {
		a.reasons = append(a.reasons, reason)
	}
}

// condition is what the action matches, exemptions aside.
func (a *action) condition() importer.Condition { return importer.AnyOf(a.any...) }

// readActions converts all actions, in the order of the file.
func (r *run) readActions(v *value) []*action {
	if v = r.want(v, object, "actions"); v == nil {
		return nil
	}
	r.checkKeys(v, "actions")
	last := map[string]int{} // of two keys the last one counts
	for i, m := range v.members {
		last[m.key] = i
	}
	var out []*action
	for i, m := range v.members {
		if last[m.key] == i {
			out = append(out, r.action(m))
		}
	}
	return out
}

// action converts one action.
func (r *run) action(m member) *action {
	a := &action{name: m.key, from: m.from, to: m.to, enabled: true, policy: r.names.Policy(m.key)}
	if a.policy != m.key {
		r.report(importer.Renamed, m.from, m.to, "The policy of action %q is called %q.", importer.OneLine(m.key, 80), a.policy)
	}
	v := r.want(m.value, object, "The action")
	if v == nil {
		a.disable("the action is no object")
		return a
	}
	r.checkKeys(v, "an action", "criteria", "enabled", "exemptions", "halt_on_match", "interface", "targets", "time_of_day")
	a.enabled = r.actionFlag(a, v, "enabled", true)
	a.halt = r.actionFlag(a, v, "halt_on_match", false)
	r.perPacket = false
	r.actionCriteria(a, v.get("criteria"))
	r.actionInterface(a, v.get("interface"))
	r.actionExemptions(a, v.get("exemptions"))
	a.perPacket = r.perPacket
	r.actionTime(a, v.get("time_of_day"))
	r.actionTargets(a, v.get("targets"))
	if r.unexempt {
		a.disable("a global exemption could not be converted")
	}
	return a
}

func (r *run) actionFlag(a *action, v *value, key string, def bool) bool {
	flag, ok := r.is(v.get(key), boolean, key)
	if !ok {
		a.disable("%s has the wrong type", key)
	}
	if flag == nil {
		return def
	}
	return flag.flag
}

// actionCriteria converts criteria: a string, or a list of which any holds.
func (r *run) actionCriteria(a *action, v *value) {
	var list []*value
	switch {
	case v == nil || v.kind == null:
		r.report(importer.MissingKey, a.from, a.to, "The action needs criteria.")
		a.disable("the action has no criteria")
		return
	case v.kind == text:
		list = []*value{v}
	case v.kind == array:
		var ok bool
		if list, ok = r.strings(v, "criteria"); !ok {
			a.disable("the criteria have the wrong type")
		}
		if len(v.list) == 0 {
			r.report(importer.NeverMatches, v.from, v.to, "An empty list of criteria matches no flow.")
			a.disable("it never matches")
		}
	default:
		r.report(importer.WrongType, v.from, v.to, "criteria is a string or a list of strings, not %s.", v.kind)
		a.disable("the criteria have the wrong type")
	}
	for _, s := range list {
		c, ok := r.criteria(s)
		a.criteria = append(a.criteria, s.text)
		if !ok {
			a.disable("the criteria could not be converted")
		}
		if c.Text != "" {
			a.drafts = append(a.drafts, c.Text)
		}
		a.any = append(a.any, c)
	}
	if len(a.reasons) == 0 && a.condition().Shape == importer.Never {
		a.disable("it never matches")
	}
}

// actionInterface converts the interface of an action.
func (r *run) actionInterface(a *action, v *value) {
	v, ok := r.is(v, text, "interface")
	switch {
	case !ok:
		a.disable("interface has the wrong type")
		return
	case v == nil || v.text == "*" || v.text == "":
		return
	}
	name := v.text
	if known, ok := r.in.Interfaces[name]; ok {
		name = known
	} else if name == "lan" || name == "wan" {
		r.add(importer.New(importer.NotConverted, r.src.Range(v.from, v.to), "%s is a role, and which interface has it is not in this file.", name).
			WithHint(fmt.Sprintf("give its interface: --interface %s=eth0", name)))
		a.disable("the interface of the role %s is not known", name)
		return
	}
	if !validInterface(name) {
		r.report(importer.BadValue, v.from, v.to, "No interface can have this name: it is at most 15 bytes long and holds no slash, colon or space.")
		a.disable("no interface can have that name")
		return
	}
	if !r.told["interface key"] {
		r.told["interface key"] = true
		r.report(importer.InterfaceMeaning, v.from, v.to, "In Netify this is the interface that the agent listens on, so a flow through the router may match on either side. The policy matches flows whose first packet was seen on it.")
	}
	a.iface = name
}

// actionTargets resolves the names of targets.
func (r *run) actionTargets(a *action, v *value) {
	list, ok := r.strings(v, "targets")
	if !ok {
		a.disable("the targets have the wrong type")
	}
	if ok && len(list) == 0 {
		r.report(importer.NoTargets, a.from, a.to, "The action has no targets; it needs at least one.")
		a.disable("it has no targets")
	}
	for _, s := range list {
		t, ok := r.targets[s.text]
		if !ok {
			r.add(importer.New(importer.UnknownTarget, r.src.Range(s.from, s.to), "No target is named %q.", importer.OneLine(s.text, 80)).
				WithHint(suggest.Hint(s.text, r.targetNames())))
			a.disable("a target does not exist")
			continue
		}
		if t.broken {
			a.disable("the target %s is not valid", importer.OneLine(t.name, 80))
		}
		if !slices.Contains(a.targets, t) {
			a.targets = append(a.targets, t)
		}
	}
}

func (r *run) targetNames() []string {
	names := make([]string, 0, len(r.targets))
	for name := range r.targets {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
