package program_test

import (
	"bytes"
	"errors"
	"flag"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/program"
	"github.com/netpol/netpol/lang/fact"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// sample has a clause for every index, a list tried always, shared tests, a
// group and effects that compete.
func sample() *artifact.Bundle {
	prefix := netip.MustParsePrefix
	return &artifact.Bundle{
		Format: artifact.FormatVersion,
		ABI:    fact.ABI(),
		Labels: []artifact.Label{{Name: "np-seen", Bit: 0, Auto: true}, {Name: "zoom", Bit: 1}, {Name: "np-dscp-cs1", Bit: 64, Auto: true}, {Name: "np-drop", Bit: 127, Auto: true}},
		Policies: []artifact.Policy{
			{Name: "zoom", File: "a.netpol.hcl", Line: 1},
			{Name: "zoom hosts", File: "a.netpol.hcl", Line: 9},
			{Name: "servers", File: "b.netpol.hcl", Line: 1},
			{Name: "the rest", File: "b.netpol.hcl", Line: 7},
		},
		Program: artifact.Program{
			Engine: artifact.Engine,
			Tests: []artifact.Test{
				{Op: artifact.TestEqual, Attribute: "application", Text: []string{"zoom"}},
				{Op: artifact.TestNetwork, Attribute: "local_ip", Networks: []netip.Prefix{prefix("10.0.0.0/8"), prefix("2001:db8::/32")}},
				{Op: artifact.TestUnder, Attribute: "hostname", Text: []string{"zoom.com", "zoom.us"}},
				{Op: artifact.TestRange, Attribute: "dst_port", Ranges: []artifact.Range{{Low: 443, High: 443}, {Low: 8801, High: 8810}}},
				{Op: artifact.TestContains, Attribute: "http_user_agent", Text: []string{"zoom"}},
				{Op: artifact.TestFlag, Attribute: "detection_guessed"},
				{Op: artifact.TestAny, Of: []artifact.Literal{4, 5}},
			},
			Clauses: []artifact.Clause{
				{Policy: 0, Access: 0, If: []artifact.Literal{0, ^1}},
				{Policy: 1, Access: 0, If: []artifact.Literal{2, 6}},
				{Policy: 2, Access: 0, If: []artifact.Literal{3}},
				{Policy: 2, Access: 0, If: []artifact.Literal{1, ^5}},
				{Policy: 3, Access: artifact.NoAccess, If: []artifact.Literal{^0}},
			},
			Effects: []artifact.Effect{
				{Labels: []int{1}, Mark: &artifact.Mark{Value: 0x1, Mask: 0x0f}, DSCP: artifact.Claim{Kind: artifact.ClaimOwn}},
				{Labels: []int{1}},
				{Mark: &artifact.Mark{Value: 0x22, Mask: 0xff}, DSCP: artifact.Claim{Kind: artifact.ClaimAuto, Bit: 64}},
				{Verdict: artifact.Claim{Kind: artifact.ClaimAuto, Bit: 127}},
			},
		},
	}
}

func load(t testing.TB, b *artifact.Bundle) *program.Program {
	t.Helper()
	p, err := program.Load(b)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// bits is a label set as the kernel numbers it (xt_connlabel.h).
func bits(list ...int) (b [16]byte) {
	for _, n := range list {
		b[n/8] |= 1 << (n % 8)
	}
	return b
}

func TestEval(t *testing.T) {
	addr := netip.MustParseAddr
	tests := []struct {
		name     string
		in       fact.Facts
		policies []int
		labels   [16]byte
		mark     uint32
	}{
		{"nothing known", fact.Facts{}, []int{3}, bits(127), 0},
		{"by application", fact.Facts{Application: "zoom"}, []int{0}, bits(1), 0x1},
		{"excluded by address", fact.Facts{Application: "zoom", LocalIP: addr("10.9.9.9"), Guessed: true}, []int{}, bits(), 0},
		{"by domain, capitals in the agent", fact.Facts{Hostname: "us02web.zoom.us", UserAgent: "ZOOM/1"}, []int{1, 3}, bits(1, 127), 0},
		{"no such domain", fact.Facts{Hostname: "notzoom.us", UserAgent: "ZOOM/1"}, []int{3}, bits(127), 0},
		{"by single port", fact.Facts{DstPort: 443}, []int{2, 3}, bits(64, 127), 0x22},
		{"by port range", fact.Facts{DstPort: 8810}, []int{2, 3}, bits(64, 127), 0x22},
		{"by address", fact.Facts{LocalIP: addr("2001:db8::1")}, []int{2, 3}, bits(64, 127), 0x22},
		{"the first policy's claim and mark bits win", fact.Facts{Application: "zoom", DstPort: 443}, []int{0, 2}, bits(1), 0x21},
	}
	m := load(t, sample()).NewMachine()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := m.Eval(&tt.in)
			want := &program.Verdict{Policies: tt.policies, Labels: tt.labels, LabelMask: bits(0, 1, 64, 127), Mark: tt.mark, MarkMask: 0xff}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("Eval (-want +got):\n%s", diff)
			}
		})
	}
}

func TestLoadRefuses(t *testing.T) {
	tests := []struct {
		name   string
		change func(*artifact.Bundle)
		want   string
	}{
		{"other facts", func(b *artifact.Bundle) { b.ABI = "1234" }, "other facts"},
		{"other engine", func(b *artifact.Bundle) { b.Program.Engine = "expr v9" }, `"expr v9"`},
		{"unknown attribute", func(b *artifact.Bundle) { b.Program.Tests[0].Attribute = "nonsense" }, `test 0: attribute "nonsense"`},
		{"unknown operator", func(b *artifact.Bundle) { b.Program.Tests[0].Op = "nonsense" }, `operator "nonsense"`},
		{"operator of another type", func(b *artifact.Bundle) { b.Program.Tests[0].Attribute = "dst_port" }, `"equal" on attribute "dst_port"`},
		{"broken pattern", func(b *artifact.Bundle) {
			b.Program.Tests[0] = artifact.Test{Op: artifact.TestMatches, Attribute: "hostname", Text: []string{"("}}
		}, "regular expression"},
		{"empty domain", func(b *artifact.Bundle) { b.Program.Tests[2].Text[0] = "" }, "empty domain"},
		{"group of itself", func(b *artifact.Bundle) { b.Program.Tests[6].Of[0] = 6 }, "refers to test 6"},
		{"no such code", func(b *artifact.Bundle) { b.Program.Tests[0] = artifact.Test{Op: artifact.TestCode, Code: 3} }, "code 3 of 0"},
		{"no such test", func(b *artifact.Bundle) { b.Program.Clauses[0].If[0] = 99 }, "test 99 of 7"},
		{"no such policy", func(b *artifact.Bundle) { b.Program.Clauses[0].Policy = 4 }, "policy 4 of 4"},
		{"access beyond the clause", func(b *artifact.Bundle) { b.Program.Clauses[0].Access = 2 }, "access literal 2"},
		{"access by a negation", func(b *artifact.Bundle) { b.Program.Clauses[0].Access = 1 }, "access literal 1"},
		{"access by a test without index", func(b *artifact.Bundle) { b.Program.Clauses[1].Access = 1 }, "no index"},
		{"effects missing", func(b *artifact.Bundle) { b.Program.Effects = b.Program.Effects[:1] }, "1 effects for 4 policies"},
		{"another owner's label", func(b *artifact.Bundle) { b.Program.Effects[0].Labels[0] = 5 }, "bit 5 is not the bundle's"},
		{"bit out of range", func(b *artifact.Bundle) { b.Program.Effects[3].Verdict.Bit = 128 }, "label bit 128"},
		{"label bit out of range", func(b *artifact.Bundle) { b.Labels[0].Bit = -1 }, "bit -1"},
		{"unknown claim", func(b *artifact.Bundle) { b.Program.Effects[3].Verdict.Kind = "x" }, `claim "x"`},
		{"code without arguments", func(b *artifact.Bundle) { b.Program.Codes = []artifact.Code{{Bytecode: []int{1}}} }, "1 opcodes, 0 arguments"},
		{"unknown opcode", func(b *artifact.Bundle) {
			b.Program.Codes = []artifact.Code{{Bytecode: []int{255}, Arguments: []int{0}}}
		}, "opcode 255"},
		{"unknown constant", func(b *artifact.Bundle) {
			b.Program.Codes = []artifact.Code{{Constants: []artifact.Constant{{Kind: "x"}}}}
		}, `kind "x"`},
		{"too many variables", func(b *artifact.Bundle) { b.Program.Codes = []artifact.Code{{Variables: 1 << 30}} }, "variables"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := sample()
			tt.change(b)
			p, err := program.Load(b)
			if p != nil || err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Load = %v, %v; want an error with %q", p, err, tt.want)
			}
		})
	}
}

func TestLoadErrorsCanBeToldApart(t *testing.T) {
	b := sample()
	b.ABI = "x"
	if _, err := program.Load(b); !errors.Is(err, program.ErrABI) {
		t.Errorf("%v, want ErrABI", err)
	}
	b = sample()
	b.Program.Engine = "x"
	if _, err := program.Load(b); !errors.Is(err, program.ErrEngine) {
		t.Errorf("%v, want ErrEngine", err)
	}
}

func TestExplain(t *testing.T) {
	m := load(t, sample()).NewMachine()
	f := fact.Facts{Application: "zoom", Hostname: "us02web.zoom.us", DstPort: 8801, LocalIP: netip.MustParseAddr("192.168.1.5")}
	want := []program.Explanation{
		{Policy: 0, Matched: true, Terms: []program.Term{
			{Text: "application == 'zoom'", Value: "zoom", Holds: true},
			{Text: "local_ip not in ['10.0.0.0/8', '2001:db8::/32']", Value: "192.168.1.5", Holds: true},
		}},
		{Policy: 1, Matched: false, Terms: []program.Term{
			{Text: "hostname under ['zoom.com', 'zoom.us']", Value: "us02web.zoom.us", Holds: true},
			{Text: "http_user_agent contains 'zoom'", Value: "", Holds: false},
			{Text: "detection_guessed", Value: "false", Holds: false},
		}},
		{Policy: 2, Matched: true, Terms: []program.Term{
			{Text: "dst_port in [443, 8801..8810]", Value: "8801", Holds: true},
			{Text: "local_ip in ['10.0.0.0/8', '2001:db8::/32']", Value: "192.168.1.5", Holds: false},
			{Text: "not detection_guessed", Value: "false", Holds: true},
		}},
		{Policy: 3, Matched: false, Terms: []program.Term{
			{Text: "application != 'zoom'", Value: "zoom", Holds: false},
		}},
	}
	if diff := cmp.Diff(want, m.Explain(&f)); diff != "" {
		t.Errorf("Explain (-want +got):\n%s", diff)
	}
}

func TestDisassemble(t *testing.T) {
	golden := filepath.Join("testdata", "sample.disasm")
	got := []byte(program.Disassemble(sample()))
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("Disassemble (-want +got):\n%s", diff)
	}
}

// TestNoAllocs evaluates flows that reach every kind of test but bytecode.
func TestNoAllocs(t *testing.T) {
	b := sample()
	b.Program.Tests = append(b.Program.Tests,
		artifact.Test{Op: artifact.TestMatches, Attribute: "http_user_agent", Text: []string{"(?i)zoom.*[0-9]$"}},
		artifact.Test{Op: artifact.TestEqual, Attribute: "alpn", Text: []string{"h2", "h3"}},
		artifact.Test{Op: artifact.TestSuffix, Attribute: "dns_hostname", Text: []string{".us"}},
	)
	b.Program.Clauses = append(b.Program.Clauses,
		artifact.Clause{Policy: 3, Access: artifact.NoAccess, If: []artifact.Literal{7}},
		artifact.Clause{Policy: 3, Access: 0, If: []artifact.Literal{8, ^9}})
	m := load(t, b).NewMachine()
	flows := []fact.Facts{
		{},
		{Application: "zoom", LocalIP: netip.MustParseAddr("10.9.9.9"), UserAgent: "ZÖOM " + strings.Repeat("x", 300) + "9"},
		{Hostname: "us02web.zoom.us", DNSHostname: "a.b.us", UserAgent: "Zoom/1", DstPort: 8801, ALPN: "H2,http/1.1", Guessed: true},
	}
	for i := range flows {
		m.Eval(&flows[i]) // regexp keeps what the first run of a pattern makes
	}
	if n := testing.AllocsPerRun(200, func() {
		for i := range flows {
			m.Eval(&flows[i])
		}
	}); n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
}

// TestMachinesAreIndependent reads one machine's verdict after another's Eval.
func TestMachinesAreIndependent(t *testing.T) {
	p := load(t, sample())
	a, b := p.NewMachine(), p.NewMachine()
	got := a.Eval(&fact.Facts{Application: "zoom"})
	b.Eval(&fact.Facts{DstPort: 443})
	if !slices.Equal(got.Policies, []int{0}) {
		t.Errorf("policies %v after another machine's Eval, want [0]", got.Policies)
	}
}

func TestGeneratedReadersAreCurrent(t *testing.T) {
	want, err := os.ReadFile("zread.go")
	if err != nil {
		t.Fatal(err)
	}
	gen := exec.Command("go", "run", "./internal/genread", "-stdout")
	got, err := gen.Output()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, got) {
		t.Error("zread.go is out of date: run go generate ./enforcer/program")
	}
}
