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
		if r.Name == "" || r.Doc == "" || r.Score <= 0 || r.Client < 0 || r.Client > 100 {
			t.Errorf("without a name, sentence or score: %+v", r)
		}
	}
}

func TestRiskScores(t *testing.T) {
	for list, want := range map[string][3]int{
		"":            {0, 0, 0},
		"missing_sni": {50, 25, 25},
		"missing_sni,tls_cert_expired,tls_weak_cipher": {250, 125, 125},
		"no_such_risk": {0, 0, 0},
	} {
		score, client, server := RiskScores(list)
		if got := [3]int{score, client, server}; got != want {
			t.Errorf("%q: got %v, want %v", list, got, want)
		}
	}
	if n := testing.AllocsPerRun(10, func() { RiskScores("missing_sni,tls_weak_cipher") }); n != 0 {
		t.Errorf("%v allocations", n)
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
