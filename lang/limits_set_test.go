package lang

import (
	"fmt"
	"strings"
	"testing"

	"github.com/netpol/netpol/lang/diag"
)

// TestSetsAreBounded wants one word about a set that is too much, and what
// comes before it read.
func TestSetsAreBounded(t *testing.T) {
	lines := func(from, to int, format string) string {
		var b strings.Builder
		for i := from; i < to; i++ {
			fmt.Fprintf(&b, format, i)
		}
		return b.String()
	}
	const policy = "policy \"p%d\" {\n mark = 1\n criteria = \"true\"\n}\n"
	const local = "locals {\n a%d = [1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]\n}\n"
	many := map[string][]byte{"z.netpol.hcl": []byte(lines(0, 1, policy))}
	for i := range 7 {
		many[fmt.Sprintf("%d.netpol.hcl", i)] = []byte(lines(3500*i, 3500*(i+1), local))
	}
	tests := []struct {
		name     string
		files    map[string][]byte
		policies int
		errors   int
	}{
		{"as many policies as may be", map[string][]byte{"a.netpol.hcl": []byte(lines(0, 9000, policy)), "b.netpol.hcl": []byte(lines(9000, maxPolicies, policy))}, maxPolicies, 0},
		{"more policies", map[string][]byte{"a.netpol.hcl": []byte(lines(0, 9000, policy)), "b.netpol.hcl": []byte(lines(9000, maxPolicies+5, policy))}, maxPolicies, 1},
		{"words in many files", many, 0, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, diags := Parse(tt.files, Options{})
			large := 0
			for _, d := range diags {
				if d.Code == diag.TooLarge {
					large++
				}
			}
			if len(p.Policies) != tt.policies || large != tt.errors {
				t.Errorf("got %d policies and %d times too large, want %d and %d: %.300v", len(p.Policies), large, tt.policies, tt.errors, diags)
			}
		})
	}
}
