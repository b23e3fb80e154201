package fact

import (
	"slices"
	"testing"
)

func TestRisksAreSortedAndDocumented(t *testing.T) {
	if names := riskNames(); !slices.IsSorted(names) {
		t.Errorf("not sorted: %v", names)
	}
	for _, r := range Risks {
		if r.Name == "" || r.Doc == "" {
			t.Errorf("without a name or sentence: %+v", r)
		}
	}
}

func TestSetRisk(t *testing.T) {
	var list string
	SetRisk(&list, RiskWeakCipher, true)
	SetRisk(&list, RiskMissingSNI, true)
	SetRisk(&list, RiskWeakCipher, true)
	if want := "missing_sni,tls_weak_cipher"; list != want {
		t.Errorf("added: got %q, want %q", list, want)
	}
	SetRisk(&list, RiskMissingSNI, false)
	SetRisk(&list, RiskSelfSigned, false)
	if want := "tls_weak_cipher"; list != want || !HasRisk(list, RiskWeakCipher) || HasRisk(list, RiskMissingSNI) {
		t.Errorf("taken back: got %q, want %q", list, want)
	}
	if n := testing.AllocsPerRun(10, func() { SetRisk(&list, RiskWeakCipher, true); SetRisk(&list, RiskMissingSNI, false) }); n != 0 {
		t.Errorf("%v allocations without a change", n)
	}
	SetRisk(&list, RiskWeakCipher, false)
	if list != "" {
		t.Errorf("all taken back: left %q", list)
	}
}
