package lang

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	ctyjson "github.com/zclconf/go-cty/cty/json"

	"github.com/netpol/netpol/lang/diag"
)

// evaluateOne evaluates one expression beside some locals.
func evaluateOne(expr string) (string, diag.List) {
	src := "locals {\n  words = [\"b\", \"a\", \"b\"]\n  map = { x = 1, y = 2 }\n  result = " + expr + "\n}\n"
	d := &decoder{out: &Policy{}, scope: newScope(), defined: map[string]diag.Range{}, work: baseWork}
	d.declare(d.parseFile("a.netpol.hcl", []byte(src)))
	d.evaluate(nil)
	v := d.locals["result"].value
	if !v.IsWhollyKnown() {
		return "", d.diags
	}
	data, err := ctyjson.Marshal(v, v.Type())
	if err != nil {
		return err.Error(), d.diags
	}
	return string(data), d.diags
}

func TestFunctions(t *testing.T) {
	tests := []struct{ in, want string }{
		{`abs(-3)`, `3`},
		{`cidrhost("10.0.0.0/24", 5)`, `"10.0.0.5"`},
		{`cidrhost("10.0.0.0/24", -1)`, `"10.0.0.255"`},
		{`cidrhost("2001:db8::/32", 1)`, `"2001:db8::1"`},
		{`cidrhost("10.0.0.1", 0)`, `"10.0.0.1"`},
		{`cidrsubnet("10.0.0.0/8", 8, 3)`, `"10.3.0.0/16"`},
		{`cidrsubnet("10.0.0.0/8", 0, 0)`, `"10.0.0.0/8"`},
		{`cidrsubnet("2001:db8::/32", 32, 10)`, `"2001:db8:0:a::/64"`},
		{`coalesce(null, "a")`, `"a"`},
		{`compact(["a", "", "b"])`, `["a","b"]`},
		{`concat(["a"], local.words)`, `["a","b","a","b"]`},
		{`contains(local.words, "a")`, `true`},
		{`distinct(local.words)`, `["b","a"]`},
		{`distinct([])`, `[]`},
		{`distinct([1, 1, 2])`, `[1,2]`},
		{`element(local.words, 4)`, `"a"`},
		{`endswith("zoom.us", ".us")`, `true`},
		{`flatten([["a"], ["b", ["c"]]])`, `["a","b","c"]`},
		{`format("%s-%03d", "a", 7)`, `"a-007"`},
		{`formatlist("%s.us", ["a", "b"])`, `["a.us","b.us"]`},
		{`join(", ", local.words)`, `"b, a, b"`},
		{`keys(local.map)`, `["x","y"]`},
		{`length(local.words) + length(local.map) + length("é!")`, `7`},
		{`lookup(local.map, "z", 9)`, `9`},
		{`lower("AB")`, `"ab"`},
		{`max(1, 3, 2)`, `3`},
		{`merge(local.map, { z = 3 })`, `{"x":1,"y":2,"z":3}`},
		{`min(2, 1)`, `1`},
		{`range(3)`, `[0,1,2]`},
		{`replace("a.b", ".", "-")`, `"a-b"`},
		{`reverse([1, 2])`, `[2,1]`},
		{`setproduct(["a", "b"], ["c"])`, `[["a","c"],["b","c"]]`},
		{`slice(local.words, 0, 2)`, `["b","a"]`},
		{`sort(local.words)`, `["a","b","b"]`},
		{`split(",", "a,b")`, `["a","b"]`},
		{`startswith("zoom.us", "zoom")`, `true`},
		{`tolist(toset(local.words))`, `["a","b"]`},
		{`tomap(local.map)`, `{"x":1,"y":2}`},
		{`tonumber("7")`, `7`},
		{`toset(local.words)`, `["a","b"]`},
		{`tostring(7)`, `"7"`},
		{`trimprefix("ab", "a")`, `"b"`},
		{`trimspace(" a ")`, `"a"`},
		{`trimsuffix("ab", "b")`, `"a"`},
		{`upper("ab")`, `"AB"`},
		{`values(local.map)`, `[1,2]`},
		{`zipmap(["a"], [1])`, `{"a":1}`},
	}
	var tested []string
	for _, tt := range tests {
		t.Run(tt.in, func(t *testing.T) {
			got, diags := evaluateOne(tt.in)
			if got != tt.want || len(diags) > 0 {
				t.Errorf("got %s, want %s: %v", got, tt.want, diags)
			}
		})
		tested = append(tested, tt.in)
	}
	page, err := os.ReadFile("../docs/language.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range libraryFunctions() {
		if !slices.ContainsFunc(tested, func(s string) bool { return strings.Contains(s, f.name+"(") }) {
			t.Errorf("%s is not tested", f.name)
		}
		if !strings.Contains(string(page), "`"+f.name+"(") {
			t.Errorf("%s is not documented", f.name)
		}
	}
}

func TestFunctionsRefuse(t *testing.T) {
	tests := []struct{ in, want string }{
		{`cidrhost("10.0.0.0/24", 256)`, "no address number 256"},
		{`cidrhost("10.0.0.0/24", 1.5)`, "whole number"},
		{`cidrhost("10.0.0.1/24", 1)`, "10.0.0.0/24"},
		{`cidrhost("zoom", 1)`, "neither an IPv4"},
		{`cidrsubnet("10.0.0.0/24", 9, 0)`, "0 to 8 bits"},
		{`cidrsubnet("10.0.0.0/24", -1, 0)`, "0 to 8 bits"},
		{`cidrsubnet("10.0.0.0/24", 2, 4)`, "not among them"},
		{`length(7)`, "has not"},
		{`range(2000)`, "1024"},
		{`format("%2000d", 1)`, "three digits"},
		{`formatlist("%5.20000f", [1])`, "three digits"},
		{`join(format("%999s", ""), range(1024), range(1024))`, "longer than"},
		{`setproduct(range(200), range(200))`, "elements"},
		{`lowr("x")`, `Did you mean "lower"`},
		{`[for x in range(100) : upper(null)]`, "argument must not be null"},
	}
	for _, tt := range tests {
		t.Run(tt.in, func(t *testing.T) {
			_, diags := evaluateOne(tt.in)
			if len(diags) == 0 || len(diags) > maxSame || !strings.Contains(diags.Error(), tt.want) {
				t.Errorf("diagnostics: got %d, %.300v, want %q", len(diags), diags, tt.want)
			}
		})
	}
}

// Each of these would take minutes or gigabytes if nobody counted.
func TestHostileValuesGiveOneDiagnosticQuickly(t *testing.T) {
	list := "l = [" + strings.Repeat("1,", 1<<17) + "]\n"
	text := `s = "` + strings.Repeat("x", 1<<18) + "\"\n"
	tests := []struct{ name, in, want string }{
		{"many loops", list + numbered(200, "[for x in local.l : x if false]"), diag.TooLarge},
		{"failing loops", list + numbered(20, "[for x in local.l : x.y]"), diag.TooLarge},
		{"text in a loop", list + text + `a = [for x in local.l : "${local.s}${x}"]`, diag.TooLarge},
		{"comparison in a loop", list + `a = [for x in local.l : local.l == local.l]`, diag.TooLarge},
		{"function in a loop", list + `a = [for x in local.l : contains(local.l, 2)]`, diag.TooLarge},
		{"range in a loop", list + `a = [for x in local.l : length(range(1000))]`, diag.TooLarge},
		{"template loops", list + `a = "%{for x in local.l}%{for y in local.l}%{if false}z%{endif}%{endfor}%{endfor}"`, diag.TooLarge},
		{"splat", list + text + "a = local.l[*][\"${local.s}\"]", diag.TooLarge},
		{"distinct", list + numbered(50, "distinct(local.l)"), diag.TooLarge},
		{"a list of everything", "l = [" + strings.Repeat("1,\"a\",", 1<<14) + "]\na = tolist(local.l)", diag.TooLarge},
		{"unequal choices", list + "a = true ? local.l : slice(local.l, 1, 1000)", diag.TooLarge},
		{"replace", text + `a = replace(local.s, "x", local.s)`, diag.InvalidExpression},
		{"replace nothing", text + `a = replace(local.s, "", local.s)`, diag.InvalidExpression},
		{"join", text + "a = join(local.s, [for x in range(1000) : tostring(x)])", diag.InvalidExpression},
		{"format", text + `a = format("` + strings.Repeat("%[1]s", 1000) + `", local.s)`, diag.InvalidExpression},
		{"formatlist", text + "a = formatlist(\"%s%s\", local.s, range(1000))", diag.InvalidExpression},
		{"split", text + `a = split("", local.s)`, diag.InvalidExpression},
		{"setproduct", "r = range(100)\na = setproduct(local.r, local.r, local.r)", diag.InvalidExpression},
		{"flatten", list + numbered(50, "flatten([local.l, local.l, local.l])"), diag.TooLarge},
		{"a choice in a loop", list + "a = [for x in local.l : true ? local.l : x]", diag.TooLarge},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			start := time.Now()
			_, diags := Parse(map[string][]byte{"a.netpol.hcl": []byte("locals {\n" + tt.in + "\n}\n")}, Options{})
			took := time.Since(start)
			if len(diags) == 0 || !strings.Contains(codes(diags), tt.want) {
				t.Errorf("codes: got %.100q, want %s: %.500v", codes(diags), tt.want, diags)
			}
			if took > hang {
				t.Errorf("took %v", took)
			}
			t.Logf("took %v", took)
		})
	}
}

// numbered is that many locals of the same expression.
func numbered(n int, expr string) string {
	var b strings.Builder
	for i := range n {
		data, _ := json.Marshal(i)
		b.WriteString("n" + string(data) + " = " + expr + "\n")
	}
	return b.String()
}

// One small block can ask for a great many policies.
func TestHostileForEachGivesOneDiagnosticQuickly(t *testing.T) {
	many := "locals {\n  r = range(1000)\n  m = [for p in setproduct(local.r, range(8)) : \"${p[0]}-${p[1]}\"]\n}\n"
	policy := func(body string) string {
		return many + "policy \"p\" {\n  for_each = local.m\n  label = \"a\"\n  " + body + "\n}\n"
	}
	tests := []struct{ name, in, want string }{
		{"too many", policy(`criteria = "true"`) + "policy \"q\" {\n  for_each = local.m\n  label = \"a\"\n  criteria = \"true\"\n}\n", diag.TooLarge},
		{"long criteria", policy("criteria = \"hostname in ['" + strings.Repeat("x", 60_000) + "']\""), diag.TooLarge},
		{"long templates", policy("criteria = \"hostname == ${each.key}" + strings.Repeat(" or hostname == 'x'", 100) + "\""), diag.TooLarge},
		{"long values", policy("criteria = \"hostname in ${local.m}\""), diag.TooLarge},
		{"long labels", policy("criteria = \"true\"\n description = \"" + strings.Repeat("x", 60_000) + "\""), diag.TooLarge},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			start := time.Now()
			p, diags := Parse(map[string][]byte{"a.netpol.hcl": []byte(tt.in)}, Options{})
			if !strings.Contains(codes(diags), tt.want) || len(diags) > 5 {
				t.Errorf("codes: got %.100q, want %s: %.500v", codes(diags), tt.want, diags)
			}
			if took := time.Since(start); took > hang {
				t.Errorf("took %v", took)
			}
			t.Logf("%d policies, %v", len(p.Policies), time.Since(start))
		})
	}
}
