package program_test

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/vm"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/compiler/emit/prog"
	"github.com/netpol/netpol/compiler/ir"
	"github.com/netpol/netpol/enforcer/program"
	"github.com/netpol/netpol/lang/diag"
	"github.com/netpol/netpol/lang/fact"
)

// benchPolicy is the i-th policy of the benchmarks' set, as a condition and
// as the expression that says the same. The mix is what people write: mostly
// applications, then domains, protocols with ports, and addresses.
func benchPolicy(i int) (ir.Expr, string) {
	and := func(list ...ir.Expr) ir.Expr { return ir.NewAnd(diag.Range{}, list...) }
	cmp := func(name string, op ir.Op, c ir.Compare) ir.Expr {
		c.Attr, _ = fact.Lookup(name)
		c.Op = op
		return &c
	}
	app := fmt.Sprintf("app-%d", i)
	switch i % 5 {
	case 0, 1:
		return cmp("app", ir.OpEqual, ir.Compare{Strings: []string{app}}), fmt.Sprintf("application == '%s'", app)
	case 2:
		domain := fmt.Sprintf("site-%d.example", i)
		return cmp("hostname", ir.OpDomain, ir.Compare{Strings: []string{domain}}),
			fmt.Sprintf("hostname == '%s' || hostname endsWith '.%s'", domain, domain)
	case 3:
		port := 1024 + i%60000
		return and(cmp("proto", ir.OpEqual, ir.Compare{Strings: []string{"tls"}}), cmp("dst_port", ir.OpRange, ir.Compare{Ranges: []ir.Interval{{Low: port, High: port}}})),
			fmt.Sprintf("protocol == 'tls' && dst_port == %d", port)
	}
	net := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i >> 8), byte(i), 0}), 24)
	return and(cmp("app", ir.OpEqual, ir.Compare{Strings: []string{app}}), cmp("local_ip", ir.OpPrefix, ir.Compare{Prefixes: []netip.Prefix{net}})),
		fmt.Sprintf("application == '%s' && string(local_ip) startsWith '10.%d.%d.'", app, byte(i>>8), byte(i))
}

func benchBundle(tb testing.TB, n int) *artifact.Bundle {
	tb.Helper()
	b := &artifact.Bundle{Format: artifact.FormatVersion, ABI: fact.ABI(), Policies: make([]artifact.Policy, n)}
	policies := make([]ir.Policy, n)
	for i := range policies {
		policies[i].Cond, _ = benchPolicy(i)
	}
	var diags diag.List
	if b.Program, diags = prog.Emit(policies, make([]artifact.Effect, n)); diags.HasErrors() {
		tb.Fatal(diags)
	}
	return b
}

// benchFlows match one policy, or none.
var benchFlows = []fact.Facts{
	{Application: "app-5", Protocol: "tls", Hostname: "www.app-5.example", DstPort: 443, LocalIP: netip.MustParseAddr("192.168.1.5")},
	{Protocol: "tls", Hostname: "cdn.site-7.example", DstPort: 443, LocalIP: netip.MustParseAddr("10.0.4.7")},
	{Application: "unknown", Protocol: "quic", Hostname: "www.example.org", DstPort: 443, LocalIP: netip.MustParseAddr("10.0.4.7")},
	{Protocol: "dns", DstPort: 53, LocalIP: netip.MustParseAddr("192.168.1.9")},
}

var benchSizes = []int{10, 100, 1_000, 10_000}

// BenchmarkEval is one flow, its facts filled in, against the whole set.
func BenchmarkEval(b *testing.B) {
	for _, n := range benchSizes {
		b.Run(fmt.Sprintf("policies=%d", n), func(b *testing.B) {
			m := load(b, benchBundle(b, n)).NewMachine()
			var f fact.Facts
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				f = benchFlows[i%len(benchFlows)]
				m.Eval(&f)
			}
		})
	}
}

// BenchmarkLinearExpr is the same with a compiled expression a policy.
func BenchmarkLinearExpr(b *testing.B) {
	for _, n := range benchSizes {
		b.Run(fmt.Sprintf("policies=%d", n), func(b *testing.B) {
			programs := make([]*vm.Program, n)
			for i := range programs {
				_, source := benchPolicy(i)
				p, err := expr.Compile(source, expr.Env(fact.Facts{}), expr.AsBool())
				if err != nil {
					b.Fatal(err)
				}
				programs[i] = p
			}
			var machine vm.VM
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				f := benchFlows[i%len(benchFlows)]
				for _, p := range programs {
					if _, err := machine.Run(p, &f); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}

// BenchmarkLoad decodes and loads a bundle.
func BenchmarkLoad(b *testing.B) {
	for _, n := range benchSizes {
		b.Run(fmt.Sprintf("policies=%d", n), func(b *testing.B) {
			data, err := artifact.Encode(benchBundle(b, n))
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				bundle, err := artifact.Decode(data)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := program.Load(bundle); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// TestCostIsFlat allows a thousand times the policies ten times the cost, far
// from what the benchmarks show (1.1 times) and farther from a list that is
// walked (1,300 times).
func TestCostIsFlat(t *testing.T) {
	cost := func(n int) time.Duration {
		m := load(t, benchBundle(t, n)).NewMachine()
		best := time.Hour
		for range 10 {
			start := time.Now()
			for i := range 2_000 {
				m.Eval(&benchFlows[i%len(benchFlows)])
			}
			best = min(best, time.Since(start))
		}
		return best
	}
	if few, many := cost(10), cost(10_000); many > 10*few {
		t.Errorf("2,000 flows cost %v with 10 policies and %v with 10,000", few, many)
	}
}
