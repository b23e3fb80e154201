package lang

import (
	"fmt"
	"strings"
	"testing"

	"github.com/netpol/netpol/lang/diag"
)

func TestMistakesEnd(t *testing.T) {
	many := func(format string) string {
		var b strings.Builder
		for i := range 3 * maxMistakes {
			fmt.Fprintf(&b, format, i)
		}
		return b.String()
	}
	tests := []struct{ name, in string }{
		{"blocks", many("x%d {}\n")},
		{"arguments", "policy \"p\" {\n criteria = \"true\"\n label = \"a\"\n" + many(" a%d = 1\n") + "}\n"},
		{"locals", "locals {\n" + many(" a%d = local.z\n") + "}\n"},
		{"variables", many("variable \"v%d\" {}\n")},
		{"policies", many("policy \"p%d\" {\n label = 5\n}\n")},
		{"criteria", "policy \"p\" {\n label = \"a\"\n criteria = [" + many("%d,") + "]\n}\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, diags := Parse(map[string][]byte{"a.netpol.hcl": []byte(tt.in)}, Options{})
			if len(diags) < maxMistakes || len(diags) > maxMistakes+10 {
				t.Fatalf("mistakes: got %d, want about %d", len(diags), maxMistakes)
			}
			told := 0
			for _, d := range diags {
				if d.Code == diag.TooLarge {
					told++
				}
			}
			if told != 1 {
				t.Errorf("the end was told %d times, want once", told)
			}
		})
	}
}
