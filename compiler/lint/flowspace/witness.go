package flowspace

import (
	"maps"
	"net/netip"
	"reflect"
	"slices"
	"strings"

	"github.com/netpol/netpol/lang/fact"
)

// Witness finds a flow of the region, a plausible one if there is any. It
// returns false when the region is empty or no facts can be made up for it, as
// for two regular expressions that nothing known matches together. The caller
// must try the facts on the conditions: see Eval.
func (s *Space) Witness(r Region) (*fact.Facts, bool) {
	values, ok := s.b.First(s.Plausible(r).node, s.levels)
	if !ok {
		if values, ok = s.b.First(s.Possible(r).node, s.levels); !ok {
			return nil, false
		}
	}
	return s.WitnessAt(Place{values})
}

// WitnessAt is Witness for one place.
func (s *Space) WitnessAt(p Place) (*fact.Facts, bool) {
	w := &witness{s: s, values: p.values, facts: &fact.Facts{}}
	w.names()
	w.tuple()
	w.rest()
	w.counts()
	w.times()
	return w.facts, w.texts()
}

// IsPlausible says that the enforcer, as it works today, could come up with a
// flow of the region.
func (s *Space) IsPlausible(r Region) bool { return !s.Empty(s.Plausible(r)) }

// witness turns the values of the variables into facts.
type witness struct {
	s      *Space
	values []bool
	facts  *fact.Facts
}

func (w *witness) class(attr string) (int, bool) {
	c := w.s.columns[attr]
	if c == nil {
		return 0, false
	}
	return c.class(w.values), true
}

func (w *witness) names() {
	f := w.facts
	if i, ok := w.class("application"); ok {
		f.Application = w.s.applications.tags[i]
		f.ApplicationCategory, f.Brand = w.s.applications.categories[i], w.s.applications.brands[i]
	}
	if i, ok := w.class("protocol"); ok {
		f.Protocol = w.s.protocols.tags[i]
		f.ProtocolCategory = w.s.protocols.categories[i]
	}
	f.Category = f.ApplicationCategory
	if f.Category == "" {
		f.Category = f.ProtocolCategory
	}
	if f.Application != "" {
		f.By = fact.BySNI
	}
}

// tuple fills addresses, ports and IP version. What no condition speaks of
// follows from the other name of the same side, or is a usual value.
func (w *witness) tuple() {
	f := w.facts
	f.IPVersion = 4
	if i, ok := w.class("ip_version"); ok {
		f.IPVersion = w.s.numbers["ip_version"].classes[i].Low
	}
	f.IPProtocol = 6
	for _, name := range tuple()[1] {
		if i, ok := w.class(name); ok {
			f.IPVersion = 4
			if i >= w.s.addresses.v4() {
				f.IPVersion = 6
			}
		}
	}
	// Where nothing ties the sides, the local one may as well have opened it.
	opened := w.s.orientation == 0 || w.values[w.s.orientation]
	first, second := &f.DstIP, &f.SrcIP // of the local and the other side
	port1, port2 := &f.DstPort, &f.SrcPort
	names := tuple()
	local, other := 1, 0
	if opened {
		first, second, port1, port2 = second, first, port2, port1
		local, other = 0, 1
	}
	*first = w.address(names[1][local], names[1][2], true)
	*second = w.address(names[1][other], names[1][3], false)
	*port1 = w.port(names[0][local], names[0][2])
	*port2 = w.port(names[0][other], names[0][3])
	f.LocalIP, f.OtherIP, f.LocalPort, f.OtherPort = *first, *second, *port1, *port2
}

// address is the address of a side, which has two names.
func (w *witness) address(end, side string, local bool) netip.Addr {
	for _, name := range []string{end, side} {
		if i, ok := w.class(name); ok {
			return w.s.addresses.example(i, local)
		}
	}
	for _, a := range usualAddresses(local) {
		if a.Is4() == (w.facts.IPVersion == 4) {
			return a
		}
	}
	return netip.Addr{}
}

func (w *witness) port(end, side string) int {
	for _, name := range []string{end, side} {
		if i, ok := w.class(name); ok {
			a, _ := fact.Lookup(end)
			return w.s.ports.example(i, a)
		}
	}
	a, _ := fact.Lookup(end)
	return usual(a)[0]
}

// rest fills numbers, flags and lists.
func (w *witness) rest() {
	v := reflect.ValueOf(w.facts).Elem()
	for name, n := range w.s.numbers {
		if i, ok := w.class(name); ok && name != "ip_version" {
			setInt(v.FieldByName(n.attr.Field), n.example(i, n.attr))
		}
	}
	lists := map[string][]string{}
	for _, key := range slices.Sorted(maps.Keys(w.s.flags)) {
		if !w.values[w.s.flags[key]] {
			continue
		}
		name, element, isList := strings.Cut(key, " has ")
		a, ok := fact.Lookup(name)
		switch {
		case !ok:
		case isList && w.values[w.s.flags[name]]:
			lists[a.Field] = append(lists[a.Field], element)
		case a.Type == fact.TextList && !isList && lists[a.Field] == nil:
			lists[a.Field] = []string{}
		case a.Type == fact.Flag:
			v.FieldByName(a.Field).SetBool(true)
		}
	}
	for field, elements := range lists {
		if len(elements) == 0 {
			elements = []string{"other"}
		}
		v.FieldByName(field).SetString(strings.Join(elements, ","))
	}
}

func setInt(v reflect.Value, n int) {
	if v.IsValid() && v.CanInt() {
		v.SetInt(int64(n))
	}
}

// texts makes up the texts; false when one cannot be found.
func (w *witness) texts() bool {
	v := reflect.ValueOf(w.facts).Elem()
	for name, t := range w.s.texts {
		class, _ := w.class(name)
		s, ok := t.example(class, t.starts.class(w.values), func(p *textPattern) bool { return w.values[p.level] })
		if !ok {
			return false
		}
		if name == "by" && s == "" && w.facts.Application != "" {
			continue // no condition here asks
		}
		if field := v.FieldByName(t.attr.Field); field.IsValid() && field.Kind() == reflect.String {
			field.SetString(s)
		}
	}
	return true
}
