package capture

import (
	"encoding/binary"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/netpol/netpol/enforcer/packet"
)

// byteOrder reads and appends numbers.
type byteOrder interface {
	binary.ByteOrder
	binary.AppendByteOrder
}

// ngWriter writes pcapng block by block, as far as gopacket's cannot: in either byte
// order, with blocks of others, and time stamps of any resolution.
type ngWriter struct {
	order byteOrder
	data  []byte
}

func (w *ngWriter) block(kind uint32, body ...byte) {
	for len(body)%4 != 0 {
		body = append(body, 0)
	}
	length := uint32(len(body) + 12)
	w.data = w.order.AppendUint32(w.order.AppendUint32(w.data, kind), length)
	w.data = w.order.AppendUint32(append(w.data, body...), length)
}

func (w *ngWriter) section(order byteOrder) {
	w.order = order
	b := order.AppendUint32(nil, ngByteOrder)
	b = order.AppendUint16(order.AppendUint16(b, 1), 0)
	w.block(ngSectionHeader, order.AppendUint64(b, 1<<64-1)...) // of unknown length
}

func (w *ngWriter) option(b []byte, code uint16, value ...byte) []byte {
	b = append(w.order.AppendUint16(w.order.AppendUint16(b, code), uint16(len(value))), value...)
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	return b
}

// iface describes an interface; no resolution where it is 0.
func (w *ngWriter) iface(link packet.LinkType, name string, resolution byte, offset int64) {
	b := w.order.AppendUint16(nil, uint16(link))
	b = w.order.AppendUint32(append(b, 0, 0), 0)
	b = w.option(b, ngOptIfName, []byte(name)...)
	if resolution != 0 {
		b = w.option(b, ngOptTSResol, resolution)
	}
	if offset != 0 {
		b = w.option(b, ngOptTSOffset, w.order.AppendUint64(nil, uint64(offset))...)
	}
	w.block(ngInterface, w.option(b, ngOptEnd)...)
}

func (w *ngWriter) packet(iface uint32, stamp uint64, data string) {
	b := w.order.AppendUint32(nil, iface)
	b = w.order.AppendUint32(w.order.AppendUint32(b, uint32(stamp>>32)), uint32(stamp))
	b = w.order.AppendUint32(w.order.AppendUint32(b, uint32(len(data))), uint32(len(data)))
	w.block(ngEnhancedPacket, append(b, data...)...)
}

// TestPcapng: interfaces of several link types and clocks, sections in both byte
// orders, blocks of others, and a file that was cut off.
func TestPcapng(t *testing.T) {
	const (
		ngNames, ngStatistics, ngCustom, ngUnknown = 4, 5, 0x0bad, 0x7fff1234
		second                                     = 1_700_000_000
	)
	w := &ngWriter{}
	w.section(binary.LittleEndian)
	w.iface(packet.LinkEthernet, "eth0", 9, 0)       // nanoseconds
	w.iface(packet.LinkRaw, "tun0", 0x80|10, second) // 1024ths, after an offset
	w.iface(packet.LinkEthernet, "eth1", 0, -3600)   // microseconds, of a clock that was an hour fast
	w.block(ngCustom, 0, 0, 0x79, 0x12, 1, 2, 3, 4, 5)
	w.packet(0, second*1e9+123_456_789, "one")
	w.block(ngNames, 0, 0, 0, 0)
	w.packet(1, 512, "two")
	w.packet(2, (second+3600)*1e6+5, "three")
	w.block(ngStatistics, make([]byte, 12)...)
	w.section(binary.BigEndian)
	w.block(ngUnknown, make([]byte, 100_000)...)
	w.iface(packet.LinkRaw, "wg0", 6, 0)
	w.packet(0, second*1e6+7, "four")
	w.block(ngSimplePacket, append(w.order.AppendUint32(nil, 4), "five"...)...)
	whole := len(w.data)
	w.section(binary.LittleEndian)
	w.iface(packet.LinkEthernet, "eth9", 0, 0)
	w.packet(0, second*1e6, "six")

	const at = second * 1_000_000_000
	want := []seen{
		{"one", "x.pcapng", "eth0", packet.LinkEthernet, at + 123_456_789, 3},
		{"two", "x.pcapng", "tun0", packet.LinkRaw, at + 500_000_000, 3},
		{"three", "x.pcapng", "eth1", packet.LinkEthernet, at + 5000, 5},
		{"four", "x.pcapng", "wg0", packet.LinkRaw, at + 7000, 4},
		{"five", "x.pcapng", "wg0", packet.LinkRaw, at + 7000, 4}, // without a time of its own
		{"six", "x.pcapng", "eth9", packet.LinkEthernet, at, 3},
	}
	got, ends := drain(t, NewFiles([]string{write(t, "x.pcapng", w.data)}))
	if diff := cmp.Diff(want, got); diff != "" || !cmp.Equal(ends, []string{"ok"}) {
		t.Errorf("ends %q; -want +got:\n%s", ends, diff)
	}
	for cut := whole + 1; cut < len(w.data); cut++ {
		got, ends := drain(t, NewFiles([]string{write(t, "x.pcapng", w.data[:cut])}))
		if len(got) != 5 || len(ends) != 1 || !strings.Contains(ends[0], "cut short") && ends[0] != "ok" {
			t.Fatalf("cut off after %d bytes of %d: %d packets, %q", cut, len(w.data), len(got), ends)
		}
	}
}

// TestPcapngOfAnotherVersion: what has no meaning that is known is not guessed at.
func TestPcapngOfAnotherVersion(t *testing.T) {
	w := &ngWriter{}
	w.section(binary.LittleEndian)
	w.data[12] = 2
	if _, ends := drain(t, NewFiles([]string{write(t, "x.pcapng", w.data)})); len(ends) != 1 || !strings.HasSuffix(ends[0], ": pcapng version 2") {
		t.Errorf("got %q", ends)
	}
}
