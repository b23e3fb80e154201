package program_test

import (
	"encoding/json"
	"net/netip"
	"testing"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/program"
	"github.com/netpol/netpol/lang/fact"
)

// FuzzLoad loads programs that no compiler made. Load refuses them or they
// run, and then the indexes and the explanation agree. Bytecode is left out:
// it may loop for ever, and only who may write the bundle can change it.
func FuzzLoad(f *testing.F) {
	seed, err := json.Marshal(sample().Program)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seed)
	f.Add([]byte(`{"engine":"expr v1.17.8","tests":[{"op":"network","attribute":"src_ip","networks":["","10.1.2.3/8","::ffff:10.0.0.0/104"]}],"clauses":[{"policy":0,"access":0,"if":[0]}],"effects":[{},{},{},{}]}`))
	flows := []fact.Facts{
		{},
		{Application: "zoom", Hostname: "a.zoom.us", DstPort: 443, SrcIP: netip.MustParseAddr("10.0.0.1"), LocalIP: netip.MustParseAddr("2001:db8::1"), ALPN: "h2,H3", UserAgent: "Zoom\xff"},
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		b := sample()
		b.Program = artifact.Program{}
		if json.Unmarshal(data, &b.Program) != nil {
			return
		}
		_ = program.Disassemble(b)
		p, err := program.Load(b)
		if err != nil || len(b.Program.Codes) > 0 {
			return
		}
		m := p.NewMachine()
		for i := range flows {
			found := map[int]bool{}
			for _, id := range m.Eval(&flows[i]).Policies {
				found[id] = true
			}
			for _, e := range m.Explain(&flows[i]) {
				if found[e.Policy] != e.Matched {
					t.Fatalf("policy %d: found %t, explained %t for %+v", e.Policy, found[e.Policy], e.Matched, flows[i])
				}
			}
		}
	})
}
