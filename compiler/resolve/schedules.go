package resolve

import (
	"fmt"
	"slices"
	"strings"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/compiler/ir"
	"github.com/netpol/netpol/lang"
	"github.com/netpol/netpol/lang/diag"
	"github.com/netpol/netpol/lang/fact"
)

// indexSchedules are the schedule blocks of the set, by key.
func (r *resolver) indexSchedules() map[string]*lang.Schedule {
	out := map[string]*lang.Schedule{}
	for _, s := range r.policy.Schedules {
		if other := out[scheduleKey(s)]; other != nil {
			r.diags.Add(diag.New(diag.Duplicate, s.Range, fmt.Sprintf("The schedule %q is %q at %s in other letters: names of schedules are compared without regard to case. Rename one of the two.", s.Name, other.Name, other.Range)))
			continue
		}
		out[scheduleKey(s)] = s
	}
	return out
}

// scheduleKey is a schedule's name, its module included, as conditions and
// bundles have it: in lower case, like all names that are compared.
func scheduleKey(s *lang.Schedule) string { return strings.ToLower(s.Name) }

// schedule is the schedule that a name means in a module, by its key.
func (r *resolver) schedule(module, name string, at diag.Range) (string, bool) {
	key, s := inModule(r.schedules, strings.ToLower(module), strings.ToLower(name))
	if s != nil {
		return key, true
	}
	if r.scheduleNames == nil {
		for _, s := range r.policy.Schedules {
			r.scheduleNames = append(r.scheduleNames, s.Name)
		}
	}
	d := diag.New(diag.UndefinedSchedule, at, fmt.Sprintf("No schedule block is named %q.", name))
	switch {
	case name == "":
		d.Hint = "write not (schedule in [...]) for none of some schedules"
	case strings.HasPrefix(name, "@"):
		d.Hint = fmt.Sprintf("write '%s' without the @", name[1:])
	default:
		d.Hint = r.hints.Hint(name, r.scheduleNames)
	}
	if n := len(r.scheduleNames); d.Hint == "" && n > 0 && n <= 10 {
		d.Detail += " There are " + strings.Join(r.scheduleNames, ", ") + "."
	}
	r.addUnknown(d)
	return "", false
}

// onSchedules is the condition that a policy's schedule argument stands for; nil
// without one.
func (r *resolver) onSchedules(b *lang.PolicyBlock) (ir.Expr, bool) {
	if len(b.Schedules) == 0 {
		return nil, true
	}
	attr, _ := fact.Lookup("schedule")
	e := &ir.Compare{Attr: attr, Op: ir.OpEqual, Range: b.Schedules[0].Range}
	all := true
	for _, t := range b.Schedules {
		key, ok := r.schedule(b.Module, t.Value, t.Range)
		all = all && ok
		e.Strings = append(e.Strings, key)
	}
	slices.Sort(e.Strings)
	e.Strings = slices.Compact(e.Strings)
	e.Text = "schedule in ['" + strings.Join(e.Strings, "', '") + "']"
	return e, all
}

// usedSchedules are the schedules that the set's conditions name, by name.
func (r *resolver) usedSchedules(set *ir.Set) []artifact.Schedule {
	used := map[string]bool{}
	for i := range set.Policies {
		ir.Walk(set.Policies[i].Cond, func(e ir.Expr) {
			if c, ok := e.(*ir.Compare); ok && c.Attr.Type == fact.ScheduleName {
				for _, key := range c.Strings {
					used[key] = true
				}
			}
		})
	}
	var out []artifact.Schedule
	for _, s := range r.policy.Schedules {
		if used[scheduleKey(s)] && r.schedules[scheduleKey(s)] == s {
			out = append(out, r.scheduleOf(s))
		}
	}
	slices.SortFunc(out, func(a, b artifact.Schedule) int { return strings.Compare(a.Name, b.Name) })
	return out
}

func (r *resolver) scheduleOf(s *lang.Schedule) artifact.Schedule {
	out := artifact.Schedule{Name: scheduleKey(s), Days: s.Days, Dates: datesOf(s.Dates), Except: datesOf(s.Except), Zone: s.Zone}
	if out.Zone == "" {
		out.Zone = r.policy.Settings.Timezone
	}
	for _, h := range s.Hours {
		out.Hours = append(out.Hours, artifact.Hours{From: 60 * h.From, To: 60 * h.To})
	}
	return out
}

func datesOf(list []lang.Dates) []artifact.Dates {
	var out []artifact.Dates
	for _, d := range list {
		out = append(out, artifact.Dates{From: d.From, To: d.To})
	}
	return out
}
