package importer

import (
	"testing"

	"github.com/netpol/netpol/lang/diag"
)

func TestReportEnds(t *testing.T) {
	var r Report
	for range 3 * maxFindings {
		r.Add(New(NeverMatches, diag.Range{}, "nothing"))
	}
	if n := len(r.Findings); n != maxFindings+1 {
		t.Fatalf("findings: got %d, want %d", n, maxFindings+1)
	}
	if last := r.Findings[maxFindings]; last.Code != InputTooLarge {
		t.Errorf("the last one is %v, want %s", last, InputTooLarge)
	}
}
