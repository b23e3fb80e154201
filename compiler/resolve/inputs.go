package resolve

import (
	"slices"
	"strings"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/lang"
	"github.com/netpol/netpol/lang/diag"
)

// inputs are the interfaces that are read besides what rules show.
func (r *resolver) inputs() []artifact.Input {
	var out []artifact.Input
	first := map[string]*lang.Input{} // by interface
	for _, in := range r.policy.Inputs {
		name := in.Interface.Value
		if name == "" || badInterface(name) {
			r.diags.Add(diag.New(diag.InvalidInterface, in.Interface.Range, interfaceRule))
			continue
		}
		if other := first[name]; other != nil {
			r.diags.Add(diag.New(diag.Duplicate, in.Interface.Range, "The input \""+other.Name+"\" at "+other.Range.String()+" reads this interface already, and each flow would be told of twice. Remove one of the two."))
			continue
		}
		first[name] = in
		packets := in.FirstPackets
		if packets < 0 {
			packets = settings(r.policy.Settings).FirstPackets()
		}
		input := artifact.Input{
			Name: in.Name, Interface: name, FirstPackets: uint32(packets), Incoming: in.Incoming, Promiscuous: in.Promiscuous, Role: in.Role,
		}
		input.Filter, input.FilterText = r.filter(in), joinCriteria(in.Filter)
		for _, t := range in.Bypass {
			input.Bypass = append(input.Bypass, t.Value)
		}
		for _, t := range in.Unwrap {
			input.Unwrap = append(input.Unwrap, t.Value)
		}
		out = append(out, input)
	}
	slices.SortFunc(out, func(a, b artifact.Input) int { return strings.Compare(a.Name, b.Name) })
	return out
}
