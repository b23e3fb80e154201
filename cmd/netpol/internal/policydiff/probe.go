package policydiff

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"reflect"
	"slices"
	"strings"

	"github.com/netpol/netpol/cmd/netpol/internal/flowfacts"
	"github.com/netpol/netpol/cmd/netpol/internal/outcome"
	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/lang/fact"
)

// maxProbes bounds the flows that are made of what the catalogues differ in.
const maxProbes = 2000

// probe compares the names that the sides give to flows: where application
// blocks have changed, a host name or an address may belong to something else
// now, and policies that have not changed then treat it otherwise.
func (c *comparison) probe() error {
	if c.sameCatalogue() {
		return nil
	}
	c.names()
	for n, f := range c.probes() {
		if n == maxProbes || c.ctx.Err() != nil {
			break
		}
		if err := c.judgeName(f); err != nil {
			return err
		}
	}
	return nil
}

// probes are flows to the names, networks and ports that one side has and the
// other has not, or has for another application.
func (c *comparison) probes() []*fact.Facts {
	before, after := byTag(&c.before.bundle.Catalogue), byTag(&c.after.bundle.Catalogue)
	var out []*fact.Facts
	for _, tag := range unique(append(sortedTags(before), sortedTags(after)...)) {
		b, a := before[tag], after[tag]
		if reflect.DeepEqual(b, a) {
			continue
		}
		for _, d := range difference(b.Domains, a.Domains) {
			out = append(out, &fact.Facts{Protocol: "tls", Hostname: d, IPProtocol: 6})
		}
		for _, p := range difference(b.Networks, a.Networks) {
			out = append(out, toward(p))
		}
		for _, r := range difference(b.Ports, a.Ports) {
			if proto := map[string]int{"tcp": 6, "udp": 17, "sctp": 132}[r.Transport]; proto != 0 {
				out = append(out, &fact.Facts{IPProtocol: proto, DstPort: int(r.Low)})
			}
		}
	}
	return out
}

// names lists the domains, networks and ports that lead to another application.
func (c *comparison) names() {
	before, after := leads(&c.before.bundle.Catalogue), leads(&c.after.bundle.Catalogue)
	for _, key := range unique(append(slices.Sorted(maps.Keys(before)), slices.Sorted(maps.Keys(after))...)) {
		if b, a := before[key], after[key]; b != a {
			kind, value, _ := strings.Cut(key, " ")
			c.report.Names = append(c.report.Names, NameChange{kind, value, b, a})
		}
	}
	slices.SortStableFunc(c.report.Names, func(x, y NameChange) int {
		return cmp.Or(cmp.Compare(x.Kind, y.Kind), cmp.Compare(x.Value, y.Value))
	})
}

// leads is what applications are recognised by, "domain zoom.us", and which.
// Where several have a thing, they are told together.
func leads(c *artifact.Catalogue) map[string]string {
	list := map[string][]string{}
	for _, a := range c.Applications {
		for _, d := range a.Domains {
			list["domain "+d] = append(list["domain "+d], a.Tag)
		}
		for _, p := range a.Networks {
			list["network "+p.String()] = append(list["network "+p.String()], a.Tag)
		}
		for _, r := range a.Ports {
			key := fmt.Sprintf("port %s/%d", r.Transport, r.Low)
			if r.High != r.Low {
				key += fmt.Sprintf("-%d", r.High)
			}
			list[key] = append(list[key], a.Tag)
		}
	}
	out := make(map[string]string, len(list))
	for key, tags := range list {
		out[key] = strings.Join(tags, ", ")
	}
	return out
}

// toward is a flow that nothing but its server's address can name.
func toward(p netip.Prefix) *fact.Facts {
	dst := p.Addr()
	if next := dst.Next(); p.Contains(next) {
		dst = next
	}
	return &fact.Facts{IPProtocol: 17, Protocol: "stun", DstIP: dst}
}

func byTag(c *artifact.Catalogue) map[string]artifact.Application {
	out := make(map[string]artifact.Application, len(c.Applications))
	for _, a := range c.Applications {
		out[a.Tag] = a
	}
	return out
}

func sortedTags(m map[string]artifact.Application) []string {
	out := make([]string, 0, len(m))
	for tag := range m {
		out = append(out, tag)
	}
	slices.Sort(out)
	return out
}

// difference is what is in one list only.
func difference[T comparable](a, b []T) []T {
	var out []T
	for _, pair := range [][2][]T{{a, b}, {b, a}} {
		for _, x := range pair[0] {
			if !slices.Contains(pair[1], x) {
				out = append(out, x)
			}
		}
	}
	return out
}

// judgeName lets each side name the flow itself and compares what becomes of
// it.
func (c *comparison) judgeName(f *fact.Facts) error {
	c.report.Tried++
	b, a := *f, *f
	named := map[string]bool{}
	for _, x := range []struct {
		s *side
		f *fact.Facts
	}{{c.before, &b}, {c.after, &a}} {
		x.f.Complete = true
		x.s.world.Complete(x.f, named)
		x.s.world.Named(x.f)
	}
	before, err := c.before.evaluator.Begin().Next(outcome.Moment{Facts: &b, Time: c.at})
	if err != nil {
		return err
	}
	after, err := c.after.evaluator.Begin().Next(outcome.Moment{Facts: &a, Time: c.at})
	if err != nil || before.SameEffect(&after) {
		return err
	}
	naming := fmt.Sprintf("%s, now %s", cmp.Or(b.Application, "no application"), cmp.Or(a.Application, "no application"))
	key := c.key(&before, &after) + "\x00" + naming
	if _, ok := c.regions[key]; !ok {
		c.keep(key, &Region{Witness: flowfacts.Known(f), Before: before, After: after, Policies: c.causes(&before, &after), Naming: naming})
	}
	return nil
}
