package resolve

import (
	"fmt"
	"net"
	"net/netip"
	"strings"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/compiler/ir"
	"github.com/netpol/netpol/lang"
	"github.com/netpol/netpol/lang/diag"
	"github.com/netpol/netpol/lang/fact"
)

// maxFilterTests bounds what a filter compares each packet with: some 10
// instructions each, and jumps in the kernel's programs reach 32,767 far.
const maxFilterTests = 1000

// filter is what an input is to read: what meets its filter and is not bypassed.
func (r *resolver) filter(in *lang.Input) *artifact.Filter {
	var wanted *artifact.Filter
	if len(in.Filter) > 0 {
		cond := r.anyOf(in.Filter)
		if cond == nil {
			return nil // said already
		}
		if c, ok := cond.(*ir.Const); ok && !c.Value {
			r.diags.Add(diag.New(diag.InvalidFilter, c.Range, "No packet can meet this filter, so nothing would be read of the interface."))
			return nil
		}
		wanted = r.lower(cond)
	}
	f := artifact.AllOf(wanted, r.bypass(in.Bypass))
	if f != nil && f.Tests() > maxFilterTests {
		r.diags.Add(diag.New(diag.TooLarge, in.Range, fmt.Sprintf("filter and bypass compare each packet with %d values, and the kernel's program has room for %d. Join addresses to networks.", f.Tests(), maxFilterTests)))
		return nil
	}
	return f
}

// lower makes a filter of a condition; nil is one that always holds, or cannot be
// asked of headers, which is said then.
func (r *resolver) lower(e ir.Expr) *artifact.Filter {
	switch e := e.(type) {
	case *ir.And:
		return r.lowerAll(artifact.FilterAll, e.List)
	case *ir.Or:
		return r.lowerAll(artifact.FilterAny, e.List)
	case *ir.Not:
		if f := r.lower(e.X); f != nil {
			return &artifact.Filter{Kind: artifact.FilterNot, Of: []artifact.Filter{*f}}
		}
		return nil
	case *ir.Compare:
		if f := lowerCompare(e); f != nil {
			return f
		}
		r.notHeaders(e.Range, fmt.Sprintf("%q is not in the headers of a single packet", e.Attr.Name))
	case *ir.Residual:
		r.notHeaders(e.Range, "This is not a comparison with constants")
	case *ir.Const:
	}
	return nil
}

func (r *resolver) notHeaders(at diag.Range, why string) {
	r.diags.Add(diag.New(diag.InvalidFilter, at, why+`, and the kernel asks a filter before netpold sees the packet. A filter asks for addresses, ports, ip_protocol, ip_version and hardware addresses; a policy or a sink's "when" asks for the rest.`))
}

func (r *resolver) lowerAll(kind artifact.FilterKind, list []ir.Expr) *artifact.Filter {
	out := &artifact.Filter{Kind: kind}
	for _, x := range list {
		if f := r.lower(x); f != nil {
			out.Of = append(out.Of, *f)
		}
	}
	return out
}

// lowerCompare is nil for what headers do not tell.
func lowerCompare(e *ir.Compare) *artifact.Filter {
	f := &artifact.Filter{}
	switch {
	case e.Op == ir.OpPrefix && e.Attr.From == "packet":
		f.Kind, f.Prefixes = artifact.FilterAddress, e.Prefixes
	case e.Op == ir.OpRange && e.Mask == 0 && e.Attr.Type == fact.Port:
		f.Kind = artifact.FilterPort
	case e.Op == ir.OpRange && e.Mask == 0 && e.Attr.Name == "ip_protocol":
		f.Kind = artifact.FilterProtocol
	case e.Op == ir.OpRange && e.Mask == 0 && e.Attr.Name == "ip_version":
		f.Kind = artifact.FilterVersion
	case e.Op == ir.OpEqual && strings.HasSuffix(e.Attr.Name, "_mac"):
		f.Kind = artifact.FilterMAC
		for _, text := range e.Strings {
			mac, err := net.ParseMAC(text)
			if err != nil || len(mac) != len(artifact.HardwareAddr{}) {
				return nil
			}
			f.MACs = append(f.MACs, artifact.HardwareAddr(mac))
		}
	default:
		return nil
	}
	for _, i := range e.Ranges {
		f.Ranges = append(f.Ranges, artifact.Range{Low: i.Low, High: i.High})
	}
	return f
}

// bypass leaves out what has one of the addresses at either end.
func (r *resolver) bypass(list []lang.Text) *artifact.Filter {
	networks := artifact.Filter{Kind: artifact.FilterAddress}
	devices := artifact.Filter{Kind: artifact.FilterMAC}
	for _, t := range list {
		if mac, err := net.ParseMAC(t.Value); err == nil && len(mac) == len(artifact.HardwareAddr{}) {
			devices.MACs = append(devices.MACs, artifact.HardwareAddr(mac))
			continue
		}
		prefix, err := netip.ParsePrefix(t.Value)
		if a, bare := netip.ParseAddr(t.Value); bare == nil && a.Zone() == "" {
			prefix, err = netip.PrefixFrom(a, a.BitLen()), nil
		}
		switch {
		case err != nil:
			r.diags.Add(diag.New(diag.InvalidFilter, t.Range, fmt.Sprintf("%q is not an address to leave out. These are addresses, networks and hardware addresses, such as \"192.168.1.20\", \"fd00::/8\" or \"02:00:5e:00:53:01\".", t.Value)))
		case prefix != prefix.Masked():
			r.diags.Add(diag.New(diag.HostBitsSet, t.Range, fmt.Sprintf("%q has address bits to the right of its prefix length, so it is unclear whether the block or the one address is meant.", t.Value)).
				WithHint(fmt.Sprintf("write %q for the block, or %q for the address", prefix.Masked(), prefix.Addr())))
		default:
			networks.Prefixes = append(networks.Prefixes, prefix)
		}
	}
	var out []*artifact.Filter
	for _, f := range []artifact.Filter{networks, devices} {
		if f.Tests() > 0 {
			out = append(out, &artifact.Filter{Kind: artifact.FilterNot, Of: []artifact.Filter{f}})
		}
	}
	return artifact.AllOf(out...)
}
