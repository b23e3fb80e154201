package lang

import (
	"strings"
	"testing"

	"github.com/netpol/netpol/lang/diag"
)

func TestModuleForEach(t *testing.T) {
	const branches = "locals {\n nets = { north = \"10.1.0.0/16\", \"south 2\" = \"10.2.0.0/16\" }\n}\n"
	const block = "module \"branch\" {\n for_each = local.nets\n source = \"./lib/camera\"\n net = each.value\n apps = [each.key]\n}\n"
	tests := []struct {
		name        string
		files       map[string]string
		want, codes string
	}{
		{"a map", map[string]string{
			"a.netpol.hcl": branches + block, "lib/camera/m.netpol.hcl": camera,
		}, "branch(north)/block branch(south 2)/block", ""},
		{"a list, and policies of more than one element", map[string]string{
			"a.netpol.hcl":   "module \"m\" {\n for_each = [\"a\", \"b\"]\n source = \"./m\"\n v = each.value\n}\n",
			"m/m.netpol.hcl": "variable \"v\" {}\npolicy \"p\" {\n for_each = [var.v, \"x\"]\n criteria = \"hostname == ${each.value}\"\n label = \"a\"\n}\n",
		}, "m(a)/p(a) m(a)/p(x) m(b)/p(b) m(b)/p(x)", ""},
		{"inside of another", map[string]string{
			"a.netpol.hcl":     "module \"m\" {\n for_each = [\"a\", \"b\"]\n source = \"./m\"\n}\n",
			"m/m.netpol.hcl":   "module \"n\" {\n for_each = [\"c\"]\n source = \"./n\"\n v = each.key\n}\n",
			"m/n/n.netpol.hcl": "variable \"v\" {}\npolicy \"p\" {\n criteria = \"hostname == ${var.v}\"\n label = \"a\"\n}\n",
		}, "m(a)/n(c)/p m(b)/n(c)/p", ""},
		{"nothing", map[string]string{
			"a.netpol.hcl": "module \"m\" {\n for_each = []\n source = \"./m\"\n}\n", "m/m.netpol.hcl": good,
		}, "", ""},
		{"each ends at the module's border", map[string]string{
			"a.netpol.hcl":   "module \"m\" {\n for_each = [\"a\"]\n source = \"./m\"\n}\n",
			"m/m.netpol.hcl": "locals { x = each.key }\n" + good,
		}, "m(a)/p", diag.InvalidExpression},
		{"keys that are no part of a name", map[string]string{
			"a.netpol.hcl": "module \"m\" {\n for_each = [\"a/b\", \"a,b\", \"\", \"ä\", \"fine\"]\n source = \"./m\"\n}\n", "m/m.netpol.hcl": good,
		}, "m(fine)/p", strings.TrimSpace(strings.Repeat(diag.InvalidName+" ", 4))},
		{"names that grow too long", map[string]string{
			"a.netpol.hcl": "module \"m\" {\n for_each = [\"" + strings.Repeat("k", 126) + "\"]\n source = \"./m\"\n}\n", "m/m.netpol.hcl": good,
		}, "m(" + strings.Repeat("k", 126) + ")/p", diag.InvalidName},
		{"twice the same, and no list", map[string]string{
			"a.netpol.hcl":   "module \"m\" {\n for_each = [\"a\", \"a\"]\n source = \"./m\"\n}\nmodule \"n\" {\n for_each = 5\n source = \"./m\"\n}\n",
			"m/m.netpol.hcl": good,
		}, "m(a)/p", diag.Duplicate + " " + diag.WrongValueType},
		{"schedules are the module's own", map[string]string{
			"a.netpol.hcl":   "schedule \"s\" {\n days = \"mon\"\n}\nmodule \"m\" {\n for_each = [\"mon\", \"tue\"]\n source = \"./m\"\n day = each.key\n}\n",
			"m/m.netpol.hcl": "variable \"day\" {}\nschedule \"s\" {\n days = [var.day]\n}\n" + good,
		}, "m(mon)/p m(tue)/p", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			files := map[string][]byte{}
			for name, text := range tt.files {
				files[name] = []byte(text)
			}
			p, diags := Parse(files, Options{})
			if got := codes(diags); got != tt.codes {
				t.Errorf("codes: got %q, want %q: %v", got, tt.codes, diags)
			}
			if got := names(p); got != tt.want {
				t.Errorf("policies: got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestSchedulesAreBounded(t *testing.T) {
	hour := `"01:00-02:00", `
	day := `"2026-01-01", `
	tests := []struct{ name, in, want string }{
		{"hours", "schedule \"s\" {\n hours = [" + strings.Repeat(hour, maxHours+1) + "]\n}\n", diag.TooLarge},
		{"dates", "schedule \"s\" {\n dates = [" + strings.Repeat(day, maxDates+1) + "]\n}\n", diag.TooLarge},
		{"all together", "module \"m\" {\n for_each = [for n in range(1000) : \"n${n}\"]\n source = \"./m\"\n}\n", diag.TooLarge},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			module := "schedule \"s\" {\n hours = [" + hour + hour + "]\n}\n"
			_, diags := Parse(map[string][]byte{"a.netpol.hcl": []byte(tt.in), "m/m.netpol.hcl": []byte(module)}, Options{})
			if got := codes(diags); got != tt.want {
				t.Errorf("got %q, want %q: %v", got, tt.want, diags)
			}
		})
	}
}
