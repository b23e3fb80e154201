package nft

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/compiler/ir"
	"github.com/netpol/netpol/lang/fact"
)

func literal(attr string, not bool, prefixes []netip.Prefix, ranges ...ir.Interval) ir.Literal {
	a, ok := fact.Lookup(attr)
	if !ok {
		panic(attr)
	}
	c := &ir.Compare{Attr: a, Op: ir.OpRange, Ranges: ranges, Prefixes: prefixes}
	if prefixes != nil {
		c.Op = ir.OpPrefix
	}
	return ir.Literal{Test: c, Not: not}
}

func host(i int) []netip.Prefix {
	return []netip.Prefix{netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), 32)}
}

// decided are so many policies on first packets, with labels and a DSCP each.
func decided(n int, cond func(i int) ir.Conjunction) Input {
	in := Input{NoCapture: true}
	for bit := range 100 {
		in.Labels = append(in.Labels, artifact.Label{Name: fmt.Sprintf("l%d", bit), Bit: bit})
	}
	for i := range n {
		in.Decisions = append(in.Decisions, Decision{
			Policy: artifact.Policy{Name: fmt.Sprint(i), File: "a.netpol.hcl", Line: i},
			Any:    []ir.Conjunction{cond(i)},
			Effect: artifact.Effect{Labels: []int{i % 50}, DSCP: artifact.Claim{Kind: artifact.ClaimAuto, Bit: 50 + i%7}},
		})
	}
	return in
}

// longest is the most rules that a packet may try from a chain on.
func longest(rs *artifact.Ruleset, name string, known map[string]int) int {
	if n, ok := known[name]; ok {
		return n
	}
	sum := 0
	for _, c := range rs.Chains {
		if c.Name != name {
			continue
		}
		for _, r := range c.Rules {
			sum++
			for _, do := range r.Do {
				switch do.Kind {
				case artifact.DoJump, artifact.DoGoto:
					sum += longest(rs, do.Name, known)
				case artifact.DoVMap:
					most := 0
					for _, s := range rs.Sets {
						if s.Name != do.Name {
							continue
						}
						for _, e := range s.Elements {
							most = max(most, longest(rs, e.Jump, known))
						}
					}
					sum += most
				default:
				}
			}
		}
	}
	known[name] = sum
	return sum
}

// However many policies there are, a packet tries a few rules.
func TestManyPoliciesAreFewLookUps(t *testing.T) {
	group := make([]netip.Prefix, 3000)
	for i := range group {
		group[i] = host(2 * i)[0]
	}
	port := func(i int) ir.Interval { return ir.Interval{Low: 1 + i, High: 1 + i} }
	tests := []struct {
		name string
		cond func(i int) ir.Conjunction
		path int // at most, in labels and DSCP together
	}{
		{"address", func(i int) ir.Conjunction { return ir.Conjunction{literal("src_ip", false, host(i))} }, 8},
		{"address and port", func(i int) ir.Conjunction {
			return ir.Conjunction{literal("src_ip", false, host(i)), literal("dst_port", false, nil, port(i))}
		}, 8},
		{"local address and port", func(i int) ir.Conjunction {
			return ir.Conjunction{literal("local_ip", false, host(i)), literal("other_port", false, nil, port(i))}
		}, 16},
		{"hosts and ports, each with each", func(i int) ir.Conjunction {
			return ir.Conjunction{literal("src_ip", false, host(i/50)), literal("dst_port", false, nil, port(i%50))}
		}, 12},
		{"nested networks", func(i int) ir.Conjunction {
			return ir.Conjunction{literal("dst_ip", false, []netip.Prefix{netip.PrefixFrom(host(i)[0].Addr(), 32-i%12).Masked()})}
		}, 8},
		{"port ranges within each other", func(i int) ir.Conjunction {
			return ir.Conjunction{literal("dst_port", false, nil, ir.Interval{Low: i, High: 65535 - i})}
		}, 16},
		{"one group and a port", func(i int) ir.Conjunction {
			return ir.Conjunction{literal("src_ip", false, group), literal("dst_port", false, nil, port(i))}
		}, 10},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			in := decided(2500, test.cond)
			rs := Emit(in)
			if diff := cmp.Diff(rs, Emit(in)); diff != "" {
				t.Fatalf("two runs differ:\n%s", diff)
			}
			if got := longest(&rs, chainNewPre, map[string]int{}); got > test.path {
				t.Errorf("a packet may try %d rules, want %d at most", got, test.path)
			}
			if len(rs.Sets) > 20 {
				t.Errorf("%d sets", len(rs.Sets))
			}
		})
	}
}

// Where no policy asks for the interface, connections that the router opens
// take the same chains as others.
func TestHooksShareChains(t *testing.T) {
	in := decided(1, func(int) ir.Conjunction { return ir.Conjunction{literal("src_ip", false, host(1))} })
	for _, c := range Emit(in).Chains {
		if strings.HasSuffix(c.Name, "_out") && c.Name != chainNewOut {
			t.Errorf("chain %s", c.Name)
		}
	}
	device, _ := fact.Lookup("interface")
	in.Decisions[0].Any[0][0] = ir.Literal{Test: &ir.Compare{Attr: device, Op: ir.OpEqual, Strings: []string{"lan0"}}}
	rs := Emit(in)
	for _, name := range []string{"np_first", "np_first_dscp", "np_first_out", "np_first_dscp_out"} {
		if longest(&rs, name, map[string]int{}) == 0 {
			t.Errorf("no chain %s", name)
		}
	}
}

// Regions of fields of different widths are never one, though their bytes
// may read the same.
func TestRegionsAreOfAWidth(t *testing.T) {
	p := newPool()
	protocols := p.name(union(region{{"\x06", "\x06"}, {"\x11", "\x11"}}))
	ports := p.name(region{{"\x06\x06", "\x11\x11"}})
	if protocols == ports {
		t.Error("protocols 6 and 17 are ports 1542 to 4369")
	}
}
