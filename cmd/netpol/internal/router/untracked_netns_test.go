package router

import (
	"net/netip"
	"testing"

	"github.com/netpol/netpol/enforcer/kernel/ct"
	"github.com/netpol/netpol/enforcer/kernel/kerneltest"
)

// Connections of a policy with notrack pass, both directions and from the router
// itself as well, and conntrack has no trace of them; others are as before.
func TestUntrackedConnectionsHaveNoEntry(t *testing.T) {
	lab := kerneltest.NewLab(t)
	b, r := enforceOn(t, lab, `
policy "bulk" {
  criteria = "ip_protocol == 'tcp' && dst_port == 7001 && other_ip == '198.51.100.2'"
  notrack  = true
}
policy "both" {
  criteria = "ip_protocol == 'tcp' && dst_port in 7001..7002"
  label    = "both"
}`)
	for _, port := range []uint16{7001, 7002} {
		to := netip.AddrPortFrom(lab.ServerAddr4, port)
		listen(t, lab.Server, to)
		if err := dial(t, lab.Client, to); err != nil {
			t.Fatalf("port %d through the router: %v", port, err)
		}
	}
	if err := dial(t, lab.Router, netip.AddrPortFrom(lab.ServerAddr4, 7001)); err != nil {
		t.Fatalf("from the router: %v", err)
	}
	if e := entryTo(t, 7002); !hasBit(e.Labels, bitOf(t, b, "both")) {
		t.Errorf("the tracked connection has no label: %+v", e)
	}
	for _, e := range entries(t) {
		if e.Orig.DstPort == 7001 || e.Orig.SrcPort == 7001 {
			t.Errorf("conntrack has %+v", e)
		}
	}
	packets := map[string]uint64{}
	for _, c := range read(t, r).Table.Counts() {
		packets[c.Chain] += c.Packets
	}
	if packets["np_notrack"] < 10 { // two connections of five packets
		t.Errorf("counted %v", packets)
	}
}

func hasBit(labels [16]byte, bit int) bool { return labels[bit/8]&(1<<(bit%8)) != 0 }

// entries are all of conntrack's.
func entries(t *testing.T) []ct.Conn {
	t.Helper()
	client, err := ct.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = client.Close() }()
	var out []ct.Conn
	if err := client.Dump(func(c ct.Conn) error {
		out = append(out, c)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return out
}
