package view

import (
	"strings"
	"testing"
)

// TestBegunRepository: the next steps are those that the files have something for.
func TestBegunRepository(t *testing.T) {
	for _, c := range []struct {
		files []string
		want  string
	}{
		{[]string{"policies/main.netpol.hcl", "policies/main.nptest.hcl"}, "Next: netpol validate net/policies, netpol test net/policies, and git init.\n"},
		{[]string{"policies/main.netpol.hcl"}, "Next: netpol validate net/policies, netpol lint net/policies, and git init.\n"},
	} {
		var out strings.Builder
		if err := BegunRepository(&out, Begun{Dir: "net", Policies: "net/policies", Files: c.files}, false); err != nil || !strings.HasSuffix(out.String(), c.want) {
			t.Errorf("%q: got %q, %v", c.files, out.String(), err)
		}
	}
}
