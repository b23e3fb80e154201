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
				h.add(ir.Policy{}, cond)
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

func TestPolicyBehindItsHaltIsNamed(t *testing.T) {
	halting := func(criteria string) string {
		return "policy \"first\" {\n  criteria = \"" + criteria + "\"\n  halt = true\n}\n"
	}
	tests := []struct {
		name, halt, criteria string
		want                 string
	}{
		{"everything", "true", "app == 'zoom'", diag.ConstantCondition},
		{"the same", "app == 'zoom'", "app == 'zoom'", diag.ConstantCondition},
		{"one of several", "app in ['teams', 'zoom']", "app == 'zoom' and dst_port == 1", diag.ConstantCondition},
		{"one branch", "dst_port == 53 or app in ['teams', 'zoom']", "app == 'zoom'", diag.ConstantCondition},
		{"larger block", "local_ip in '10.0.0.0/8'", "local_ip in ['10.1.0.0/16', '10.2.0.1']", diag.ConstantCondition},
		{"larger range", "dst_port < 1024", "dst_port in [22, 80..90]", diag.ConstantCondition},
		{"smaller block", "local_ip in '10.1.0.0/16'", "local_ip in '10.0.0.0/8'", ""},
		{"more than it", "app == 'zoom'", "app in ['teams', 'zoom']", ""},
		{"another attribute", "src_port == 53", "dst_port == 53", ""},
		{"narrower by a second condition", "app == 'zoom' and dst_port == 1", "app == 'zoom'", ""},
		{"alternatives", "app == 'zoom'", "app == 'zoom' or dst_port == 53", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := halting(tt.halt) + "policy \"second\" {\n  criteria = \"" + tt.criteria + "\"\n  label = \"a\"\n}\n"
			p, _ := lang.Parse(map[string][]byte{"a.netpol.hcl": []byte(in)}, lang.Options{})
			set, diags := Resolve(p, catalogue())
			got := ""
			if len(diags) > 0 {
				got = diags[0].Code
			}
			if got != tt.want || len(diags) > 1 {
				t.Fatalf("code: got %q, want %q: %v", got, tt.want, diags)
			}
			if tt.want != "" && (len(set.Policies) != 1 || !strings.Contains(diags[0].Detail, `"first" at a.netpol.hcl:1:1`)) {
				t.Errorf("got %d policies and %v", len(set.Policies), diags)
			}
		})
	}
}
