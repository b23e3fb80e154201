package ct

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/netpol/netpol/enforcer/flow"
	"github.com/netpol/netpol/enforcer/kernel/internal/nfnl"
)

func tuple(src, dst string, proto uint8) flow.Tuple {
	return flow.Tuple{Src: netip.MustParseAddr(src), Dst: netip.MustParseAddr(dst), Proto: proto}
}

func tuples() map[string]flow.Tuple {
	ports := func(t flow.Tuple) flow.Tuple {
		t.SrcPort, t.DstPort = 40000, 443
		return t
	}
	echo := func(t flow.Tuple, typ uint8) flow.Tuple {
		t.ICMPType, t.ICMPID = typ, 77
		return t
	}
	return map[string]flow.Tuple{
		"tcp4":  ports(tuple("192.0.2.1", "198.51.100.1", 6)),
		"udp6":  ports(tuple("2001:db8::1", "2001:db8::2", 17)),
		"sctp4": ports(tuple("192.0.2.1", "198.51.100.1", 132)),
		"icmp":  echo(tuple("192.0.2.1", "198.51.100.1", 1), 8),
		"icmp6": echo(tuple("2001:db8::1", "2001:db8::2", 58), 128),
		"esp":   tuple("192.0.2.1", "198.51.100.1", 50),
	}
}

var compareAddr = cmpopts.EquateComparable(netip.Addr{})

func TestTupleRoundTrip(t *testing.T) {
	for name, in := range tuples() {
		t.Run(name, func(t *testing.T) {
			a, rest, ok := nfnl.NextAttr(appendTuple(nil, ctaTupleOrig, in))
			if !ok || a.Type != ctaTupleOrig || len(rest) != 0 {
				t.Fatalf("attribute %+v, %d bytes left", a, len(rest))
			}
			if diff := cmp.Diff(in, parseTuple(a.Data), compareAddr); diff != "" {
				t.Errorf("-in +out:\n%s", diff)
			}
		})
	}
}

// An IPv4 address in IPv6 form is the same connection to the kernel.
func TestTupleUnmaps(t *testing.T) {
	mapped := tuple("::ffff:192.0.2.1", "::ffff:198.51.100.1", 6)
	plain := tuple("192.0.2.1", "198.51.100.1", 6)
	if diff := cmp.Diff(appendTuple(nil, 1, plain), appendTuple(nil, 1, mapped)); diff != "" {
		t.Error(diff)
	}
	if got := family(mapped); got != familyIPv4 {
		t.Errorf("family %d, want %d", got, familyIPv4)
	}
}

func TestUpdateStaysInsideItsMasks(t *testing.T) {
	u := flow.Update{Tuple: tuples()["tcp4"], Mark: 0xffffffff, MarkMask: 0xf0}
	for i := range u.Labels {
		u.Labels[i] = 0xff
	}
	u.LabelMask[3] = 0x81
	m, _, ok := nfnl.Next(appendUpdate(nil, 9, &u))
	if !ok || m.Seq != 9 {
		t.Fatalf("message %+v %v", m, ok)
	}
	c := parseConn(m.Data)
	if want := [16]byte{3: 0x81}; c.Labels != want || c.Mark != 0xf0 {
		t.Errorf("labels %x mark %#x, want %x 0xf0", c.Labels, c.Mark, want)
	}
	size := 0
	for a, rest, ok := nfnl.NextAttr(m.Data); ok; a, rest, ok = nfnl.NextAttr(rest) {
		if a.Type == ctaLabels || a.Type == ctaLabelsMask {
			size += len(a.Data)
		}
	}
	if size != 32 {
		t.Errorf("labels and mask have %d bytes, want all 32", size)
	}
}

func TestUpdateFitsItsRoom(t *testing.T) {
	u := flow.Update{Tuple: tuples()["udp6"], MarkMask: 1, LabelMask: [16]byte{1}}
	if n := len(appendUpdate(nil, 1, &u)); n > updateBytes {
		t.Errorf("an update takes %d bytes, updateBytes is %d", n, updateBytes)
	}
}

// FuzzParseConn: a connection read from any bytes can be asked for again.
func FuzzParseConn(f *testing.F) {
	for _, t := range tuples() {
		b := appendTuple(nil, ctaTupleOrig, t)
		b = appendTuple(b, ctaTupleReply, t)
		b = nfnl.Uint32(b, ctaMark, 7)
		f.Add(nfnl.Bytes(b, ctaLabels, make([]byte, 16)))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		c := parseConn(b)
		c.Has(-1)
		c.Has(128)
		again := appendTuple(appendTuple(nil, ctaTupleOrig, c.Orig), ctaTupleReply, c.Reply)
		if got := parseConn(again); got.Orig.Proto != c.Orig.Proto {
			t.Fatalf("protocol %d became %d", c.Orig.Proto, got.Orig.Proto)
		}
	})
}
