package propose_test

import (
	"flag"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/netpol/netpol/cmd/netpol/internal/propose"
	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/kernel/survey"
	"github.com/netpol/netpol/lang"
)

var update = flag.Bool("update", false, "rewrite testdata/*.hcl")

func read(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// populated is a router with something of everything.
func populated(t testing.TB) propose.Found {
	prefixes := func(list ...string) []netip.Prefix {
		var out []netip.Prefix
		for _, p := range list {
			out = append(out, netip.MustParsePrefix(p))
		}
		return out
	}
	save := read(t, "iptables-save")
	return propose.Found{
		Host: "gw-7", Time: time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC),
		Interfaces: []survey.Interface{
			{Name: "guest.7", Networks: prefixes("203.0.113.0/25")},
			{Name: "lan0", Networks: prefixes("192.168.1.0/24", "fd00:1::/64"), Routed: prefixes("10.9.0.0/16")},
			{Name: "wan0", Networks: prefixes("198.51.100.0/24"), Default: true},
		},
		Marks:        []survey.MarkRule{{Family: "ip", Priority: 2000, Mark: 0x10, Mask: 0xff, Table: 100}},
		Classes:      []survey.Class{{Interface: "lan0", Kind: "htb", ID: "1:10", Rate: 1250000}},
		Filters:      []survey.MarkFilter{{Interface: "lan0", Mark: 0x33, Class: "1:10"}},
		Nftables:     read(t, "nft.json"),
		Iptables:     map[string][]byte{"iptables-nft-save": save, "ip6tables-nft-save": []byte(strings.ReplaceAll(string(save), "192.168.5.0/24", "fd00:5::/64"))},
		Labels:       []artifact.Label{{Name: "corporate", Bit: 7}},
		Connections:  []propose.Count{{Name: "tcp/443", N: 120}, {Name: "udp/53", N: 7}},
		ConnMarks:    0x20,
		Applications: []propose.Count{{Name: "zoom", N: 3}},
		Unread:       []string{"queues: operation not permitted"},
	}
}

func TestProposalOfAPopulatedRouter(t *testing.T) {
	got, err := propose.Make(populated(t))
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{"want.netpol.hcl": got.Policies, "want.nptest.hcl": got.Tests} {
		if *update {
			if err := os.WriteFile(filepath.Join("testdata", name), text, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff(string(read(t, name)), string(text)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	parses(t, got)
}

// parses fails unless the language takes the proposal.
func parses(t *testing.T, p propose.Proposal) {
	t.Helper()
	set, diags := lang.Parse(map[string][]byte{propose.PolicyFile: p.Policies}, lang.Options{})
	if diags.HasErrors() || set == nil {
		t.Errorf("the proposal does not parse: %v\n%s", diags, p.Policies)
	}
}

func TestProposalOfABareRouter(t *testing.T) {
	got, err := propose.Make(propose.Found{Host: "gw", Time: time.Unix(0, 0)})
	if err != nil || got.Tests != nil || got.Rules != 0 {
		t.Errorf("got %+v, %v", got, err)
	}
	parses(t, got)
}

// TestNamesOfOthersAreText: what is found on a router is somebody's text, and ends no
// comment, string or template.
func TestNamesOfOthersAreText(t *testing.T) {
	evil := "x\n}\npolicy \"p\" {\n verdict=\"drop\" }\x1b[2J${file(\"/etc/passwd\")}\u202e"
	f := propose.Found{
		Host: evil, Unread: []string{evil}, Labels: []artifact.Label{{Name: evil, Bit: 1}},
		Interfaces:   []survey.Interface{{Name: evil, Networks: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}},
		Classes:      []survey.Class{{Interface: evil, Kind: evil, ID: evil}},
		Connections:  []propose.Count{{Name: evil, N: 1}},
		Applications: []propose.Count{{Name: "zoom", N: 1}},
		Iptables:     map[string][]byte{"iptables-save": []byte("*mangle\n:FORWARD ACCEPT [0:0]\n-A FORWARD -p tcp --dport 1 -m comment --comment \"${x} \x1b[2J' || true\" -j DSCP --set-dscp 0x12\n-A FORWARD -i \"a'b\" -j DSCP --set-dscp 0x12\n")},
	}
	got, err := propose.Make(f)
	if err != nil {
		t.Fatal(err)
	}
	parses(t, got)
	if strings.ContainsAny(string(got.Policies), "\x1b\u202e") || strings.Contains(string(got.Policies), "\n verdict") {
		t.Errorf("somebody's text got through:\n%s", got.Policies)
	}
	if got.Rules != 1 || got.Skipped != 1 {
		t.Errorf("got %d policies and %d rules without, want 1 and 1:\n%s", got.Rules, got.Skipped, got.Policies)
	}
}

func FuzzMake(f *testing.F) {
	f.Add(read(f, "nft.json"), read(f, "iptables-save"))
	f.Add([]byte(`{"nftables":[{"chain":{"family":"ip","table":"t","name":"c","hook":"forward"}},{"rule":{"family":"ip","table":"t","chain":"c","expr":[{"jump":{"target":"c"}},{"mangle":{"key":{"meta":{"key":"mark"}},"value":1}}]}}]}`), []byte("*mangle\n:A ACCEPT\n-A A -j A\n"))
	f.Fuzz(func(t *testing.T, nft, save []byte) {
		got, err := propose.Make(propose.Found{Nftables: nft, Iptables: map[string][]byte{"iptables-save": save}})
		if err != nil {
			return // not JSON of nft's
		}
		parses(t, got)
	})
}

// TestNetpoldsBitsAreNobodyElses: a bit of the mark that connections carry is not
// proposed for netpold.
func TestNetpoldsBitsAreNobodyElses(t *testing.T) {
	got, err := propose.Make(propose.Found{Host: "gw", Time: time.Unix(0, 0), ConnMarks: 0xc0000000})
	if err != nil {
		t.Fatal(err)
	}
	const want = `  # Somebody uses the bit 0x80000000 of marks, which netpold would take.
  done_mark = "0x20000000"
  # Somebody uses the bit 0x40000000 of marks. Another makes packets cheaper, see quiet_mark.
  quiet_mark = "none"
`
	if !strings.Contains(string(got.Policies), want) {
		t.Errorf("got %s\nwant %s in it", got.Policies, want)
	}
	parses(t, got)
}
