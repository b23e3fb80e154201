package lintconfig

import (
	"strings"
	"testing"

	"github.com/netpol/netpol/lang/diag/diagtest"
)

func TestParse(t *testing.T) {
	const src = `
minimum_failure_severity = "error"

rule "idle-label" {
  level = "off"
}

rule "NP0550" {
  networks = ["10.0.0.0/8", "192.168.1.0/24"]
  ports    = 22
}
`
	c, diags := Parse(Name, []byte(src))
	if len(diags) > 0 {
		t.Fatal(diags)
	}
	if c.MinimumFailureSeverity.Value != "error" || len(c.Rules) != 2 {
		t.Fatalf("got %+v", c)
	}
	if r := c.Rules[0]; r.Name.Value != "idle-label" || r.Level.Value != "off" || len(r.Options) != 0 || r.Range.Start.Line != 4 {
		t.Errorf("got %+v", r)
	}
	options := map[string][]string{}
	for _, o := range c.Rules[1].Options {
		for _, v := range o.Values {
			options[o.Name] = append(options[o.Name], v.Value)
		}
	}
	if got := strings.Join(options["networks"], " "); got != "10.0.0.0/8 192.168.1.0/24" {
		t.Errorf("networks: got %s", got)
	}
	if got := strings.Join(options["ports"], " "); got != "22" {
		t.Errorf("ports: got %s", got)
	}
}

func TestParseReports(t *testing.T) {
	const src = `x = 1 # ERROR NP0008: Unknown argument
policy "p" {} # ERROR NP0007: Unknown block type
rule {} # ERROR NP0010: Wrong number of block names
rule "a" {
  level = var.x # ERROR NP0024: Invalid expression
  inner {} # ERROR NP0007: Unknown block type
  list  = [[1]] # ERROR NP0013: Wrong type of value
}
`
	_, diags := Parse(Name, []byte(src))
	diagtest.Check(t, map[string][]byte{Name: []byte(src)}, diags)
}

func TestParseSurvivesNesting(t *testing.T) {
	_, diags := Parse(Name, []byte("a = "+strings.Repeat("[", 30000)))
	if !diags.HasErrors() {
		t.Error("deep nesting was not reported")
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("rule \"a\" {\n  level = \"off\"\n}\n"))
	f.Add([]byte("minimum_failure_severity = [1]"))
	f.Fuzz(func(t *testing.T, src []byte) {
		if c, _ := Parse(Name, src); c == nil {
			t.Fatal("no config")
		}
	})
}
