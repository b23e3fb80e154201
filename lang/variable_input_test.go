package lang

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"github.com/netpol/netpol/lang/diag"
)

func mkfifo(t *testing.T, name string) {
	t.Helper()
	if err := syscall.Mkfifo(name, 0o600); err != nil {
		t.Fatal(err)
	}
}

const declared = `
variable "a" { default = "default" }
variable "n" {
  type    = number
  default = 0
}
variable "nets" {
  type    = map(object({ net = string, ports = list(number) }))
  default = {}
}
locals { out = "${var.a} ${var.n} ${length(var.nets)}" }
`

// What is said last counts: files by name, then --var-file, then --var.
func TestVariableFiles(t *testing.T) {
	tests := []struct {
		name   string
		files  map[string]string
		given  []string
		vars   map[string]string
		want   string
		wanted string // codes
	}{
		{"defaults", nil, nil, nil, "default 0 0", ""},
		{"file", map[string]string{"x.auto.npvars.hcl": "a = \"file\"\nn = \"7\"\n"}, nil, nil, "file 7 0", ""},
		{"two files", map[string]string{"1.auto.npvars.hcl": "a = \"1\"\nn = 1\n", "2.auto.npvars.hcl": "a = \"2\"\n"}, nil, nil, "2 1 0", ""},
		{"all", map[string]string{"1.auto.npvars.hcl": "a = \"1\"\nn = 1\n"}, []string{"n = 2\na = \"x\"", "n = 3"}, map[string]string{"a": "var"}, "var 3 0", ""},
		{"objects", map[string]string{"1.auto.npvars.hcl": "nets = { k = { net = \"10.0.0.0/8\", ports = range(2) } }\n"}, nil, nil, "default 0 1", ""},
		{"map on the command line", nil, nil, map[string]string{"nets": `{ k = { net = "10.0.0.0/8", ports = [1] } }`}, "default 0 1", ""},
		{"wrong type", map[string]string{"1.auto.npvars.hcl": "n = \"x\"\nnets = { k = 1 }\n"}, nil, nil, "", diag.WrongValueType + " " + diag.WrongValueType},
		{"wrong type on the command line", nil, nil, map[string]string{"nets": `{ k = 1 }`}, "", diag.WrongValueType},
		{"unknown", map[string]string{"1.auto.npvars.hcl": "aa = 1\n"}, nil, nil, "default 0 0", diag.UndefinedVariable},
		{"null", map[string]string{"1.auto.npvars.hcl": "a = null\n"}, nil, nil, "", diag.WrongValueType},
		{"no values", map[string]string{"1.auto.npvars.hcl": "variable \"x\" {}\na = var.n\n"}, nil, nil, "", diag.UnknownBlock + " " + diag.InvalidExpression},
		{"broken", map[string]string{"1.auto.npvars.hcl": "n = 1\na = [\n"}, nil, nil, "", diag.BadSyntax},
		{"below the directory", map[string]string{"sub/1.auto.npvars.hcl": "a = 1\n"}, nil, nil, "default 0 0", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			files := map[string][]byte{"a.netpol.hcl": []byte(declared + "policy \"p\" {\n criteria = \"http_user_agent == ${local.out}\"\n label = \"a\"\n}\n")}
			for name, text := range tt.files {
				files[name] = []byte(text)
			}
			opts := Options{Vars: tt.vars}
			for i, text := range tt.given {
				opts.VarFiles = append(opts.VarFiles, VarFile{Name: "/given" + string(rune('0'+i)), Data: []byte(text)})
			}
			p, diags := Parse(files, opts)
			if got := codes(diags); got != tt.wanted {
				t.Errorf("codes: got %q, want %q: %v", got, tt.wanted, diags)
			}
			got := ""
			if c := p.Policies[0].Criteria; len(c) > 0 {
				got = strings.Trim(strings.TrimPrefix(c[0].Text, "http_user_agent == "), "'")
			}
			if got != tt.want {
				t.Errorf("values: got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestParseDirReadsVariableFiles(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a.netpol.hcl", declared+good)
	write(t, dir, "b.auto.npvars.hcl", "n = \"x\"\n")
	write(t, dir, "given.hcl", "a = 5\n")
	f, err := ReadVarFile(filepath.Join(dir, "given.hcl"))
	if err != nil {
		t.Fatal(err)
	}
	p, diags := ParseDir(dir, Options{VarFiles: []VarFile{f}})
	if got := codes(diags); got != diag.WrongValueType || diags[0].Subject.Filename != "b.auto.npvars.hcl" || p.Source(f.Name) == nil {
		t.Errorf("got %v", diags)
	}
	if _, err := ReadVarFile(filepath.Join(dir, "none")); !os.IsNotExist(err) {
		t.Errorf("error: got %v", err)
	}
}

func TestVariableTypes(t *testing.T) {
	tests := []struct{ typ, value, want string }{
		{"string", `5`, `"5"`},
		{"number", `"5"`, `5`},
		{"bool", `"true"`, `true`},
		{`"list"`, `["a", 1]`, `["a","1"]`},
		{"list(number)", `["1", 2]`, `[1,2]`},
		{"set", `["b", "a", "b"]`, `["a","b"]`},
		{"map", `{ a = 1 }`, `{"a":"1"}`},
		{"map(list(string))", `{ a = [1] }`, `{"a":["1"]}`},
		{"object({ a = string, b = optional(number) })", `{ a = 1, b = "2" }`, `{"a":"1","b":2}`},
		{"object({ a = string, b = number })", `{ a = 1, b = "2" }`, `{"a":"1","b":2}`},
		{"any", `{ a = [1, "x"] }`, `{"a":[1,"x"]}`},
		{"list(any)", `[1]`, ""},
		{"strnig", `"a"`, ""},
		{"list(5)", `["a"]`, ""},
	}
	for _, tt := range tests {
		t.Run(tt.typ, func(t *testing.T) {
			d := &decoder{out: &Policy{}, scope: newScope(), defined: map[string]diag.Range{}, work: baseWork}
			d.declare(d.parseFile("a.netpol.hcl", []byte("variable \"v\" {\n  type = "+tt.typ+"\n  default = "+tt.value+"\n}\n")))
			d.evaluate(nil)
			if tt.want == "" {
				if got := codes(d.diags); got != diag.InvalidVariableType {
					t.Errorf("codes: got %q, want %q", got, diag.InvalidVariableType)
				}
				return
			}
			v := d.vars["v"].value
			data, err := ctyjson.Marshal(v, v.Type())
			if diff := cmp.Diff(tt.want, string(data)); diff != "" || err != nil || len(d.diags) > 0 {
				t.Errorf("value (-want +got):\n%s%v %v", diff, err, d.diags)
			}
		})
	}
}
