package lab

import (
	"bytes"
	"net/netip"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"
)

// frame builds an Ethernet frame with a UDP packet in it.
func frame(tb testing.TB, src, dst string, multicast bool, payload int) []byte {
	tb.Helper()
	from, to := netip.MustParseAddrPort(src), netip.MustParseAddrPort(dst)
	eth := &layers.Ethernet{SrcMAC: []byte{2, 0, 0, 0, 0, 1}, DstMAC: []byte{2, 0, 0, 0, 0, 2}, EthernetType: layers.EthernetTypeIPv4}
	if multicast {
		eth.DstMAC[0] = 3
	}
	ip := &layers.IPv4{Version: 4, TTL: 64, Protocol: layers.IPProtocolUDP, SrcIP: from.Addr().AsSlice(), DstIP: to.Addr().AsSlice()}
	udp := &layers.UDP{SrcPort: layers.UDPPort(from.Port()), DstPort: layers.UDPPort(to.Port())}
	if err := udp.SetNetworkLayerForChecksum(ip); err != nil {
		tb.Fatal(err)
	}
	buf := gopacket.NewSerializeBuffer()
	err := gopacket.SerializeLayers(buf, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true},
		eth, ip, udp, gopacket.Payload(make([]byte, payload)))
	if err != nil {
		tb.Fatal(err)
	}
	return buf.Bytes()
}

func writePcap(tb testing.TB, frames [][]byte, snaplen int) []byte {
	tb.Helper()
	var b bytes.Buffer
	w := pcapgo.NewWriter(&b)
	if err := w.WriteFileHeader(uint32(snaplen), layers.LinkTypeEthernet); err != nil {
		tb.Fatal(err)
	}
	for i, f := range frames {
		info := gopacket.CaptureInfo{Timestamp: time.Unix(int64(i), 0), Length: len(f), CaptureLength: min(len(f), snaplen)}
		if err := w.WritePacket(info, f[:info.CaptureLength]); err != nil {
			tb.Fatal(err)
		}
	}
	return b.Bytes()
}

func TestCaptureKeepsWhatARouterForwards(t *testing.T) {
	in := writePcap(t, [][]byte{
		frame(t, "192.168.7.5:1000", "170.114.52.2:8801", false, 300),
		frame(t, "170.114.52.2:8801", "192.168.7.5:1000", false, 10),
		frame(t, "192.168.7.5:5353", "224.0.0.251:5353", true, 10),
		frame(t, "192.168.7.5:137", "192.168.7.255:137", true, 10),
		frame(t, "169.254.1.1:9", "192.168.7.5:9", false, 10),
		{2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x08, 0x06, 0, 1},
	}, 100)
	c := &Capture{}
	if err := c.read(bytes.NewReader(in)); err != nil {
		t.Fatal(err)
	}
	if len(c.Packets) != 2 || c.Skipped != 4 {
		t.Fatalf("got %d packets and %d skipped, want 2 and 4", len(c.Packets), c.Skipped)
	}
	if got := len(c.Packets[0].Data); got != 328 {
		t.Errorf("got %d bytes of the cut packet, want its 328 with zeroes for the rest", got)
	}
	client, err := c.Client()
	if want := netip.MustParseAddr("192.168.7.5"); err != nil || client != want {
		t.Errorf("got client %v, %v, want %v", client, err, want)
	}
	if got := len(c.Of(netip.MustParseAddr("192.0.2.1"))); got != 0 {
		t.Errorf("got %d packets of a stranger, want 0", got)
	}
}

func TestCaptureWithoutPacketsHasNoClient(t *testing.T) {
	if _, err := new(Capture).Client(); err == nil {
		t.Error("got no error, want one")
	}
}

func TestFixIPv4Checksum(t *testing.T) {
	want := frame(t, "192.0.2.1:1", "192.0.2.2:2", false, 4)[ethernetLen:]
	got := bytes.Clone(want)
	got[10], got[11] = 0xde, 0xad
	fixIPv4Checksum(got)
	if !bytes.Equal(got, want) {
		t.Errorf("got checksum %x, want %x", got[10:12], want[10:12])
	}
}

func FuzzCapture(f *testing.F) {
	f.Add(writePcap(f, [][]byte{frame(f, "192.0.2.1:1", "192.0.2.2:2", false, 4)}, 40))
	f.Add([]byte{0x0a, 0x0d, 0x0d, 0x0a, 28, 0, 0, 0, 0x4d, 0x3c, 0x2b, 0x1a, 1, 0, 0, 0})
	f.Fuzz(func(t *testing.T, in []byte) {
		c := &Capture{}
		if err := c.read(bytes.NewReader(in)); err != nil {
			return
		}
		for _, p := range c.Packets {
			if len(p.Data) != p.Length || p.Length < ipv4Len {
				t.Fatalf("got %d bytes of a packet of %d", len(p.Data), p.Length)
			}
			fixIPv4Checksum(p.Data)
		}
	})
}
