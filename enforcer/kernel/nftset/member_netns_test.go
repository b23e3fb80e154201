//go:build linux

package nftset

import (
	"errors"
	"fmt"
	"net/netip"
	"os/exec"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/kernel/kerneltest"
)

func blocks(version uint8, fields ...artifact.FlowField) *artifact.FlowSet {
	return &artifact.FlowSet{
		Block: "blocks", Kind: artifact.FlowSetNft, Family: "inet", Table: artifact.SetTable, Name: "blocks",
		Version: version, Fields: fields, Timeout: time.Hour, Size: 100, Managed: true,
	}
}

func sample() artifact.Member {
	return artifact.Member{
		Local: netip.MustParseAddr("192.168.1.7"), Other: netip.MustParseAddr("203.0.113.9"),
		LocalMAC: [6]byte{2, 0, 0, 0, 0, 7}, OtherMAC: [6]byte{2, 0, 0, 0, 0, 9},
		LocalPort: 40000, OtherPort: 443, Proto: 6, Mark: 0x10, Interface: "lan0",
	}
}

func put(s *artifact.FlowSet, m artifact.Member) artifact.MemberChange {
	return artifact.MemberChange{Set: s, Member: m}
}

func take(s *artifact.FlowSet, m artifact.Member) artifact.MemberChange {
	return artifact.MemberChange{Set: s, Member: m, Op: artifact.MemberTake}
}

// Every field alone, and concatenations, as nft lists them.
func TestMembersAsNftListsThem(t *testing.T) {
	six := sample()
	six.Local, six.Other = netip.MustParseAddr("fd00::7"), netip.MustParseAddr("2001:db8::9")
	tests := []struct {
		name    string
		set     *artifact.FlowSet
		in      artifact.Member
		typ     string
		element string
	}{
		{"local address", blocks(4, artifact.FieldLocalAddr), sample(), "ipv4_addr", "192.168.1.7"},
		{"other address of IPv6", blocks(6, artifact.FieldOtherAddr), six, "ipv6_addr", "2001:db8::9"},
		{"local mac", blocks(0, artifact.FieldLocalMAC), sample(), "ether_addr", "02:00:00:00:00:07"},
		{"other port", blocks(0, artifact.FieldOtherPort), sample(), "inet_service", "443"},
		{"protocol", blocks(0, artifact.FieldProto), sample(), "inet_proto", "tcp"},
		{"mark", blocks(0, artifact.FieldMark), sample(), "mark", "0x00000010"},
		{"interface", blocks(0, artifact.FieldInterface), sample(), "ifname", `"lan0"`},
		{
			"Netify's", blocks(4, artifact.FieldLocalAddr, artifact.FieldProto, artifact.FieldOtherPort, artifact.FieldOtherAddr), sample(),
			"ipv4_addr . inet_proto . inet_service . ipv4_addr", "192.168.1.7 . tcp . 443 . 203.0.113.9",
		},
		{
			"with a mac and a name", blocks(6, artifact.FieldInterface, artifact.FieldOtherMAC, artifact.FieldLocalAddr, artifact.FieldMark, artifact.FieldLocalPort), six,
			"ifname . ether_addr . ipv6_addr . mark . inet_service", `"lan0" . 02:00:00:00:00:09 . fd00::7 . 0x00000010 . 40000`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ns := kerneltest.NewNS(t)
			if err := Create(tt.set); err != nil {
				t.Fatal(err)
			}
			var m Members
			if faults := m.Write([]artifact.MemberChange{put(tt.set, tt.in)}); len(faults) != 0 {
				t.Fatalf("put: %v", faults)
			}
			out := ns.Run("nft", "list", "set", "inet", artifact.SetTable, "blocks")
			for _, want := range []string{"type " + tt.typ + "\n", "size 100", "timeout 1h", tt.element + " expires"} {
				if !strings.Contains(out, want) {
					t.Errorf("got %s, want %q in it", out, want)
				}
			}
			if got, err := Describe(tt.set); err != nil || got != tt.set.Declaration() {
				t.Errorf("described as %q, %v; want %q", got, err, tt.set.Declaration())
			}
			if faults := m.Write([]artifact.MemberChange{take(tt.set, tt.in), take(tt.set, tt.in)}); len(faults) != 0 {
				t.Fatalf("take: %v", faults)
			}
			if out := ns.Run("nft", "list", "set", "inet", artifact.SetTable, "blocks"); strings.Contains(out, "elements") {
				t.Errorf("after it was taken out: %s", out)
			}
		})
	}
}

func many(n int) []artifact.Member {
	out := make([]artifact.Member, n)
	for i := range out {
		out[i] = artifact.Member{Local: netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)})}
	}
	return out
}

// A set that is full takes what fits, and the others are counted.
func TestFullSetTakesWhatFits(t *testing.T) {
	ns := kerneltest.NewNS(t)
	s := blocks(4, artifact.FieldLocalAddr)
	if err := Create(s); err != nil {
		t.Fatal(err)
	}
	var changes []artifact.MemberChange
	for _, m := range many(1000) {
		changes = append(changes, put(s, m))
	}
	var m Members
	faults := m.Write(changes)
	if len(faults) != 1 || faults[0].Kind != artifact.FaultFull || faults[0].Count != 900 || !errors.Is(faults[0].Err, unix.ENFILE) {
		t.Errorf("got %+v, want 900 that were too many", faults)
	}
	if n := strings.Count(ns.Run("nft", "list", "set", "inet", artifact.SetTable, "blocks"), "expires"); n != 100 {
		t.Errorf("got %d elements, want 100", n)
	}
	// Room again, also within one batch.
	swap := []artifact.MemberChange{take(s, changes[0].Member), put(s, changes[999].Member)}
	if faults := m.Write(swap); len(faults) != 0 {
		t.Errorf("swap: %+v", faults)
	}
}

// Renewing gives the whole life again, and to many at once.
func TestPutAgainRenews(t *testing.T) {
	ns := kerneltest.NewNS(t)
	s := blocks(4, artifact.FieldLocalAddr)
	s.Timeout = 100 * time.Second
	if err := Create(s); err != nil {
		t.Fatal(err)
	}
	ns.Run("nft", "add", "element", "inet", artifact.SetTable, "blocks", "{ 10.0.0.0 timeout 5s }")
	var m Members
	if faults := m.Write([]artifact.MemberChange{put(s, many(1)[0])}); len(faults) != 0 {
		t.Fatal(faults)
	}
	out := ns.Run("nft", "list", "set", "inet", artifact.SetTable, "blocks")
	if !strings.Contains(out, "expires 1m3") && !strings.Contains(out, "expires 1m40s") {
		t.Errorf("got %s, want an element that lives for 100 s", out)
	}
}

// The user's own sets: with ranges, without a timeout, of another type, gone.
func TestSetsOfOthers(t *testing.T) {
	ns := kerneltest.NewNS(t)
	ns.Run("nft", "add table ip fw")
	ns.Run("nft", "add set ip fw wide { type ipv4_addr; flags interval; elements = { 10.9.0.0/16 } }")
	ns.Run("nft", "add set ip fw plain { type ipv4_addr; }")
	ns.Run("nft", "add set ip fw ports { type inet_service; }")
	of := func(name string) *artifact.FlowSet {
		return &artifact.FlowSet{Kind: artifact.FlowSetNft, Family: "ip", Table: "fw", Name: name, Version: 4, Fields: []artifact.FlowField{artifact.FieldLocalAddr}, Timeout: time.Hour}
	}
	member := many(1)[0]
	var m Members
	faults := m.Write([]artifact.MemberChange{put(of("wide"), member), put(of("plain"), member), put(of("ports"), member), put(of("none"), member), take(of("none"), member)})
	got := ""
	for _, f := range faults {
		got += fmt.Sprintf("%s %s %d; ", f.Set.Name, f.Kind, f.Count)
	}
	if want := "ports mismatch 1; none missing 1; "; got != want {
		t.Errorf("faults: got %q, want %q", got, want)
	}
	for set, want := range map[string]string{"wide": "elements = { 10.0.0.0, 10.9.0.0/16 }", "plain": "elements = { 10.0.0.0 }"} {
		if out := ns.Run("nft", "list", "set", "ip", "fw", set); !strings.Contains(out, want) {
			t.Errorf("got %s, want %q", out, want)
		}
	}
	if faults := m.Write([]artifact.MemberChange{take(of("wide"), member)}); len(faults) != 0 {
		t.Error(faults)
	}
	if out := ns.Run("nft", "list", "set", "ip", "fw", "wide"); !strings.Contains(out, "elements = { 10.9.0.0/16 }") {
		t.Errorf("got %s, want the user's range alone", out)
	}
}

func TestCreateFlushRemove(t *testing.T) {
	ns := kerneltest.NewNS(t)
	s := blocks(4, artifact.FieldLocalAddr)
	if got, err := Describe(s); got != "" || err != nil {
		t.Errorf("before: %q, %v; want nothing", got, err)
	}
	if err := errors.Join(Remove(s), Flush(s)); err != nil {
		t.Errorf("of nothing: %v", err)
	}
	foreign := *s
	foreign.Table = "fw"
	if err := Create(&foreign); err == nil || !strings.Contains(err.Error(), "no table inet fw") {
		t.Errorf("without the user's table: %v", err)
	}
	if err := Create(s); err != nil {
		t.Fatal(err)
	}
	if err := Create(s); !errors.Is(err, unix.EEXIST) {
		t.Errorf("a second one: %v, want %v", err, unix.EEXIST)
	}
	var m Members
	m.Write([]artifact.MemberChange{put(s, sample())})
	if err := Flush(s); err != nil {
		t.Fatal(err)
	}
	if out := ns.Run("nft", "list", "ruleset"); strings.Contains(out, "192.168.1.7") {
		t.Errorf("after flush: %s", out)
	}
	ns.Run("nft", "add chain inet "+artifact.SetTable+" mine")
	ns.Run("nft", "add rule inet "+artifact.SetTable+" mine ip saddr @blocks drop")
	if err := Remove(s); !errors.Is(err, unix.EBUSY) {
		t.Errorf("while a rule uses it: %v, want %v", err, unix.EBUSY)
	}
	ns.Run("nft", "flush chain inet "+artifact.SetTable+" mine")
	if err := Remove(s); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("nft", "list", "set", "inet", artifact.SetTable, "blocks").CombinedOutput(); err == nil {
		t.Errorf("after remove: %s", out)
	}
}

// What is to be kept is renewed where it is, and is not put where it is not.
func TestKeep(t *testing.T) {
	ns := kerneltest.NewNS(t)
	s := blocks(4, artifact.FieldLocalAddr, artifact.FieldOtherPort)
	if err := Create(s); err != nil {
		t.Fatal(err)
	}
	ns.Run("nft", "add", "element", "inet", artifact.SetTable, "blocks", "{ 10.0.0.1 . 443 timeout 5s }")
	var changes []artifact.MemberChange
	for _, m := range many(600) {
		m.OtherPort = 443
		changes = append(changes, artifact.MemberChange{Set: s, Member: m, Op: artifact.MemberKeep})
	}
	var m Members
	if faults := m.Write(changes); len(faults) != 0 {
		t.Fatal(faults)
	}
	out := ns.Run("nft", "list", "set", "inet", artifact.SetTable, "blocks")
	if strings.Count(out, "expires") != 1 || !strings.Contains(out, "10.0.0.1 . 443 expires 59m") && !strings.Contains(out, "10.0.0.1 . 443 expires 1h") {
		t.Errorf("got %s, want one element that lives for an hour", out)
	}
}
