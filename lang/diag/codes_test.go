package diag

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

func TestDefinitionsAreSortedUniqueAndWellFormed(t *testing.T) {
	form := regexp.MustCompile(`^NP[0-9]{4}$`)
	summaries := map[string]string{}
	for _, d := range Definitions {
		if !form.MatchString(d.Code) {
			t.Errorf("code %q: want NP and four digits", d.Code)
		}
		if other, ok := summaries[d.Summary]; ok {
			t.Errorf("codes %s and %s share the summary %q", other, d.Code, d.Summary)
		}
		summaries[d.Summary] = d.Code
		if d.Summary == "" || !unicode.IsUpper(rune(d.Summary[0])) || strings.HasSuffix(d.Summary, ".") {
			t.Errorf("code %s: summary %q: want a capital and no full stop", d.Code, d.Summary)
		}
	}
	strictly := func(a, b Definition) int {
		if a.Code == b.Code {
			t.Errorf("code %s is defined twice", a.Code)
		}
		return strings.Compare(a.Code, b.Code)
	}
	if !slices.IsSortedFunc(Definitions, strictly) {
		t.Error("Definitions are not sorted by code")
	}
}

func TestNewFillsSeverityAndSummary(t *testing.T) {
	got := New(MixedAndOr, Range{Filename: "a"}, "detail").WithHint("hint")
	want := Diagnostic{Severity: Warning, Code: "NP0115", Summary: "Mixed and/or", Detail: "detail", Hint: "hint", Subject: Range{Filename: "a"}}
	if got != want {
		t.Errorf("New: got %+v, want %+v", got, want)
	}
}
