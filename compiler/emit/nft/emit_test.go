package nft

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/netpol/netpol/compiler/artifact"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func dscp(v uint8) *uint8 { return &v }

func policy(name string, line int) artifact.Policy {
	return artifact.Policy{Name: name, File: "main.netpol.hcl", Line: line}
}

var seen = artifact.Label{Name: "np-seen", Bit: 0, Auto: true}

// cases are the inputs of the golden and of the nft tests.
func cases() map[string]Input {
	zoom := artifact.Label{Name: "zoom", Bit: 1}
	bulk := artifact.Label{Name: "bulk", Bit: 127}
	drop := artifact.Label{Name: "np-drop", Bit: 33, Auto: true}
	defaults := artifact.Settings{LogGroup: 4788, InspectPacket: 32, DoneMark: 0x80000000, Priority: 10}
	return map[string]Input{
		"empty": {Settings: defaults, InitLabel: seen},
		"zoom": {Settings: defaults, InitLabel: seen, Effects: []Effect{
			{Policy: policy("prioritize-zoom", 1), Label: zoom, DSCP: dscp(40)},
		}},
		"all": {
			Settings: artifact.Settings{LogGroup: 7, InspectPacket: 8, DoneMark: 0x100, Priority: -5}, InitLabel: seen,
			Effects: []Effect{
				{Policy: policy("calls", 1), Label: zoom, DSCP: dscp(46), Verdict: "accept"},
				{Policy: policy("bulk", 9), Label: bulk, DSCP: dscp(8)},
				{Policy: policy("again", 12), Label: bulk, DSCP: dscp(8), Verdict: "reject"},
				{Policy: policy("shadowed", 15), Label: zoom, DSCP: dscp(0), Verdict: "drop"},
				{Policy: policy("odd", 20), Label: drop, DSCP: dscp(63), Verdict: "drop"},
			},
		},
		"hostile": {
			Settings:  defaults,
			InitLabel: artifact.Label{Name: "x\" ; } flush ruleset", Bit: 3},
			Effects: []Effect{{
				Policy: artifact.Policy{Name: "x\"; }\nflush ruleset; \x1b[2J\\" + strings.Repeat("é", 200), File: "a\"b.hcl", Line: 3},
				Label:  zoom, DSCP: dscp(10), Verdict: "reject",
			}},
		},
	}
}

func TestTextGolden(t *testing.T) {
	for name, in := range cases() {
		t.Run(name, func(t *testing.T) {
			labels := []artifact.Label{in.InitLabel}
			for _, e := range in.Effects {
				labels = append(labels, e.Label)
			}
			got := Text(Emit(in), labels)
			path := filepath.Join("testdata", name+".nft")
			if *update {
				if err := os.WriteFile(path, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Errorf("text differs from %s (-want +got):\n%s", path, diff)
			}
		})
	}
}

func TestEmitIsDeterministic(t *testing.T) {
	for name, in := range cases() {
		if diff := cmp.Diff(Emit(in), Emit(in)); diff != "" {
			t.Errorf("%s: two runs differ:\n%s", name, diff)
		}
	}
}

func TestRuleIDsAreUnique(t *testing.T) {
	for name, in := range cases() {
		seen := make(map[string]bool)
		for _, c := range Emit(in).Chains {
			for _, r := range c.Rules {
				if seen[r.ID] {
					t.Errorf("%s: rule ID %q twice", name, r.ID)
				}
				seen[r.ID] = true
			}
		}
	}
}

// A name must never end the string or the line it stands in.
func TestTextHoldsNoForeignSyntax(t *testing.T) {
	text := Text(Emit(cases()["hostile"]), []artifact.Label{{Name: "a\nflush ruleset", Bit: 1}})
	for line := range bytes.Lines(text) {
		if bytes.Contains(line, []byte("flush ruleset")) {
			if comment := bytes.IndexAny(line, "\"#"); comment < 0 || comment > bytes.Index(line, []byte("flush ruleset")) {
				t.Errorf("statement made of a name: %s", line)
			}
		}
		if n := bytes.Count(line, []byte{'"'}); n%2 != 0 {
			t.Errorf("unbalanced quotes: %s", line)
		}
		if bytes.ContainsAny(line, "\x1b\\") {
			t.Errorf("control character or backslash: %q", line)
		}
	}
}
