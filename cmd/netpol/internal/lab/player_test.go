package lab_test

import (
	"context"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"

	"github.com/netpol/netpol/cmd/netpol/internal/lab"
)

// capture writes n UDP packets each way over IPv6 and their file's name.
func capture(t *testing.T, client, server netip.AddrPort, n int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "call.pcap")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w := pcapgo.NewWriter(f)
	if err := w.WriteFileHeader(65535, layers.LinkTypeEthernet); err != nil {
		t.Fatal(err)
	}
	for i := range 2 * n {
		from, to := client, server
		if i%2 == 1 {
			from, to = server, client
		}
		eth := &layers.Ethernet{SrcMAC: []byte{2, 0, 0, 0, 0, 1}, DstMAC: []byte{2, 0, 0, 0, 0, 2}, EthernetType: layers.EthernetTypeIPv6}
		ip := &layers.IPv6{Version: 6, HopLimit: 64, NextHeader: layers.IPProtocolUDP, SrcIP: from.Addr().AsSlice(), DstIP: to.Addr().AsSlice()}
		udp := &layers.UDP{SrcPort: layers.UDPPort(from.Port()), DstPort: layers.UDPPort(to.Port())}
		if err := udp.SetNetworkLayerForChecksum(ip); err != nil {
			t.Fatal(err)
		}
		buf := gopacket.NewSerializeBuffer()
		opts := gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}
		if err := gopacket.SerializeLayers(buf, opts, eth, ip, udp, gopacket.Payload(make([]byte, 100))); err != nil {
			t.Fatal(err)
		}
		info := gopacket.CaptureInfo{Timestamp: time.Unix(int64(i), 0), Length: len(buf.Bytes()), CaptureLength: len(buf.Bytes())}
		if err := w.WritePacket(info, buf.Bytes()); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

func TestPlayCaptureCrossesRouterBothWays(t *testing.T) {
	const packets = 20
	client, server := netip.MustParseAddrPort("[2001:db8:c::7]:41000"), netip.MustParseAddrPort("[2620:123:2001::99]:8801")
	c, err := lab.ReadCapture(capture(t, client, server, packets))
	if err != nil {
		t.Fatal(err)
	}
	topology := newTopology(t, nil)
	if err := topology.AssignForCapture(client.Addr()); err != nil {
		t.Fatal(err)
	}
	wan := observe(t, topology.Server, lab.Inside)
	lan := observe(t, topology.Client, lab.Inside)
	sent, err := topology.PlayCapture(context.Background(), client.Addr(), c.Packets)
	if err != nil || sent != 2*packets {
		t.Fatalf("got %d packets sent, %v, want %d", sent, err, 2*packets)
	}
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if len(wan.Sightings()) >= packets && len(lan.Sightings()) >= packets { // the last packet's way leads through two veths
			break
		}
	}
	if got := count(wan.Sightings())[tuple{17, client, server}]; got != packets {
		t.Errorf("got %d packets at the server, want %d", got, packets)
	}
	if got := count(lan.Sightings())[tuple{17, server, client}]; got != packets {
		t.Errorf("got %d packets at the client, want %d", got, packets)
	}
}
