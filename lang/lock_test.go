package lang

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/netpol/netpol/lang/diag"
	"github.com/netpol/netpol/lang/diag/diagtest"
)

func TestFormatLockIsSortedAndReadsBack(t *testing.T) {
	lock := &Lock{Catalogue: "abc", Labels: []LockedLabel{{Name: "zoom", Bit: 3}, {Name: "np-drop", Bit: 127}, {Name: "b", Bit: 0}}}
	text := FormatLock(lock)
	const want = `# Written by netpol; commit it. Labels on live connections keep their bits
# longer than a ruleset lives, so a bit is never given to another label.

catalogue = "abc"

label "b" {
  bit = 0
}

label "zoom" {
  bit = 3
}

label "np-drop" {
  bit = 127
}
`
	if diff := cmp.Diff(want, string(text)); diff != "" {
		t.Errorf("FormatLock (-want +got):\n%s", diff)
	}
	p, diags := Parse(map[string][]byte{LockName: text}, Options{})
	if len(diags) > 0 {
		t.Fatalf("read back: %v", diags)
	}
	back := &Lock{Catalogue: "abc", Labels: []LockedLabel{{Name: "b", Bit: 0}, {Name: "zoom", Bit: 3}, {Name: "np-drop", Bit: 127}}}
	if diff := cmp.Diff(back, p.Lock, cmpopts.IgnoreTypes(diag.Range{})); diff != "" {
		t.Errorf("read back (-want +got):\n%s", diff)
	}
}

func TestLockMistakes(t *testing.T) {
	src := []byte(`version = 1 # ERROR NP0008: Unknown argument
label "a" {
  bit = 0
}
label "a" { # ERROR NP0011: Duplicate definition
  bit = 1
}
label "b" {
  bit = 0 # ERROR NP0011: Duplicate definition
}
label "c" {
  bit = 128 # ERROR NP0030: Label bit out of range
}
label "d" {
  bit = -1 # ERROR NP0030: Label bit out of range
}
label "e" {
  bit = "x" # ERROR NP0013: Wrong type of value
}
label "f" { # ERROR NP0009: Missing required argument
  bits = 1 # ERROR NP0008: Unknown argument
}
label "g_h" { # ERROR NP0015: Invalid label name
  bit = 9
}
label { # ERROR NP0010: Wrong number of block names
}
policy "x" { # ERROR NP0007: Unknown block type
}
`)
	files := map[string][]byte{LockName: src}
	p, diags := Parse(files, Options{})
	diagtest.Check(t, files, diags)
	if len(p.Lock.Labels) != 1 {
		t.Errorf("labels: got %v, want only a", p.Lock.Labels)
	}
}

func TestFormat(t *testing.T) {
	tests := []struct{ name, in, want, codes string }{
		{"aligns", "policy \"p\" {\ncriteria=\"true\"\n  label    =    \"a\"\n}", "policy \"p\" {\n  criteria = \"true\"\n  label    = \"a\"\n}", ""},
		{"keeps comments", "# a\nlocals { # b\n}\n", "# a\nlocals { # b\n}\n", ""},
		{"leaves a broken file alone", "policy  {\n", "policy  {\n", diag.BadSyntax},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, diags := Format("a.netpol.hcl", []byte(tt.in))
			if string(got) != tt.want || codes(diags) != tt.codes {
				t.Errorf("got %q, %q, want %q, %q", got, codes(diags), tt.want, tt.codes)
			}
		})
	}
}

func TestVars(t *testing.T) {
	const src = `
variable "text" {
  default = "a"
}
variable "list" {
  type    = list
  default = []
}
variable "number" {
  type    = number
  default = 1
}
variable "flag" {
  type = bool
}
policy "p" {
  criteria = "true"
  enabled  = var.flag
  label    = var.text
}
policy "q" {
  criteria = var.list
  label    = "q"
}
`
	tests := []struct {
		name  string
		vars  map[string]string
		codes string
		label string
		count int // criteria of q
	}{
		{"all given", map[string]string{"text": "b", "list": `["true", "false"]`, "flag": "true"}, "", "b", 2},
		{"missing", map[string]string{"list": `["true"]`}, diag.MissingVariable, "a", 1},
		{"undeclared", map[string]string{"list": `["true"]`, "flag": "true", "tex": "b"}, diag.UndefinedVariable, "a", 1},
		{"wrong types", map[string]string{"list": "true", "flag": "maybe"}, diag.WrongValueType + " " + diag.WrongValueType, "a", 0},
		{"large number", map[string]string{"list": `["true"]`, "flag": "true", "text": "b", "number": "1e9999999"}, diag.TooLarge, "b", 1},
		{"hostile list", map[string]string{"list": "[[[[", "flag": "true"}, diag.WrongValueType, "a", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, diags := Parse(map[string][]byte{"a.netpol.hcl": []byte(src)}, Options{Vars: tt.vars})
			if got := codes(diags); got != tt.codes {
				t.Errorf("codes: got %q, want %q: %v", got, tt.codes, diags)
			}
			if got := p.Policies[0].Labels[0].Value; got != tt.label {
				t.Errorf("label: got %q, want %q", got, tt.label)
			}
			if got := len(p.Policies[1].Criteria); got != tt.count {
				t.Errorf("criteria: got %d, want %d", got, tt.count)
			}
		})
	}
}
