package opt_test

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/netpol/netpol/compiler/ir"
	"github.com/netpol/netpol/compiler/opt"
)

func address(i int) string { return fmt.Sprintf("10.%d.%d.%d/32", i>>16&255, i>>8&255, i&255) }

// A set gives the kernel as many policies as it can look up, and no long chains.
func TestWhatTheKernelIsGiven(t *testing.T) {
	group := make([]netip.Prefix, 5000)
	for i := range group {
		group[i] = netip.MustParsePrefix(address(2 * i))
	}
	big := &ir.Compare{Attr: attr("src_ip"), Op: ir.OpPrefix, Prefixes: group}
	port := func(name string, i int) ir.Expr { return in(name, span(i%60000, i%60000)) }
	tests := []struct {
		name    string
		cond    func(i int) ir.Expr
		ordered bool
		want    int // policies that the kernel decides, of 10,000
	}{
		{"an address each", func(i int) ir.Expr { return within("src_ip", address(i)) }, true, 10000},
		{"an address and a port each", func(i int) ir.Expr { return and(within("local_ip", address(i)), port("dst_port", i)) }, true, 10000},
		{"one group and a port each", func(i int) ir.Expr { return and(big, port("dst_port", i)) }, true, 10000},
		{"ranges within each other", func(i int) ir.Expr { return in("src_port", span(i, 65535-i)) }, true, 10000},
		{"one group without an address each", func(i int) ir.Expr { return and(big, not(within("local_ip", address(i)))) }, false, (1 << 17) / 5000},
		{"fields in turn, one of which may go on", func(i int) ir.Expr { return within([]string{"src_ip", "dst_ip"}[i%2], address(i)) }, true, 128 + 5000},
		{"fields in turn, labels alone", func(i int) ir.Expr { return within([]string{"src_ip", "dst_ip"}[i%2], address(i)) }, false, 10000},
		{"nothing to look up", func(i int) ir.Expr { return not(port("dst_port", i)) }, true, 256},
		{"ranges of two fields within each other", func(i int) ir.Expr {
			return and(in("src_port", span(i, 65535-i)), in("dst_port", span(i, 65535-i)))
		}, true, 512},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			policies := make([]ir.Policy, 10000)
			for i := range policies {
				policies[i] = ir.Policy{Name: fmt.Sprint(i), Cond: test.cond(i), Labels: []string{"l"}}
				if test.ordered {
					policies[i].DSCP = &ir.DSCP{Name: "cs1", Value: 8}
				}
			}
			opt.Split(policies)
			got := 0
			for i := range policies {
				if policies[i].Split.Kernel {
					got++
				}
			}
			if got != test.want {
				t.Errorf("the kernel decides %d policies, want %d", got, test.want)
			}
		})
	}
}

func TestInterest(t *testing.T) {
	zoom, lan := eq("app", "zoom"), within("local_ip", "10.1.0.0/16")
	web := in("dst_port", span(443, 443))
	tests := []struct {
		name string
		in   []ir.Policy
		want string // "all" for every connection
	}{
		{"name alone", []ir.Policy{{Cond: zoom}}, "all"},
		{"name within a network", []ir.Policy{{Cond: and(lan, zoom)}}, "local_ip in {10.1.0.0/16}"},
		{"another name within a network", []ir.Policy{{Cond: and(lan, not(zoom))}}, "local_ip in {10.1.0.0/16}"},
		{"name or network", []ir.Policy{{Cond: or(lan, zoom)}}, "all"},
		{"one of two names needs no header", []ir.Policy{{Cond: and(lan, zoom)}, {Cond: zoom}}, "all"},
		{"two", []ir.Policy{{Cond: and(lan, zoom)}, {Cond: and(not(web), zoom)}}, "local_ip in {10.1.0.0/16}; not dst_port in {443}"},
		{"headers alone", []ir.Policy{{Cond: lan}, {Cond: and(web, zoom)}}, "dst_port in {443}"},
		{"arithmetic", []ir.Policy{{Cond: and(web, code("src_port == dst_port"))}}, "dst_port in {443}"},
		{"a verdict that waits", []ir.Policy{{Cond: and(web, zoom), Verdict: ir.Accept}, {Cond: lan, Verdict: ir.Drop}}, "dst_port in {443}; local_ip in {10.1.0.0/16}"},
		{"a verdict that need not", []ir.Policy{{Cond: and(web, zoom), Verdict: ir.Accept}, {Cond: and(lan, not(web)), Verdict: ir.Drop}}, "dst_port in {443}"},
		{"each match is logged", []ir.Policy{{Cond: lan, Audit: true}}, "local_ip in {10.1.0.0/16}"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			set, _ := opt.Run(&ir.Set{Policies: test.in})
			list, narrow := opt.Interest(set.Policies)
			got := "all"
			if narrow {
				words := make([]string, len(list))
				for i, c := range list {
					words[i] = c.String()
				}
				got = strings.Join(slices.Compact(words), "; ")
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
