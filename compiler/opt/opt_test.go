package opt_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/netpol/netpol/compiler/internal/irtest"
	"github.com/netpol/netpol/compiler/ir"
	"github.com/netpol/netpol/compiler/opt"
	"github.com/netpol/netpol/lang/diag"
	"github.com/netpol/netpol/lang/fact"
)

func attr(name string) fact.Attribute {
	a, ok := fact.Lookup(name)
	if !ok {
		panic(name)
	}
	return a
}

func eq(name string, values ...string) ir.Expr {
	return &ir.Compare{Attr: attr(name), Op: ir.OpEqual, Strings: values}
}

func contains(name string, values ...string) ir.Expr {
	return &ir.Compare{Attr: attr(name), Op: ir.OpContains, Strings: values}
}

func in(name string, ranges ...ir.Interval) ir.Expr {
	return &ir.Compare{Attr: attr(name), Op: ir.OpRange, Ranges: ranges}
}

func within(name string, prefixes ...string) ir.Expr {
	c := &ir.Compare{Attr: attr(name), Op: ir.OpPrefix}
	for _, p := range prefixes {
		c.Prefixes = append(c.Prefixes, netip.MustParsePrefix(p))
	}
	return c
}

func flag(name string) ir.Expr       { return &ir.Compare{Attr: attr(name), Op: ir.OpTrue} }
func and(list ...ir.Expr) ir.Expr    { return ir.NewAnd(diag.Range{}, list...) }
func or(list ...ir.Expr) ir.Expr     { return ir.NewOr(diag.Range{}, list...) }
func not(x ir.Expr) ir.Expr          { return ir.NewNot(diag.Range{}, x) }
func code(source string) ir.Expr     { return &ir.Residual{Source: source} }
func span(low, high int) ir.Interval { return ir.Interval{Low: low, High: high} }

func TestConditions(t *testing.T) {
	tests := []struct {
		name string
		in   ir.Expr
		want string // "" for a policy that is dropped
	}{
		{"negation goes down", not(and(eq("app", "a"), or(flag("detection_guessed"), not(code("x"))))), "not application in {a} or (not detection_guessed and {x})"},
		{"equal or equal", or(eq("app", "b"), eq("proto", "x"), eq("app", "a")), "application in {a, b} or protocol in {x}"},
		{"equal and equal", and(eq("app", "a", "b"), eq("app", "b", "c")), "application in {b}"},
		{"equal and another", and(eq("app", "a"), eq("app", "b")), ""},
		{"unequal and unequal", and(not(eq("app", "a")), not(eq("app", "b"))), "not application in {a, b}"},
		{"equal and unequal", and(eq("app", "a", "b"), not(eq("app", "b"))), "application in {a}"},
		{"equal or unequal", or(eq("app", "a", "b"), not(eq("app", "b"))), "true"},
		{"unequal or unequal", or(not(eq("app", "a")), not(eq("app", "b"))), "true"},
		{"alpn may be both", and(eq("alpn", "h2"), eq("alpn", "h3")), "alpn in {h2} and alpn in {h3}"},
		{"alpn cannot be and not be", and(eq("alpn", "h2"), not(eq("alpn", "h2", "h3"))), ""},
		{"ranges join", or(in("dst_port", span(80, 90)), in("dst_port", span(91, 91), span(100, 100))), "dst_port in {80..91, 100}"},
		{"ranges meet", and(in("dst_port", span(1, 100)), in("dst_port", span(50, 443))), "dst_port in {50..100}"},
		{"range without the middle", and(in("dst_port", span(1, 100)), not(in("dst_port", span(50, 60)))), "dst_port in {1..49, 61..100}"},
		{"ranges exclude each other", and(in("dst_port", span(1, 10)), in("dst_port", span(20, 30))), ""},
		{"prefixes nest", or(within("src_ip", "10.1.0.0/16"), within("src_ip", "10.0.0.0/8", "192.168.0.0/16")), "src_ip in {10.0.0.0/8, 192.168.0.0/16}"},
		{"prefixes meet", and(within("src_ip", "10.0.0.0/8"), within("src_ip", "10.1.0.0/16", "192.168.0.0/16")), "src_ip in {10.1.0.0/16}"},
		{"prefix inside an excluded one", and(within("src_ip", "10.1.0.0/16"), not(within("src_ip", "10.0.0.0/8"))), ""},
		{"prefix around an excluded one", and(within("src_ip", "10.0.0.0/8"), not(within("src_ip", "10.1.0.0/16"))), "src_ip in {10.0.0.0/8} and not src_ip in {10.1.0.0/16}"},
		{"flag and not", and(flag("detection_guessed"), not(flag("detection_guessed"))), ""},
		{"residual or not", or(code("x"), not(code("x"))), "true"},
		{"twice the same", and(code("x"), eq("app", "a"), code("x"), contains("hostname", "a"), contains("hostname", "a")), "{x} and application in {a} and hostname contains {a}"},
		{"contains both", and(contains("hostname", "a"), contains("hostname", "b")), "hostname contains {a} and hostname contains {b}"},
		{"contains either", or(contains("hostname", "b"), contains("hostname", "a")), "hostname contains {a, b}"},
		{"nothing equals an empty list", eq("app"), ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			set, _ := opt.Run(&ir.Set{Policies: []ir.Policy{{Name: "p", Cond: tt.in}}})
			got := ""
			if len(set.Policies) > 0 {
				got = ir.Dump(set.Policies[0].Cond)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", ir.Dump(tt.in), diff)
			}
		})
	}
}

func TestDeadPoliciesAreDroppedWithAWarning(t *testing.T) {
	in := &ir.Set{Policies: []ir.Policy{
		{ID: 0, Name: "never", Cond: and(eq("app", "a"), eq("app", "b"))},
		{ID: 1, Name: "sometimes", Cond: eq("app", "a")},
	}}
	set, diags := opt.Run(in)
	if len(set.Policies) != 1 || set.Policies[0].Name != "sometimes" || set.Policies[0].ID != 0 {
		t.Errorf("policies: %v", set.Policies)
	}
	if len(diags) != 1 || diags[0].Code != opt.CodeDead || diags[0].Severity != diag.Warning || !strings.Contains(diags[0].Detail, `"never"`) {
		t.Errorf("diagnostics: %v", diags)
	}
	if len(in.Policies) != 2 || in.Policies[1].ID != 1 {
		t.Errorf("the input was changed: %v", in.Policies)
	}
}

func TestEqualConditionsAreOneNode(t *testing.T) {
	exempt := func() ir.Expr { return not(within("src_ip", "10.0.0.1/32")) }
	set, _ := opt.Run(&ir.Set{Policies: []ir.Policy{
		{Cond: and(eq("app", "a"), exempt())},
		{Cond: and(eq("app", "b"), exempt())},
	}})
	a, b := set.Policies[0].Cond.(*ir.And), set.Policies[1].Cond.(*ir.And)
	if a.List[1] != b.List[1] {
		t.Errorf("%s and %s are two nodes", ir.Dump(a.List[1]), ir.Dump(b.List[1]))
	}
	if a.List[0] == b.List[0] {
		t.Error("different conditions became one node")
	}
}

// Long lists are address groups: they are shared, not merged, and what a policy
// says of one list and the opposite is still found.
func TestLongPrefixListsAreShared(t *testing.T) {
	var list []netip.Prefix
	for i := range 1000 {
		list = append(list, netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), 32))
	}
	src, ok := fact.Lookup("src_ip")
	if !ok {
		t.Fatal("no src_ip")
	}
	long := func() ir.Expr { return &ir.Compare{Attr: src, Op: ir.OpPrefix, Prefixes: list} }
	set, _ := opt.Run(&ir.Set{Policies: []ir.Policy{
		{Name: "both", Cond: and(long(), within("src_ip", "10.0.0.0/8"))},
		{Name: "again", Cond: or(not(long()), within("src_ip", "10.0.0.0/8"))},
		{Name: "never", Cond: and(long(), eq("app", "a"), not(long()))},
	}})
	if len(set.Policies) != 2 {
		t.Fatalf("policies: got %d, want 2", len(set.Policies))
	}
	both, again := set.Policies[0].Cond.(*ir.And), set.Policies[1].Cond.(*ir.Or)
	kept, ok := both.List[0].(*ir.Compare)
	if !ok || len(both.List) != 2 || &kept.Prefixes[0] != &list[0] {
		t.Errorf("the list was copied: %.100s", ir.Dump(both))
	}
	if again.List[0].(*ir.Not).X != ir.Expr(kept) {
		t.Error("the list's comparison is two nodes")
	}
}

// TestMeaningIsKept holds optimised conditions against the plain meaning of
// what they were made from.
func TestMeaningIsKept(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := irtest.Policies(t)
		for i := range in {
			in[i].Name = fmt.Sprint(i)
		}
		set, _ := opt.Run(&ir.Set{Policies: in})
		got := map[string]ir.Expr{}
		for _, p := range set.Policies {
			got[p.Name] = p.Cond
		}
		for range 10 {
			f := irtest.Facts(t)
			for _, p := range in {
				want := irtest.Eval(p.Cond, f, residual)
				cond, kept := got[p.Name]
				if holds := kept && irtest.Eval(cond, f, residual); holds != want {
					t.Fatalf("%s\nbecame %v, which is %t instead of %t for %+v", ir.Dump(p.Cond), cond, holds, want, f)
				}
			}
		}
	})
}

// residual stands in for the expression engine: opt must not care what an
// expression says, only that equal sources say the same.
func residual(source string, f *fact.Facts) bool { return (len(source)+f.SrcPort)%2 == 0 }
