package opt_test

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/compiler/internal/irtest"
	"github.com/netpol/netpol/compiler/ir"
	"github.com/netpol/netpol/compiler/opt"
	"github.com/netpol/netpol/lang/diag"
	"github.com/netpol/netpol/lang/fact"
)

// TestPacketsSayTheSame draws conditions over flows and packets: the parts of a
// policy together hold exactly when its condition did, and no part asks of
// packets in what a flow is to be asked.
func TestPacketsSayTheSame(t *testing.T) {
	run := func(string, *fact.Facts) bool { return false } // no residuals are drawn
	rapid.Check(t, func(t *rapid.T) {
		cond := irtest.MixedExpr(t, 3)
		in := &ir.Set{Policies: []ir.Policy{{Name: "p", Cond: cond}}}
		folded, _ := opt.Fold(opt.Normalise(in))
		out, diags := opt.Packets(folded)
		if diags.HasErrors() {
			return // more parts than there may be
		}
		for range 8 {
			f := flow(t)
			want := irtest.Eval(cond, f, run)
			got := slices.ContainsFunc(out.Policies, func(p ir.Policy) bool {
				return irtest.Eval(p.Cond, f, run) && !slices.ContainsFunc(p.Packet, func(l ir.Literal) bool {
					return irtest.Eval(l.Test, f, run) == l.Not
				})
			})
			if got != want {
				t.Fatalf("%s\nbecame\n%s\nof %+v: got %v, want %v", ir.Dump(cond), out.Dump(), f, got, want)
			}
		}
		for _, p := range out.Policies {
			ir.Walk(p.Cond, func(e ir.Expr) {
				if c, ok := e.(*ir.Compare); ok && c.Attr.Decided == fact.Packet {
					t.Fatalf("%s asks of packets: %s", ir.Dump(cond), ir.Dump(p.Cond))
				}
			})
		}
	})
}

// flow is one whose counters say of both sides what they say of both ends.
func flow(t *rapid.T) *fact.Facts {
	f := irtest.Facts(t)
	inside := func(a netip.Addr) bool {
		return slices.ContainsFunc(artifact.Settings{}.Inside(), func(p netip.Prefix) bool { return p.Contains(a) })
	}
	f.LocalBytes, f.OtherBytes, f.LocalPackets, f.OtherPackets = f.SrcBytes, f.DstBytes, f.SrcPackets, f.DstPackets
	if inside(f.DstIP) && !inside(f.SrcIP) {
		f.LocalBytes, f.OtherBytes, f.LocalPackets, f.OtherPackets = f.DstBytes, f.SrcBytes, f.DstPackets, f.SrcPackets
	}
	return f
}

func TestPackets(t *testing.T) {
	compare := func(name string, low, high int) ir.Expr {
		a, _ := fact.Lookup(name)
		return &ir.Compare{Attr: a, Op: ir.OpRange, Ranges: []ir.Interval{{Low: low, High: high}}}
	}
	app := func(name string) ir.Expr {
		a, _ := fact.Lookup("app")
		return &ir.Compare{Attr: a, Op: ir.OpEqual, Strings: []string{name}}
	}
	mark := func(mask uint32, values ...int) ir.Expr {
		c := &ir.Compare{Op: ir.OpRange, Mask: mask}
		c.Attr, _ = fact.Lookup("ct_mark")
		for _, v := range values {
			c.Ranges = append(c.Ranges, ir.Interval{Low: v, High: v})
		}
		return c
	}
	var at diag.Range
	many, late := compare("total_bytes", 1000, 9999), compare("time_of_day", 3600, 7200)
	tests := []struct {
		name string
		in   ir.Expr
		want string
	}{
		{"both", ir.NewAnd(at, app("a"), many), "application in {a} for packets with total_bytes in {1000..9999}"},
		{"packet alone", many, "true for packets with total_bytes in {1000..9999}"},
		{"either", ir.NewOr(at, app("a"), many), "application in {a}|true for packets with total_bytes in {1000..9999}"},
		{
			"two of one kind", ir.NewOr(at, ir.NewAnd(at, app("a"), many), ir.NewAnd(at, app("b"), many)),
			"application in {a, b} for packets with total_bytes in {1000..9999}",
		},
		{
			"two kinds", ir.NewOr(at, ir.NewAnd(at, app("a"), many), ir.NewAnd(at, app("b"), late)),
			"application in {a} for packets with total_bytes in {1000..9999}|application in {b} for packets with time_of_day in {3600..7200}",
		},
		{"bits of one mask", ir.NewAnd(at, mark(0xff, 16, 32), mark(0xff, 32, 64)), "true for packets with ct_mark & 0xff in {32}"},
		{"bits of two masks", ir.NewAnd(at, mark(0xff, 16), mark(0xf00, 32)), "true for packets with ct_mark & 0xff in {16} and ct_mark & 0xf00 in {32}"},
		{"bits and all of it", ir.NewOr(at, mark(0xff, 1), mark(0, 2)), "true for packets with ct_mark & 0xff in {1}|true for packets with ct_mark in {2}"},
		{
			"never", ir.NewAnd(at, ir.NewOr(at, app("a"), many), compare("total_bytes", 0, 5)),
			"application in {a} for packets with total_bytes in {0..5}",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			folded, _ := opt.Fold(opt.Normalise(&ir.Set{Policies: []ir.Policy{{Name: "p", Cond: tt.in}}}))
			out, diags := opt.Packets(folded)
			if len(diags) > 0 {
				t.Fatal(diags)
			}
			var got []string
			for _, line := range strings.Split(strings.TrimSpace(out.Dump()), "\n") {
				line = strings.SplitN(line, " ", 4)[3]
				got = append(got, strings.TrimSuffix(line, " => nothing"))
			}
			if strings.Join(got, "|") != tt.want {
				t.Errorf("got  %s\nwant %s", strings.Join(got, "|"), tt.want)
			}
		})
	}
}

func TestPacketsTooMixed(t *testing.T) {
	a, _ := fact.Lookup("app")
	b, _ := fact.Lookup("total_bytes")
	var list []ir.Expr
	for i := range 9 {
		list = append(list, ir.NewAnd(diag.Range{},
			&ir.Compare{Attr: a, Op: ir.OpEqual, Strings: []string{string(rune('a' + i))}},
			&ir.Compare{Attr: b, Op: ir.OpRange, Ranges: []ir.Interval{{Low: i * 10, High: 1000}}}))
	}
	_, diags := opt.Packets(&ir.Set{Policies: []ir.Policy{{Name: "p", Cond: ir.NewOr(diag.Range{}, list...)}}})
	if len(diags) != 1 || diags[0].Code != opt.CodeMixed || diags[0].Severity != diag.Error {
		t.Errorf("got %v, want one error %s", diags, opt.CodeMixed)
	}
}
