package prog_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/expr-lang/expr"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/compiler/emit/prog"
	"github.com/netpol/netpol/compiler/internal/irtest"
	"github.com/netpol/netpol/compiler/ir"
	"github.com/netpol/netpol/compiler/opt"
	"github.com/netpol/netpol/enforcer/program"
	"github.com/netpol/netpol/lang/diag"
	"github.com/netpol/netpol/lang/fact"
)

// bundle wraps conditions in as much of a bundle as a program needs.
func bundle(t interface{ Fatal(...any) }, policies []ir.Policy) *artifact.Bundle {
	b := &artifact.Bundle{Format: artifact.FormatVersion, ABI: fact.ABI()}
	effects := make([]artifact.Effect, len(policies))
	for i, p := range policies {
		b.Policies = append(b.Policies, artifact.Policy{Name: p.Name, File: "a.netpol.hcl", Line: i + 1})
		effects[i].Mark = p.Mark
	}
	var diags diag.List
	b.Program, diags = prog.Emit(policies, effects)
	if len(diags) > 0 {
		t.Fatal(diags)
	}
	return b
}

// TestProgramMeansWhatThePoliciesSay is the differential test: random policies
// through opt, emit, the codec and the loaded program against the plain
// meaning of what they were made from.
func TestProgramMeansWhatThePoliciesSay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		policies := irtest.Policies(t)
		for i := range policies {
			policies[i].Name = fmt.Sprint(i)
		}
		set, _ := opt.Run(&ir.Set{Policies: policies})
		data, err := artifact.Encode(bundle(t, set.Policies))
		if err != nil {
			t.Fatal(err)
		}
		decoded, err := artifact.Decode(data)
		if err != nil {
			t.Fatal(err)
		}
		loaded, err := program.Load(decoded)
		if err != nil {
			t.Fatal(err)
		}
		m := loaded.NewMachine()
		for range 10 {
			check(t, m, decoded, policies, irtest.Facts(t))
		}
	})
}

func check(t *rapid.T, m *program.Machine, b *artifact.Bundle, policies []ir.Policy, f *fact.Facts) {
	var want []string
	var mark, taken uint32
	for _, p := range policies {
		if !irtest.Eval(p.Cond, f, plainExpr) {
			continue
		}
		want = append(want, p.Name)
		if p.Mark != nil {
			mark |= p.Mark.Value & p.Mark.Mask &^ taken
			taken |= p.Mark.Mask
		}
	}
	v := m.Eval(f)
	var got []string
	for _, id := range v.Policies {
		got = append(got, b.Policies[id].Name)
	}
	if !slices.Equal(got, want) || v.Mark != mark {
		t.Fatalf("policies %v mark %#x, want %v %#x, for %+v\n%s", got, v.Mark, want, mark, f, program.Disassemble(b))
	}
	var explained []string
	for _, e := range m.Explain(f) {
		if e.Matched {
			explained = append(explained, b.Policies[e.Policy].Name)
		}
	}
	if !slices.Equal(explained, want) {
		t.Fatalf("explained %v, want %v, for %+v", explained, want, f)
	}
}

// plainExpr runs a residual as a user of expr would; an error means no.
func plainExpr(source string, f *fact.Facts) bool {
	program, err := expr.Compile(source, expr.Env(fact.Facts{}), expr.AsBool())
	if err != nil {
		panic(err)
	}
	out, err := expr.Run(program, *f)
	return err == nil && out.(bool)
}

func attr(name string) fact.Attribute {
	a, ok := fact.Lookup(name)
	if !ok {
		panic(name)
	}
	return a
}

func eq(name string, values ...string) ir.Expr {
	return &ir.Compare{Attr: attr(name), Op: ir.OpEqual, Strings: values}
}

func port(name string, low, high int) ir.Expr {
	return &ir.Compare{Attr: attr(name), Op: ir.OpRange, Ranges: []ir.Interval{{Low: low, High: high}}}
}

func and(list ...ir.Expr) ir.Expr { return ir.NewAnd(diag.Range{}, list...) }
func or(list ...ir.Expr) ir.Expr  { return ir.NewOr(diag.Range{}, list...) }

func TestClausesAreFiledWhereFewestAre(t *testing.T) {
	var policies []ir.Policy
	for i := range 10 {
		policies = append(policies, ir.Policy{Name: fmt.Sprint(i), Cond: and(eq("proto", "tls"), port("dst_port", 1000+i, 1000+i))})
	}
	policies = append(policies, ir.Policy{Name: "app first", Cond: and(eq("proto", "quic"), eq("app", "zoom"))})
	// Two share the application, but nearly every flow passes the range.
	for range 2 {
		policies = append(policies, ir.Policy{Name: "wide range", Cond: and(port("src_port", 1024, 65535), eq("app", "teams"))})
	}
	p := bundle(t, policies).Program
	for _, c := range p.Clauses {
		got := p.Tests[c.If[c.Access].Test()].Attribute
		want := "dst_port"
		if c.Policy >= 10 {
			want = "application"
		}
		if got != want {
			t.Errorf("policy %d is filed by %s, want %s", c.Policy, got, want)
		}
	}
}

func TestTestsAreShared(t *testing.T) {
	p := bundle(t, []ir.Policy{
		{Cond: and(eq("app", "zoom"), port("dst_port", 1, 9))},
		{Cond: and(eq("app", "teams"), port("dst_port", 1, 9))},
		{Cond: &ir.Residual{Source: "src_port == dst_port"}},
		{Cond: ir.NewNot(diag.Range{}, &ir.Residual{Source: "src_port == dst_port"})},
	}).Program
	if len(p.Tests) != 4 || len(p.Codes) != 1 {
		t.Errorf("%d tests and %d codes, want 4 and 1: %+v", len(p.Tests), len(p.Codes), p.Tests)
	}
}

// TestExplosionIsBounded gives a condition whose written-out form has 2^20
// conjunctions.
func TestExplosionIsBounded(t *testing.T) {
	var list []ir.Expr
	for i := range 20 {
		list = append(list, or(eq("app", fmt.Sprint("a", i)), port("dst_port", i, i)))
	}
	b := bundle(t, []ir.Policy{{Name: "deep", Cond: and(list...)}})
	if n := len(b.Program.Clauses); n > 64 {
		t.Errorf("%d clauses, want at most 64", n)
	}
	loaded, err := program.Load(b)
	if err != nil {
		t.Fatal(err)
	}
	if v := loaded.NewMachine().Eval(&fact.Facts{Application: "a1", DstPort: 1}); len(v.Policies) != 0 {
		t.Error("the policy holds, though two operands are not enough")
	}
}

func TestConstantConditions(t *testing.T) {
	b := bundle(t, []ir.Policy{
		{Name: "always", Cond: &ir.Const{Value: true}},
		{Name: "never", Cond: &ir.Const{Value: false}},
	})
	loaded, err := program.Load(b)
	if err != nil {
		t.Fatal(err)
	}
	if got := loaded.NewMachine().Eval(&fact.Facts{}).Policies; !slices.Equal(got, []int{0}) {
		t.Errorf("policies %v, want [0]", got)
	}
}

func TestResidualsThatCannotBecomeBytecodeAreErrors(t *testing.T) {
	for _, source := range []string{
		"split(hostname, '.')[0] == 'www'", // a function
		"trim(hostname) == 'x'",
		"src_ip.Is4()",            // a method of netip.Addr
		"now().Hour() > 9",        // not the same for every evaluation either
		"src_port > 999999999999", // no int on a 32-bit router
		"$env['hostname'] == 'x'",
		"hostname ==",   // no expression at all
		"nonsense == 1", // no attribute
		"src_port + 1",  // no condition
		"repeat('a', 9) == hostname",
	} {
		t.Run(source, func(t *testing.T) {
			policies := []ir.Policy{{Name: "p", Cond: &ir.Residual{Source: source}}}
			_, diags := prog.Emit(policies, make([]artifact.Effect, 1))
			if len(diags) != 1 || diags[0].Code != prog.CodeResidual || !diags.HasErrors() || !strings.Contains(diags[0].Detail, source) {
				t.Errorf("diagnostics: %v", diags)
			}
		})
	}
}

// TestResidualForms runs each form of bytecode that a bundle can hold.
func TestResidualForms(t *testing.T) {
	f := &fact.Facts{Hostname: "www.example.org", SrcPort: 40000, DstPort: 443, UserAgent: "Mozilla/5.0", TLSVersion: 0x0304}
	for _, source := range []string{
		"src_port > dst_port",
		"src_port in 30000..50000 and dst_port in [80, 443]",
		"hostname in ['a', 'www.example.org']",
		"lower(http_user_agent) matches '^moz.*[0-9]$'",
		"hostname matches ('ex' + 'ample')",
		"len(hostname) == 15 && abs(-3) == 3",
		"int(float(dst_port) * 1.5) == 664",
		"any([80, 443], # == dst_port)",
		"let d = src_port - dst_port; d > 0 && d < 40000",
		"hostname[0:4] == 'www.'",
		"(src_port > 0 ? hostname : dns_hostname) endsWith 'org'",
		"all(['www', 'org'], hostname contains #)",
		"not detection_guessed",
		"dst_port != nil",
	} {
		t.Run(source, func(t *testing.T) {
			b := bundle(t, []ir.Policy{{Name: "p", Cond: &ir.Residual{Source: source}}})
			loaded, err := program.Load(b)
			if err != nil {
				t.Fatal(err)
			}
			m := loaded.NewMachine()
			for range 2 { // the machine is used again
				if got := m.Eval(f).Policies; len(got) != 1 {
					t.Errorf("the condition does not hold\n%s", program.Disassemble(b))
				}
			}
		})
	}
}

func TestEmitIsDeterministic(t *testing.T) {
	policies := []ir.Policy{
		{Cond: and(eq("app", "zoom"), &ir.Residual{Source: "dst_port in [5, 4, 3, 2, 1, 9, 8, 7]"})},
		{Cond: or(eq("proto", "tls"), &ir.Residual{Source: "hostname in ['q', 'w', 'e', 'r', 't', 'y']"})},
	}
	want := bundle(t, policies)
	for range 20 {
		if diff := cmp.Diff(want.Program, bundle(t, policies).Program); diff != "" {
			t.Fatalf("two runs differ:\n%s", diff)
		}
	}
}

// TestReads lists what a program asks for, that of its bytecode included.
func TestReads(t *testing.T) {
	p := bundle(t, []ir.Policy{
		{Cond: and(eq("app", "zoom"), port("dst_port", 1, 9))},
		{Cond: or(eq("app", "teams"), &ir.Residual{Source: "src_port == dst_port and len(tls_issuer_dn) > 40"})},
	}).Program
	if want := []string{"application", "dst_port", "src_port", "tls_issuer_dn"}; !slices.Equal(p.Reads, want) {
		t.Errorf("got %v, want %v", p.Reads, want)
	}
}
