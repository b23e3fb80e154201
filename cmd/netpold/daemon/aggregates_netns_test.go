package daemon

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/netpol/netpol/compiler/artifact"
)

// accounts are what aggregate records in a file add up to, by policy: bytes and packets
// of the local side, then of the other.
func (s *site) accounts(name string) map[string][4]uint64 {
	s.t.Helper()
	out := map[string][4]uint64{}
	data, _ := os.ReadFile(name)
	for line := range bytes.Lines(data) {
		var r struct {
			Type  string
			Exact bool
			Rows  []struct {
				Policy       string
				LocalIP      string `json:"local_ip"`
				LocalBytes   uint64 `json:"local_bytes"`
				LocalPackets uint64 `json:"local_packets"`
				OtherBytes   uint64 `json:"other_bytes"`
				OtherPackets uint64 `json:"other_packets"`
			}
		}
		if err := json.Unmarshal(line, &r); err != nil {
			s.t.Fatalf("%s: %v", line, err)
		}
		if r.Type != "aggregate" || !r.Exact {
			s.t.Fatalf("got %s", line)
		}
		for _, row := range r.Rows {
			if row.LocalIP != s.ClientAddr4.String() {
				s.t.Fatalf("got a row of %s", row.LocalIP)
			}
			sum := out[row.Policy]
			sum[0] += row.LocalBytes
			sum[1] += row.LocalPackets
			sum[2] += row.OtherBytes
			sum[3] += row.OtherPackets
			out[row.Policy] = sum
		}
	}
	return out
}

// kernelsAccounts are what counters of nftables in the forward hook have of two ports.
func (s *site) kernelsAccounts(free, paid uint16) map[string][4]uint64 {
	s.t.Helper()
	out := map[string][4]uint64{}
	for policy, port := range map[string]uint16{"port": free, "": paid} {
		var sum [4]uint64
		for i, direction := range []string{"to", "from"} {
			var list struct {
				Nftables []struct {
					Counter struct {
						Name           string
						Bytes, Packets uint64
					}
				}
			}
			text := s.Router.Run("nft", "-j", "list", "counter", "inet", "accounts", fmt.Sprintf("%s%d", direction, port))
			if err := json.Unmarshal([]byte(text), &list); err != nil {
				s.t.Fatalf("%s: %v", text, err)
			}
			for _, one := range list.Nftables {
				sum[2*i] += one.Counter.Bytes
				sum[2*i+1] += one.Counter.Packets
			}
		}
		out[policy] = sum
	}
	return out
}

// TestAccountsAgreeWithTheKernel sends traffic inside and outside of a policy: what a
// subscriber has used of either agrees with counters of nftables to the byte, also when
// conntrack's entries are removed meanwhile and when netpold stops.
func TestAccountsAgreeWithTheKernel(t *testing.T) {
	s := newSite(t)
	free := s.server
	s.answer()
	paid := s.server
	file := filepath.Join(t.TempDir(), "accounts.jsonl")
	s.bundle.Sinks = []artifact.Sink{{Name: "file", Kind: artifact.SinkFile, Path: file, Queue: 1 << 20, Records: []string{"aggregate"}}}
	s.bundle.Aggregates = []artifact.Aggregate{{
		Name: "zero-rating", By: []string{"local_ip", "policy"}, Policies: []string{"port"}, Interval: time.Second, Top: 10, Keys: 16, Sinks: []int{0},
	}}
	rules := "table inet accounts {\n"
	for _, port := range []uint16{free.Port(), paid.Port()} {
		rules += fmt.Sprintf("counter to%[1]d {}\ncounter from%[1]d {}\n", port)
	}
	rules += "chain c {\ntype filter hook forward priority 0; policy accept;\n"
	for _, port := range []uint16{free.Port(), paid.Port()} {
		rules += fmt.Sprintf("ip saddr %[1]s udp dport %[2]d counter name to%[2]d\nip daddr %[1]s udp sport %[2]d counter name from%[2]d\n", s.ClientAddr4, port)
	}
	script := filepath.Join(t.TempDir(), "rules.nft")
	if err := os.WriteFile(script, []byte(rules+"}\n}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.Router.Run("nft", "-f", script)
	_, stop := s.netpold(slog.New(slog.DiscardHandler))

	agree := func(when string) {
		t.Helper()
		want := s.kernelsAccounts(free.Port(), paid.Port())
		for deadline := time.Now().Add(patience); !cmp.Equal(s.accounts(file), want); time.Sleep(20 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%s, -kernel +netpold:\n%s", when, cmp.Diff(want, s.accounts(file)))
			}
		}
	}
	s.server = free
	_, freely := s.talk()
	s.server = paid
	_, dearly := s.talk()
	freely(300, 1200)
	dearly(200, 700)
	agree("while the connections live")
	freely(40, 10)
	agree("of what came later")

	s.Router.Run("conntrack", "-D", "-p", "udp")
	freely(10, 333) // fewer packets than before
	dearly(500, 900)
	agree("after the entries were removed")

	_, more := s.talk()
	more(1, 50) // too few to be decided
	dearly(7, 77)
	time.Sleep(time.Second) // for the last reading
	stop()
	if diff := cmp.Diff(s.kernelsAccounts(free.Port(), paid.Port()), s.accounts(file)); diff != "" {
		t.Errorf("after netpold has stopped, -kernel +netpold:\n%s", diff)
	}

	// The next one finds connections that are decided, and some that are not.
	e, _ := s.netpold(slog.New(slog.DiscardHandler))
	s.waitFor("what there is already", func() bool { return e.counters()["adopted"] > 0 })
	more(60, 60)
	dearly(50, 66)
	agree("after a start beside connections")
}
