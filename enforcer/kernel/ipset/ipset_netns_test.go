//go:build linux

package ipset

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/kernel/kerneltest"
)

func games(version uint8, typ string, fields ...artifact.FlowField) *artifact.FlowSet {
	return &artifact.FlowSet{
		Block: "games", Kind: artifact.FlowSetIpset, Name: "games", Version: version, Type: typ, Fields: fields,
		Timeout: time.Hour, Size: 100, Managed: true,
	}
}

func sample() artifact.Member {
	return artifact.Member{
		Local: netip.MustParseAddr("192.168.1.7"), Other: netip.MustParseAddr("203.0.113.9"),
		LocalMAC: [6]byte{2, 0, 0, 0, 0, 7}, LocalPort: 40000, OtherPort: 443, Proto: 17, Interface: "lan0", Mark: 16,
	}
}

func put(s *artifact.FlowSet, m artifact.Member) artifact.MemberChange {
	return artifact.MemberChange{Set: s, Member: m}
}

func take(s *artifact.FlowSet, m artifact.Member) artifact.MemberChange {
	return artifact.MemberChange{Set: s, Member: m, Op: artifact.MemberTake}
}

func TestMembersAsIpsetListsThem(t *testing.T) {
	local, other := artifact.FieldLocalAddr, artifact.FieldOtherAddr
	port, device := artifact.FieldOtherPort, artifact.FieldInterface
	six := sample()
	six.Local, six.Other = netip.MustParseAddr("fd00::7"), netip.MustParseAddr("2001:db8::9")
	tests := []struct {
		set  *artifact.FlowSet
		in   artifact.Member
		want string
	}{
		{games(4, "hash:ip", local), sample(), "192.168.1.7"},
		{games(6, "hash:ip", other), six, "2001:db8::9"},
		{games(4, "hash:ip,port", other, port), sample(), "203.0.113.9,udp:443"},
		{games(4, "hash:ip,port,ip", other, port, local), sample(), "203.0.113.9,udp:443,192.168.1.7"},
		{games(6, "hash:ip,port,ip", other, port, local), six, "2001:db8::9,udp:443,fd00::7"},
		{games(4, "hash:net", other), sample(), "203.0.113.9"},
		{games(4, "hash:net,port", other, port), sample(), "203.0.113.9,udp:443"},
		{games(4, "hash:ip,port,net", other, port, local), sample(), "203.0.113.9,udp:443,192.168.1.7"},
		{games(4, "hash:net,iface", local, device), sample(), "192.168.1.7,lan0"},
		{games(0, "hash:mac", artifact.FieldLocalMAC), sample(), "02:00:00:00:00:07"},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprint(tt.set.Type, tt.set.Version), func(t *testing.T) {
			ns := kerneltest.NewNS(t)
			err := Create(tt.set)
			if errors.Is(err, errNoType) {
				t.Skipf("%v", err)
			}
			if err != nil {
				t.Fatal(err)
			}
			if faults := Write([]artifact.MemberChange{put(tt.set, tt.in), put(tt.set, tt.in)}); len(faults) != 0 {
				t.Fatalf("put: %v", faults)
			}
			out := ns.Run("ipset", "list", "games")
			for _, want := range []string{"Type: " + tt.set.Type + "\n", "maxelem 100", "timeout 3600", "\n" + tt.want + " timeout "} {
				if !strings.Contains(out, want) {
					t.Errorf("got %s, want %q in it", out, want)
				}
			}
			if got, err := Describe(tt.set); err != nil || got != tt.set.Declaration() {
				t.Errorf("described as %q, %v; want %q", got, err, tt.set.Declaration())
			}
			if faults := Write([]artifact.MemberChange{take(tt.set, tt.in), take(tt.set, tt.in)}); len(faults) != 0 {
				t.Fatalf("take: %v", faults)
			}
			if out := ns.Run("ipset", "list", "games"); !strings.Contains(out, "Number of entries: 0") {
				t.Errorf("after it was taken out: %s", out)
			}
		})
	}
}

func TestSkbInfo(t *testing.T) {
	ns := kerneltest.NewNS(t)
	priority, queue := uint32(1<<16|0x10), uint16(3)
	s := games(4, "hash:ip", artifact.FieldLocalAddr)
	s.Skb = &artifact.SkbInfo{Mark: &artifact.Mark{Value: 0x10, Mask: 0xff}, Priority: &priority, Queue: &queue}
	if err := Create(s); err != nil {
		t.Fatal(err)
	}
	if faults := Write([]artifact.MemberChange{put(s, sample())}); len(faults) != 0 {
		t.Fatal(faults)
	}
	if out := ns.Run("ipset", "list", "games"); !strings.Contains(out, "skbmark 0x10/0xff skbprio 1:10 skbqueue 3") {
		t.Errorf("got %s", out)
	}
}

func TestFullSetTakesWhatFits(t *testing.T) {
	ns := kerneltest.NewNS(t)
	s := games(4, "hash:ip", artifact.FieldLocalAddr)
	s.Size, s.Timeout = 64, 0
	if err := Create(s); err != nil {
		t.Fatal(err)
	}
	var changes []artifact.MemberChange
	for i := range 1000 {
		changes = append(changes, put(s, artifact.Member{Local: netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)})}))
	}
	faults := Write(changes)
	if len(faults) != 1 || faults[0].Kind != artifact.FaultFull || faults[0].Count != 1000-64 {
		t.Errorf("got %+v, want %d that were too many", faults, 1000-64)
	}
	if out := ns.Run("ipset", "list", "games"); !strings.Contains(out, "Number of entries: 64") {
		t.Errorf("got %s", out)
	}
}

// Sets that are not there, of another IP version, or without what is asked.
func TestFaultsAreSorted(t *testing.T) {
	ns := kerneltest.NewNS(t)
	ns.Run("ipset", "create", "six", "hash:ip", "family", "inet6")
	ns.Run("ipset", "create", "plain", "hash:ip")
	of := func(name string) *artifact.FlowSet {
		s := games(4, "hash:ip", artifact.FieldLocalAddr)
		s.Name = name
		return s
	}
	skb := of("plain")
	skb.Timeout, skb.Skb = 0, &artifact.SkbInfo{Mark: &artifact.Mark{Value: 1, Mask: 1}}
	got := ""
	for _, f := range Write([]artifact.MemberChange{put(of("none"), sample()), put(of("six"), sample()), put(of("plain"), sample()), put(skb, sample()), take(of("none"), sample())}) {
		got += fmt.Sprintf("%s %s %v %d; ", f.Set.Name, f.Kind, f.Err, f.Count)
	}
	want := fmt.Sprintf("none missing %v 1; six mismatch %v 1; plain mismatch %v 1; plain mismatch %v 1; ", ErrNoSet, errElement, errNoTime, errNoSkb)
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestCreateFlushRemove(t *testing.T) {
	ns := kerneltest.NewNS(t)
	s := games(4, "hash:ip", artifact.FieldLocalAddr)
	if got, err := Describe(s); got != "" || err != nil {
		t.Errorf("before: %q, %v; want nothing", got, err)
	}
	if err := errors.Join(Remove(s), Flush(s)); err != nil {
		t.Errorf("of nothing: %v", err)
	}
	if err := Create(s); err != nil {
		t.Fatal(err)
	}
	if err := Create(s); !errors.Is(err, errExists) {
		t.Errorf("a second one: %v, want %v", err, errExists)
	}
	Write([]artifact.MemberChange{put(s, sample())})
	if n, err := Count(s); n != 1 || err != nil {
		t.Errorf("counted %d, %v, want 1", n, err)
	}
	if err := Flush(s); err != nil {
		t.Fatal(err)
	}
	if n, err := Count(s); n != 0 || err != nil {
		t.Errorf("counted %d, %v after flush", n, err)
	}
	if out := ns.Run("ipset", "list", "games"); !strings.Contains(out, "Number of entries: 0") {
		t.Errorf("after flush: %s", out)
	}
	if err := Remove(s); err != nil {
		t.Fatal(err)
	}
	if out := ns.Run("ipset", "list", "-n"); strings.Contains(out, "games") {
		t.Errorf("after remove: %s", out)
	}
	if _, err := Count(s); !errors.Is(err, ErrNoSet) {
		t.Errorf("counted after remove: %v, want %v", err, ErrNoSet)
	}
	odd := games(4, "hash:odd", artifact.FieldLocalAddr)
	if err := Create(odd); !errors.Is(err, errNoType) {
		t.Errorf("of a type that is none: %v, want %v", err, errNoType)
	}
}

// What is to be kept is renewed where it is, and is not put where it is not.
func TestKeep(t *testing.T) {
	ns := kerneltest.NewNS(t)
	s := games(4, "hash:ip", artifact.FieldLocalAddr)
	if err := Create(s); err != nil {
		t.Fatal(err)
	}
	ns.Run("ipset", "add", "games", "10.0.0.1", "timeout", "5")
	var changes []artifact.MemberChange
	for i := range 600 {
		m := artifact.Member{Local: netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)})}
		changes = append(changes, artifact.MemberChange{Set: s, Member: m, Op: artifact.MemberKeep})
	}
	if faults := Write(changes); len(faults) != 0 {
		t.Fatal(faults)
	}
	out := ns.Run("ipset", "list", "games")
	if !strings.Contains(out, "Number of entries: 1\n") || !strings.Contains(out, "\n10.0.0.1 timeout 3") {
		t.Errorf("got %s, want one element that lives for an hour", out)
	}
}
