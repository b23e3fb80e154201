package program

import (
	"fmt"
	"math"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/lang/fact"
)

// onePolicyEach makes a program of one policy a test, each filed under it.
func onePolicyEach(t *testing.T, tests []artifact.Test) *Machine {
	t.Helper()
	b := &artifact.Bundle{
		ABI:      fact.ABI(),
		Policies: make([]artifact.Policy, len(tests)),
		Program:  artifact.Program{Engine: artifact.Engine, Tests: tests, Effects: make([]artifact.Effect, len(tests))},
	}
	for i := range tests {
		b.Program.Clauses = append(b.Program.Clauses, artifact.Clause{Policy: i, If: []artifact.Literal{artifact.Literal(i)}})
	}
	p, err := Load(b)
	if err != nil {
		t.Fatal(err)
	}
	return p.NewMachine()
}

// agree holds what the indexes find against asking every test.
func agree(t *testing.T, m *Machine, f *fact.Facts) {
	t.Helper()
	got := slices.Clone(m.Eval(f).Policies)
	want := []int{}
	m.begin(f)
	for i := range m.program.tests {
		if m.ask(&m.program.tests[i]) {
			want = append(want, i)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("the indexes find %v, the tests %v, for %+v", got, want, f)
	}
}

func TestNumbersAreFoundAsTheTestsSay(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 50 {
		tests := make([]artifact.Test, rng.IntN(40))
		for i := range tests {
			low := rng.IntN(100)
			tests[i] = artifact.Test{Op: artifact.TestRange, Attribute: "dst_port", Ranges: []artifact.Range{
				{Low: low, High: low + rng.IntN(3)*rng.IntN(40)}, {Low: math.MinInt32, High: -rng.IntN(5)},
			}}
		}
		m := onePolicyEach(t, tests)
		for v := -10; v < 200; v++ {
			agree(t, m, &fact.Facts{DstPort: v})
		}
	}
}

func TestAddressesAreFoundAsTheTestsSay(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	addr := func() netip.Addr {
		if rng.IntN(2) == 0 {
			return netip.AddrFrom4([4]byte{10, byte(rng.IntN(3)), byte(rng.IntN(3)), byte(rng.IntN(4))})
		}
		return netip.AddrFrom16([16]byte{0: 0x20, 1: byte(rng.IntN(2)), 15: byte(rng.IntN(4))})
	}
	for range 50 {
		tests := make([]artifact.Test, rng.IntN(30))
		for i := range tests {
			a := addr()
			tests[i] = artifact.Test{Op: artifact.TestNetwork, Attribute: "src_ip"}
			for range 1 + rng.IntN(12) {
				p, err := a.Prefix(rng.IntN(a.BitLen() + 1))
				if err != nil {
					t.Fatal(err)
				}
				tests[i].Networks = append(tests[i].Networks, p)
			}
		}
		m := onePolicyEach(t, tests)
		agree(t, m, &fact.Facts{})
		for range 100 {
			agree(t, m, &fact.Facts{SrcIP: addr()})
		}
	}
}

func TestDomainsAreFoundAsTheTestsSay(t *testing.T) {
	domains := []string{"us", "zoom.us", "a.zoom.us", "example.org", "org"}
	var tests []artifact.Test
	for i := range domains {
		tests = append(tests, artifact.Test{Op: artifact.TestUnder, Attribute: "hostname", Text: domains[:i+1]})
		long := slices.Clone(domains[:i+1])
		for n := range shortList {
			long = append(long, fmt.Sprint("x", n))
		}
		tests = append(tests, artifact.Test{Op: artifact.TestUnder, Attribute: "hostname", Text: long})
	}
	m := onePolicyEach(t, tests)
	for _, name := range []string{"", ".", "us", "zoom.us", "notzoom.us", "b.a.zoom.us", "org.", "x.org", "..us", "example.org"} {
		agree(t, m, &fact.Facts{Hostname: name})
	}
}

func TestListsAreFoundByMember(t *testing.T) {
	m := onePolicyEach(t, []artifact.Test{
		{Op: artifact.TestEqual, Attribute: "alpn", Text: []string{"h2"}},
		{Op: artifact.TestEqual, Attribute: "alpn", Text: []string{"", "http/1.1"}},
	})
	for _, v := range []string{"", "h2", "H2,http/1.1", "h2c", ",", "h3,h2"} {
		agree(t, m, &fact.Facts{ALPN: v})
	}
}

// TestStampsWrap runs past the point where the evaluation number starts again,
// at which what an old evaluation left must not look new.
func TestStampsWrap(t *testing.T) {
	m := onePolicyEach(t, []artifact.Test{{Op: artifact.TestEqual, Attribute: "application", Text: []string{"zoom"}}})
	zoom := fact.Facts{Application: "zoom"}
	m.Eval(&zoom) // stamps with 1
	m.now = math.MaxUint32
	if got := m.Eval(&zoom).Policies; len(got) != 1 {
		t.Errorf("policies %v after the wrap, want [0]", got)
	}
	if m.now != 1 {
		t.Errorf("evaluation number %d after the wrap, want 1", m.now)
	}
}

// TestAttributeReaders reads every attribute back from a Facts that holds it.
func TestAttributeReaders(t *testing.T) {
	if len(fact.Attributes) != attributeCount {
		t.Fatalf("%d attributes, zread.go knows %d: run go generate ./enforcer/program", len(fact.Attributes), attributeCount)
	}
	f := fact.Facts{Application: "a", BTInfoHash: "b", Guessed: true, LocalIP: netip.IPv6Loopback(), VLANID: 7}
	read := func(name string) any {
		i := slices.IndexFunc(fact.Attributes, func(a fact.Attribute) bool { return a.Name == name })
		switch a := attribute(i); kindOf(fact.Attributes[i].Type) {
		case kindText:
			return readText(&f, a)
		case kindNumber:
			return readNumber(&f, a)
		case kindAddr:
			return readAddr(&f, a)
		case kindFlag:
			return readFlag(&f, a)
		}
		return nil
	}
	for name, want := range map[string]any{
		"application": "a", "bt_info_hash": "b", "detection_guessed": true, "local_ip": netip.IPv6Loopback(), "vlan_id": 7, "hostname": "",
	} {
		if got := read(name); got != want {
			t.Errorf("%s is read as %v, want %v", name, got, want)
		}
	}
}
