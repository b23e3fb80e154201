package nft

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/kernel/internal/nfnl"
)

// What nft 1.0.6 sends for
//
//	table inet ke_t {
//		flowtable np_flow { hook ingress priority 0; devices = { lo }; counter; }
//		chain c { type filter hook forward priority 11; flow add @np_flow; }
//	}
//
// as strace shows it: the attributes of its NFT_MSG_NEWFLOWTABLE, and its
// expression.
const (
	nftFlowtable = "\x09\x00\x01\x00ke_t\x00\x00\x00\x00" + "\x0c\x00\x02\x00np_flow\x00" +
		"\x20\x00\x03\x80\x08\x00\x01\x00\x00\x00\x00\x00\x08\x00\x02\x00\x00\x00\x00\x00\x0c\x00\x03\x80\x07\x00\x01\x00lo\x00\x00" +
		"\x08\x00\x07\x00\x00\x00\x00\x02"
	nftFlowAdd = "\x11\x00\x01\x00flow_offload\x00\x00\x00\x00" + "\x10\x00\x02\x80\x0c\x00\x01\x00np_flow\x00"
)

// The kernel that this was written on has no flowtables, so what it is sent is
// held against nft's bytes, and what it would answer is read from them.
func TestFlowtableAsNftSendsIt(t *testing.T) {
	want := artifact.Flowtable{Name: "np_flow", Devices: []string{"lo"}}
	b := newBatch(0)
	if err := b.flowtable(unix.NFPROTO_INET, "ke_t", want); err != nil {
		t.Fatal(err)
	}
	m, _, ok := nfnl.Next(b.buf[b.last:])
	if !ok || m.Type != subsystem|unix.NFT_MSG_NEWFLOWTABLE {
		t.Fatalf("message %#x", m.Type)
	}
	if diff := cmp.Diff([]byte(nftFlowtable), m.Data); diff != "" {
		t.Errorf("flowtable (-nft +netpol):\n%s", diff)
	}
	got, ok := decodeFlowtable(splitAttrs([]byte(nftFlowtable)))
	if diff := cmp.Diff(want, got); diff != "" || !ok {
		t.Errorf("read back: %v (-want +got):\n%s", ok, diff)
	}
	hardware := bytes.Replace([]byte(nftFlowtable), []byte("\x00\x00\x00\x02"), []byte("\x00\x00\x00\x03"), 1)
	if got, ok := decodeFlowtable(splitAttrs(hardware)); !ok || !got.Hardware {
		t.Errorf("by hardware: %+v, %v", got, ok)
	}
	silent := bytes.Replace([]byte(nftFlowtable), []byte("\x00\x00\x00\x02"), []byte("\x00\x00\x00\x00"), 1)
	if got, ok := decodeFlowtable(splitAttrs(silent)); ok {
		t.Errorf("one that does not count is taken for netpol's: %+v", got)
	}
}

func TestFlowAddAsNftSendsIt(t *testing.T) {
	do := artifact.Statement{Kind: artifact.DoFlowAdd, Name: "np_flow"}
	exprs, err := encodeStatement(do)
	if err != nil || len(exprs) != 1 {
		t.Fatalf("%v, %v", exprs, err)
	}
	got, err := marshal(unix.NFPROTO_INET, exprs[0])
	if diff := cmp.Diff([]byte(nftFlowAdd), got); diff != "" || err != nil {
		t.Errorf("%v (-nft +netpol):\n%s", err, diff)
	}
	if s, n := takeStatement([]op{decodeOp([]byte(nftFlowAdd))}, nil); n != 1 || s != do {
		t.Errorf("read back as %+v", s)
	}
}
