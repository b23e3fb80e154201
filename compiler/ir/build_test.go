package ir

import (
	"net/netip"
	"testing"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/lang/diag"
	"github.com/netpol/netpol/lang/fact"
)

func compare(name string, values ...string) Expr {
	a, _ := fact.Lookup(name)
	return &Compare{Attr: a, Op: OpEqual, Strings: values}
}

func TestBuildersFoldAndFlatten(t *testing.T) {
	var at diag.Range
	a, b, c := compare("app", "a"), compare("app", "b"), compare("app", "c")
	yes, no := &Const{Value: true}, &Const{Value: false}
	tests := []struct {
		name string
		in   Expr
		want string
	}{
		{"and", NewAnd(at, a, b), "application in {a} and application in {b}"},
		{"and of and", NewAnd(at, NewAnd(at, a, b), c), "application in {a} and application in {b} and application in {c}"},
		{"or of or", NewOr(at, a, NewOr(at, b, c)), "application in {a} or application in {b} or application in {c}"},
		{"or in and", NewAnd(at, a, NewOr(at, b, c)), "application in {a} and (application in {b} or application in {c})"},
		{"and with true", NewAnd(at, a, yes), "application in {a}"},
		{"and with false", NewAnd(at, a, no), "false"},
		{"or with true", NewOr(at, a, yes), "true"},
		{"or with false", NewOr(at, no, a), "application in {a}"},
		{"empty and", NewAnd(at), "true"},
		{"empty or", NewOr(at), "false"},
		{"not", NewNot(at, a), "not application in {a}"},
		{"not not", NewNot(at, NewNot(at, a)), "application in {a}"},
		{"not true", NewNot(at, yes), "false"},
		{"not or", NewNot(at, NewOr(at, a, b)), "not (application in {a} or application in {b})"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := Dump(tt.in); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestDump(t *testing.T) {
	port, _ := fact.Lookup("dst_port")
	ip, _ := fact.Lookup("local_ip")
	host, _ := fact.Lookup("hostname")
	flag, _ := fact.Lookup("detection_guessed")
	cond := NewAnd(diag.Range{},
		&Compare{Attr: port, Op: OpRange, Ranges: []Interval{{80, 80}, {8000, 8100}}},
		&Compare{Attr: ip, Op: OpPrefix, Prefixes: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}},
		&Compare{Attr: host, Op: OpMatches, Strings: []string{"a, b"}},
		&Compare{Attr: host, Op: OpDomain, Strings: []string{"", "zoom.us"}},
		&Compare{Attr: flag, Op: OpTrue},
		&Residual{Source: "len(hostname) > 3"},
	)
	set := &Set{Policies: []Policy{
		{
			Name: "all", Range: diag.Range{Filename: "a.netpol.hcl", Start: diag.Pos{Line: 3}}, Cond: cond, Labels: []string{"x", "y"},
			Mark: &artifact.Mark{Value: 1, Mask: 255}, DSCP: &DSCP{Name: "cs5", Value: 40}, Verdict: Reject,
		},
		{ID: 1, Name: "none", Cond: &Const{Value: true}},
	}}
	const want = `0 all a.netpol.hcl:3 dst_port in {80, 8000..8100} and local_ip in {10.0.0.0/8} and hostname matches {"a, b"} and hostname under {"", zoom.us} and detection_guessed and {len(hostname) > 3} => label x, label y, mark 0x1/0xff, dscp cs5(40), reject
1 none :0 true => nothing
`
	if got := set.Dump(); got != want {
		t.Errorf("got:\n%swant:\n%s", got, want)
	}
}

func TestWalkVisitsEveryConditionOnce(t *testing.T) {
	var at diag.Range
	e := NewOr(at, NewAnd(at, compare("app", "a"), NewNot(at, compare("app", "b"))), &Residual{}, compare("app", "c"))
	count := 0
	Walk(e, func(Expr) { count++ })
	if count != 7 {
		t.Errorf("visited: got %d, want 7", count)
	}
}

func TestFoldsCase(t *testing.T) {
	for name, want := range map[string]bool{"interface": false, "http_user_agent": true, "app": true} {
		a, _ := fact.Lookup(name)
		if got := FoldsCase(a); got != want {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
}
