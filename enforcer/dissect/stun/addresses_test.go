package stun

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/netpol/netpol/enforcer/dissect"
	"github.com/netpol/netpol/enforcer/dissect/dissecttest"
	"github.com/netpol/netpol/lang/fact"
)

// RFC 5769 section 2.2 and 2.3: the address is 192.0.2.1 and
// 2001:db8:1234:5678:11:2233:4455:6677.
const (
	txid     = "\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae"
	mapped6  = "\x01\x01\x00\x18\x21\x12\xa4\x42" + txid + "\x00\x20\x00\x14\x00\x02\xa1\x47\x01\x13\xa9\xfa\xa5\xd3\xf1\x79\xbc\x25\xf4\xb5\xbe\xd2\xb9\xd9"
	allocate = "\x00\x03\x00\x00\x21\x12\xa4\x42" + txid
	// XOR-RELAYED-ADDRESS 198.51.100.7 behind a DATA of one byte and its padding, then XOR-MAPPED-ADDRESS.
	allocated = "\x01\x03\x00\x20\x21\x12\xa4\x42" + txid + "\x00\x13\x00\x01x\x00\x00\x00" +
		"\x00\x16\x00\x08\x00\x01\xa1\x47\xe7\x21\xc0\x45" + "\x00\x20\x00\x08\x00\x01\xa1\x47\xe1\x12\xa6\x43"
	// RESPONSE-ORIGIN 198.51.100.8 and OTHER-ADDRESS 198.51.100.9, neither XORed, and XOR-MAPPED-ADDRESS.
	behaviour = "\x01\x01\x00\x24\x21\x12\xa4\x42" + txid + "\x80\x2b\x00\x08\x00\x01\x0d\x96\xc6\x33\x64\x08" +
		"\x80\x2c\x00\x08\x00\x01\x0d\x97\xc6\x33\x64\x09" + "\x00\x20\x00\x08\x00\x01\xa1\x47\xe1\x12\xa6\x43"
	permission = "\x00\x08\x00\x0c\x21\x12\xa4\x42" + txid + "\x00\x12\x00\x08\x00\x01\xa1\x47\xe1\x12\xa6\x40"
)

func addressCases() []dissecttest.Case {
	udp, c, s := dissecttest.UDP, dissecttest.Client[string], dissecttest.Server[string]
	asked := dissect.Wants{STUN: true}
	mapped, relayed := named, named
	mapped.STUNMapped = netip.MustParseAddr("192.0.2.1")
	v6 := named
	v6.STUNMapped = netip.MustParseAddr("2001:db8:1234:5678:11:2233:4455:6677")
	relayed.STUNMapped, relayed.STUNRelayed = mapped.STUNMapped, netip.MustParseAddr("198.51.100.7")
	peered := relayed
	peered.STUNPeer = netip.MustParseAddr("192.0.2.2")
	told := mapped
	told.STUNResponse, told.STUNOther = netip.MustParseAddr("198.51.100.8"), netip.MustParseAddr("198.51.100.9")
	return []dissecttest.Case{
		{Name: "behaviour discovery", In: udp(3478, c(request), s(behaviour)).Wanting(asked), Result: dissect.Partial, Want: told},
		{Name: "nobody asks", In: udp(3478, c(request), s(response)), Result: dissect.Partial, Want: named},
		{Name: "request", In: udp(3478, c(request)).Wanting(asked), Result: dissect.Partial, Want: named},
		{Name: "mapped", In: udp(3478, c(request), s(response)).Wanting(asked), Result: dissect.Partial, Want: mapped},
		{Name: "mapped, IPv6", In: udp(3478, c(request), s(mapped6)).Wanting(asked), Result: dissect.Partial, Want: v6},
		{Name: "mapped, classic", In: udp(3478, c(classicRequest), s(classicResponse)).Wanting(asked), Result: dissect.Partial, Want: mapped},
		{Name: "relayed", In: udp(3478, c(allocate), s(allocated)).Wanting(asked), Result: dissect.Partial, Want: relayed},
		{Name: "relayed to a peer", In: udp(3478, c(allocate), s(allocated), c(permission)).Wanting(asked), Result: dissect.Partial, Want: peered},
		{Name: "no answer", In: udp(3478, c(request), c(request), c(request), c(request), c(request), c(request)).Wanting(asked), Result: dissect.Partial, Want: named},
		{Name: "address of no family", In: udp(3478, s("\x01\x01\x00\x0c\x21\x12\xa4\x42"+txid+"\x00\x20\x00\x08\x00\x03\xa1\x47\xe1\x12\xa6\x43")).Wanting(asked), Result: dissect.Partial, Want: fact.Facts{Protocol: "stun"}},
	}
}

func TestAddresses(t *testing.T) { dissecttest.Run(t, Dissector{}, addressCases()) }

// TestPeers: what the newest message of a TURN flow is about is told whether
// anybody asks for its addresses or not.
func TestPeers(t *testing.T) {
	udp, c, s := dissecttest.UDP, dissecttest.Client[string], dissecttest.Server[string]
	for _, tt := range []struct {
		name string
		in   dissecttest.Flow
		want string
	}{
		{"request", udp(3478, c(request), s(response)), "[]"},
		{"allocation", udp(3478, c(allocate), s(allocated)), "[198.51.100.7]"},
		{"permission", udp(3478, c(allocate), s(allocated), c(permission)), "[192.0.2.2]"},
	} {
		w, f := tt.in.Whole(), fact.Facts{}
		Dissector{}.Dissect(w, &f)
		if got := fmt.Sprint(w.Peers); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
		}
	}
}
