package flowspace

import (
	"slices"
	"strings"

	"github.com/netpol/netpol/compiler/ir"
	"github.com/netpol/netpol/compiler/lint/bdd"
)

// lookups: flows that ask for names have no application of their own
// (enforcer/classify).
func (s *Space) lookups() bdd.Node {
	if s.applications == nil || s.protocols == nil {
		return bdd.True
	}
	asks := s.named("protocol", []string{"dns", "dns-tunnel", "mdns", "llmnr", "netbios"})
	return s.implies(asks, s.named("application", []string{""}))
}

// numbered: flows have ports, but for protocols that nobody writes ports for.
func (s *Space) numbered() bdd.Node {
	r := bdd.True
	if s.ports == nil {
		return r
	}
	none := s.ports.in([]ir.Interval{{Low: 0, High: 0}})
	for _, name := range tuple()[0] {
		if c := s.columns[name]; c != nil && len(none) > 0 {
			r = s.b.And(r, s.b.Not(s.within(c, none)))
		}
	}
	return r
}

// hosts: a host name that the catalogue knows leads to its application, unless
// the protocol belongs to a product.
func (s *Space) hosts(t *text) bdd.Node {
	owners := newOwners(s)
	alike := map[string][]int{}
	apps := map[string][]int{}
	for i, c := range t.classes {
		list := owners.of(c)
		key := keyOf(list)
		alike[key] = append(alike[key], i)
		apps[key] = list
	}
	r := bdd.False
	for key, classes := range alike {
		allowed := bdd.True
		if apps[key] != nil {
			allowed = s.within(s.columns["application"], intervals(slices.Clone(apps[key])))
		}
		r = s.b.Or(r, s.b.And(s.within(s.columns["hostname"], intervals(classes)), allowed))
	}
	return r
}

func keyOf(list []int) string {
	var b strings.Builder
	for _, n := range list {
		b.WriteRune(rune(n))
	}
	if list == nil {
		return "any"
	}
	return b.String()
}

// owners tells which applications a host name can lead to.
type owners struct {
	names     *names
	byDomain  map[string]int // class of the application
	reversed  []string       // every domain, reversed, sorted
	ofProduct []int          // applications that a protocol belongs to, and none
}

func newOwners(s *Space) *owners {
	o := &owners{names: s.applications, byDomain: map[string]int{}, ofProduct: []int{}}
	for _, a := range s.catalogue.Applications {
		for _, d := range a.Domains {
			o.byDomain[d] = o.names.index[a.Tag]
			o.reversed = append(o.reversed, reversed(d))
		}
	}
	slices.Sort(o.reversed)
	for _, p := range s.catalogue.Protocols {
		if p.Application != "" {
			o.ofProduct = append(o.ofProduct, o.names.index[p.Application])
		}
	}
	return o
}

// of lists the applications of a class of host names, ascending; nil means any.
func (o *owners) of(c textClass) []int {
	if c.value == "" || !strings.Contains(strings.Trim(c.value, "."), ".") {
		return nil
	}
	out := slices.Clone(o.ofProduct)
	out = append(out, o.lookup(strings.TrimPrefix(c.value, ".")))
	if !c.constant {
		out = append(out, o.below(c.value)...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// lookup is the application of the longest domain that a name is under, or
// "none", which is class 0.
func (o *owners) lookup(name string) int {
	for {
		if i, ok := o.byDomain[name]; ok {
			return i
		}
		_, rest, ok := strings.Cut(name, ".")
		if !ok {
			return 0
		}
		name = rest
	}
}

// below lists the applications of the domains that end in a suffix.
func (o *owners) below(suffix string) []int {
	key := reversed(suffix)
	var out []int
	from, _ := slices.BinarySearch(o.reversed, key)
	for _, r := range o.reversed[from:] {
		if !strings.HasPrefix(r, key) {
			break
		}
		out = append(out, o.byDomain[reversed(r)])
	}
	return out
}
