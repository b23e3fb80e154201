package view

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"

	"github.com/netpol/netpol/compiler/lint"
	"github.com/netpol/netpol/lang/diag"
)

// hostile is a report whose texts hold everything that could end a field of
// some format.
func hostile() LintReport {
	rule, _ := lint.Find("shadowed-policy")
	at := diag.Range{Filename: "dir with space/a,b:c%.netpol.hcl", Start: diag.Pos{Line: 3, Column: 5, Byte: 40}, End: diag.Pos{Line: 3, Column: 9, Byte: 44}}
	bad := "quotes \" ' brackets ]]> <b> & percent % line\nbreak :: \x1b[31m red"
	return LintReport{
		Findings: []lint.Finding{
			{
				Rule: rule, Severity: diag.Warning, Subject: at, Policy: "p", Detail: bad, Hint: bad,
				Witness: []lint.Value{{Attribute: "hostname", Value: "'" + bad + "'"}}, Related: []lint.Related{{Range: at, Text: bad}},
			},
			{Rule: rule, Severity: diag.Warning, Subject: at, Policy: "p", Detail: bad, Hint: bad},
			{Rule: lint.Rule{ID: "NP0002", Summary: "Unreadable file"}, Severity: diag.Error, Detail: bad},
		},
		Unproven: []string{bad},
		Fixed:    2,
	}
}

func written(t *testing.T, format string, r LintReport) []byte {
	t.Helper()
	for _, f := range LintFormats() {
		if f.Name == format {
			var out bytes.Buffer
			if err := f.Write(&out, r, func(string) []byte { return nil }, Style{}); err != nil {
				t.Fatal(err)
			}
			return out.Bytes()
		}
	}
	t.Fatalf("no format %s", format)
	return nil
}

func TestSARIFFollowsTheSchema(t *testing.T) {
	for name, r := range map[string]LintReport{"hostile": hostile(), "empty": {}} {
		t.Run(name, func(t *testing.T) {
			log, err := sarif.FromBytes(written(t, "sarif", r))
			if err != nil {
				t.Fatal(err)
			}
			// What the library's structs have and we do not write is empty, and empty
			// is not allowed.
			run := log.Runs[0]
			run.Language, run.Tool.Driver.Language, run.NewlineSequences = "en-US", "en-US", []string{"\n"}
			if err := log.Validate(); err != nil {
				t.Error(err)
			}
			if got := len(log.Runs[0].Results); got != len(r.Findings) {
				t.Errorf("results: got %d, want %d", got, len(r.Findings))
			}
			for _, result := range log.Runs[0].Results {
				if rule := log.Runs[0].Tool.Driver.Rules[result.RuleIndex]; *rule.ID != *result.RuleID {
					t.Errorf("ruleIndex of %s leads to %s", *result.RuleID, *rule.ID)
				}
			}
		})
	}
}

func TestXMLFormatsAreWellFormed(t *testing.T) {
	for _, format := range []string{"junit", "checkstyle"} {
		for d := xml.NewDecoder(bytes.NewReader(written(t, format, hostile()))); ; {
			_, err := d.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", format, err)
			}
		}
	}
}

func TestLineFormatsKeepToTheirLines(t *testing.T) {
	for format, want := range map[string]int{"github": 3, "compact": 3} {
		got := strings.Count(string(written(t, format, hostile())), "\n")
		if got != want {
			t.Errorf("%s: got %d lines, want %d", format, got, want)
		}
	}
	line, _, _ := strings.Cut(string(written(t, "github", hostile())), "\n")
	properties, _, _ := strings.Cut(strings.TrimPrefix(line, "::warning "), "::")
	if n := strings.Count(properties, ","); n != 5 {
		t.Errorf("github: %d commas between the properties, want 5: %s", n, properties)
	}
}

func TestGitLabFingerprintsDiffer(t *testing.T) {
	var issues []struct {
		Fingerprint string `json:"fingerprint"`
	}
	if err := json.Unmarshal(written(t, "gitlab", hostile()), &issues); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, i := range issues {
		if seen[i.Fingerprint] {
			t.Errorf("fingerprint %s occurs twice", i.Fingerprint)
		}
		seen[i.Fingerprint] = true
	}
	if len(seen) != 3 {
		t.Errorf("got %d issues, want 3", len(seen))
	}
}

func TestTextShowsNoControlCharacters(t *testing.T) {
	for _, format := range []string{"text", "compact", "github"} {
		if bytes.Contains(written(t, format, hostile()), []byte("\x1b")) {
			t.Errorf("%s: an escape sequence of the input reaches the terminal", format)
		}
	}
}
