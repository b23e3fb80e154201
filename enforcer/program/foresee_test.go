package program_test

import (
	"testing"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/program"
	"github.com/netpol/netpol/lang/fact"
)

// TestPossible: what is not known yet may come out either way, within groups and
// without; what is known decides.
func TestPossible(t *testing.T) {
	const (
		port = artifact.Literal(iota) // dst_port in 443
		zoom                          // application is zoom
		both                          // port and zoom
		one                           // port or zoom
	)
	tests := []artifact.Test{
		{Op: artifact.TestRange, Attribute: "dst_port", Ranges: []artifact.Range{{Low: 443, High: 443}}},
		{Op: artifact.TestEqual, Attribute: "application", Text: []string{"zoom"}},
		{Op: artifact.TestAll, Of: []artifact.Literal{port, zoom}},
		{Op: artifact.TestAny, Of: []artifact.Literal{port, zoom}},
	}
	cases := []struct {
		name    string
		clauses [][]artifact.Literal
		at      int  // the flow's port
		open    bool // while the application is not known
		known   bool // once it is known to be another
	}{
		{"a name", [][]artifact.Literal{{zoom}}, 443, true, false},
		{"no name", [][]artifact.Literal{{^zoom}}, 443, true, true},
		{"name and port", [][]artifact.Literal{{zoom, port}}, 443, true, false},
		{"name and another port", [][]artifact.Literal{{zoom, port}}, 80, false, false},
		{"one of two clauses", [][]artifact.Literal{{zoom, port}, {zoom}}, 80, true, false},
		{"all", [][]artifact.Literal{{both}}, 443, true, false},
		{"all, another port", [][]artifact.Literal{{both}}, 80, false, false},
		{"not all", [][]artifact.Literal{{^both}}, 443, true, true},
		{"any, by the port", [][]artifact.Literal{{one}}, 443, true, true},
		{"any, another port", [][]artifact.Literal{{one}}, 80, true, false},
		{"none, by the port", [][]artifact.Literal{{^one}}, 443, false, false},
		{"none, another port", [][]artifact.Literal{{^one}}, 80, true, true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			b := &artifact.Bundle{ABI: fact.ABI(), Policies: make([]artifact.Policy, 1), Program: artifact.Program{
				Engine: artifact.Engine, Tests: tests, Effects: make([]artifact.Effect, 1),
			}}
			for _, literals := range c.clauses {
				b.Program.Clauses = append(b.Program.Clauses, artifact.Clause{Access: artifact.NoAccess, If: literals})
			}
			p, err := program.Load(b)
			if err != nil {
				t.Fatal(err)
			}
			all := func(int) bool { return true }
			f := &fact.Facts{DstPort: c.at, Application: "teams"}
			m := p.NewMachine()
			if got := m.Possible(f, p.Foresee(all, func(a fact.Attribute) bool { return !a.FromHeaders() })); got != c.open {
				t.Errorf("not known yet: got %v, want %v", got, c.open)
			}
			if got := m.Possible(f, p.Foresee(all, func(fact.Attribute) bool { return false })); got != c.known {
				t.Errorf("known: got %v, want %v", got, c.known)
			}
			if p.Foresee(func(int) bool { return false }, nil) != nil {
				t.Error("without policies there is something to ask")
			}
		})
	}
}
