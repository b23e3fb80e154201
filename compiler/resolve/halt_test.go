package resolve

import (
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/netpol/netpol/compiler/internal/irtest"
	"github.com/netpol/netpol/compiler/ir"
	"github.com/netpol/netpol/lang"
	"github.com/netpol/netpol/lang/diag"
	"github.com/netpol/netpol/lang/fact"
)

// A policy applies to a flow iff its own condition holds and no earlier policy
// that halts applied.
func TestHaltMeansFirstMatch(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		run := func(source string, f *fact.Facts) bool { return len(source)%2 == 0 }
		r := &resolver{}
		var h halts
		var own, got []ir.Expr
		var halting []bool
		for range rapid.IntRange(2, 8).Draw(t, "policies") {
			cond := irtest.Expr(t, 2)
			own = append(own, cond)
			got = append(got, r.leaveAlone(ir.Policy{Cond: cond}, nil, &h))
			stop := rapid.Bool().Draw(t, "halt")
			halting = append(halting, stop)
			if stop {
				h.add(cond)
			}
		}
		for range 20 {
			f := irtest.Facts(t)
			over := false
			for i, e := range own {
				want := !over && irtest.Eval(e, f, run)
				if irtest.Eval(got[i], f, run) != want {
					t.Fatalf("policy %d, %s: got %v, want %v", i, ir.Dump(got[i]), !want, want)
				}
				over = over || want && halting[i]
			}
		}
	})
}

func TestHaltIsBounded(t *testing.T) {
	policies := func(n int, criteria string) string {
		return "policy \"p\" {\n  for_each = range(" + strconv.Itoa(n) + ")\n  criteria = \"" + criteria + "\"\n  label = \"a\"\n  halt = true\n}\n"
	}
	tests := []struct {
		name, in string
		want     string
	}{
		{"different ports", policies(1000, "dst_port == ${each.value}"), ""},
		{"first match", policies(100, "src_port != ${each.value}"), ""},
		{"too many", policies(1000, "src_port != ${each.value}"), diag.TooComplex},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, diags := lang.Parse(map[string][]byte{"a.netpol.hcl": []byte(tt.in)}, lang.Options{})
			if diags.HasErrors() {
				t.Fatal(diags)
			}
			_, diags = Resolve(p, catalogue())
			if got := strings.Join(codes(diags), " "); got != tt.want {
				t.Errorf("codes: got %q, want %q", got, tt.want)
			}
		})
	}
}
