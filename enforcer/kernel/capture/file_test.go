package capture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"

	"github.com/netpol/netpol/enforcer/packet"
)

var t0 = time.Date(2024, 5, 6, 7, 8, 9, 123456000, time.UTC)

func info(data []byte, extra int) gopacket.CaptureInfo {
	return gopacket.CaptureInfo{Timestamp: t0, CaptureLength: len(data), Length: len(data) + extra}
}

// pcapFile is a classic capture of the packets, written by gopacket.
func pcapFile(t testing.TB, link layers.LinkType, packets ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := pcapgo.NewWriter(&b)
	if err := w.WriteFileHeader(65536, link); err != nil {
		t.Fatal(err)
	}
	for _, p := range packets {
		if err := w.WritePacket(info([]byte(p), 10), []byte(p)); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

// ngFile is a pcapng capture with an Ethernet and a raw IP interface, used in
// turn.
func ngFile(t testing.TB, packets ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := pcapgo.NewNgWriterInterface(&b, pcapgo.NgInterface{Name: "eth7", LinkType: layers.LinkTypeEthernet, TimestampResolution: 9}, pcapgo.DefaultNgWriterOptions)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.AddInterface(pcapgo.NgInterface{Name: "tun0", LinkType: layers.LinkTypeRaw, TimestampResolution: 6}); err != nil {
		t.Fatal(err)
	}
	for i, p := range packets {
		ci := info([]byte(p), 0)
		ci.InterfaceIndex = i % 2
		if err := w.WritePacket(ci, []byte(p)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// nanoBigEndian is a classic capture as a big-endian machine writes it, with
// nanoseconds.
func nanoBigEndian(data string) []byte {
	be := binary.BigEndian
	b := be.AppendUint32(nil, pcapNanos)
	b = be.AppendUint16(be.AppendUint16(b, 2), 4)
	b = append(b, make([]byte, 8)...)
	b = be.AppendUint32(be.AppendUint32(b, 65536), uint32(packet.LinkRaw))
	b = be.AppendUint32(be.AppendUint32(b, uint32(t0.Unix())), uint32(t0.Nanosecond()))
	b = be.AppendUint32(be.AppendUint32(b, uint32(len(data))), uint32(len(data)))
	return append(b, data...)
}

func write(t *testing.T, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

type seen struct {
	Data, File, Interface string
	Link                  packet.LinkType
	Time                  int64
	Length                int
}

// drain reads s to its end: the packets, and for each file "ok" or its error.
func drain(t *testing.T, s *Files) (got []seen, ends []string) {
	t.Helper()
	var raw packet.Raw
	for range 1000 {
		err := s.Next(&raw)
		var fe *packet.FileError
		switch {
		case err == nil:
			got = append(got, seen{string(raw.Data), raw.File, raw.Interface, raw.LinkType, raw.Timestamp, raw.Length})
		case errors.Is(err, packet.ErrFileEnd):
			ends = append(ends, "ok")
		case errors.As(err, &fe):
			ends = append(ends, fe.Error())
		case errors.Is(err, io.EOF):
			return got, ends
		default:
			t.Fatalf("unexpected error %v", err)
		}
	}
	t.Fatal("no end")
	return nil, nil
}

func TestFiles(t *testing.T) {
	at := t0.UnixNano()
	a := write(t, "a.pcap", pcapFile(t, layers.LinkTypeEthernet, "one", "two!"))
	b := write(t, "b.pcapng", ngFile(t, "three", "four"))
	c := write(t, "c.pcap", nanoBigEndian("five"))
	got, ends := drain(t, NewFiles([]string{a, b, c}))
	want := []seen{
		{"one", "a.pcap", "", packet.LinkEthernet, at, 13},
		{"two!", "a.pcap", "", packet.LinkEthernet, at, 14},
		{"three", "b.pcapng", "eth7", packet.LinkEthernet, at, 5},
		{"four", "b.pcapng", "tun0", packet.LinkRaw, at, 4},
		{"five", "c.pcap", "", packet.LinkRaw, at, 4},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("packets, -want +got:\n%s", diff)
	}
	if diff := cmp.Diff([]string{"ok", "ok", "ok"}, ends); diff != "" {
		t.Errorf("ends, -want +got:\n%s", diff)
	}
}

func TestFilesFaults(t *testing.T) {
	good := pcapFile(t, layers.LinkTypeEthernet, "one", "two")
	ng := ngFile(t, "three", "four")
	hugePacket := append([]byte(nil), good...)
	binary.LittleEndian.PutUint32(hugePacket[pcapHeader+8:], 1<<31)
	hugeBlock := append([]byte(nil), ng...)
	binary.LittleEndian.PutUint32(hugeBlock[4:], 1<<31)
	badVersion := append([]byte(nil), good...)
	badVersion[4] = 9
	wifi := bytes.Replace(ng, []byte{1, 0, 0, 0, 8}, []byte{1, 0, 0, 0, 8}, 1)
	binary.LittleEndian.PutUint16(wifi[bytes.Index(wifi, []byte("eth7"))-12:], 147)

	tests := []struct {
		name    string
		data    []byte
		packets int
		want    string
	}{
		{"empty", nil, 0, "not a pcap or pcapng file"},
		{"text", []byte("policy \"x\" {}\n"), 0, "not a pcap or pcapng file"},
		{"header cut short", good[:10], 0, "file header: cut short"},
		{"packet header cut short", good[:pcapHeader+pcapRecord+3+5], 1, "cut short in the middle of a packet"},
		{"packet cut short", good[:len(good)-1], 1, "cut short in the middle of a packet"},
		{"wrong link type", pcapFile(t, layers.LinkType(147), "one"), 0, "link type 147 is not supported"},
		{"wrong version", badVersion, 0, "pcap version 9"},
		{"packet of 2 GiB", hugePacket, 0, "the file is damaged"},
		{"pcapng cut short", ng[:len(ng)-3], 1, "cut short in the middle of a packet"},
		{"pcapng block of 2 GiB", hugeBlock, 0, "the file is damaged"},
		{"pcapng wrong link type of one interface", wifi, 1, `1 packet could not be read, the first of the interface "eth7": link type 147 is not supported`},
		{"compressed", []byte{0x1f, 0x8b, 8, 0, 0}, 0, "compressed by gzip"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := write(t, "in.pcap", tt.data)
			next := write(t, "next.pcap", good)
			got, ends := drain(t, NewFiles([]string{path, next}))
			if len(got) != tt.packets+2 {
				t.Errorf("got %d packets, want %d of this file and 2 of the next", len(got), tt.packets)
			}
			if len(ends) != 2 || !strings.HasPrefix(ends[0], "read capture "+path+": ") || !strings.Contains(ends[0], tt.want) {
				t.Errorf("got %q, want an error that names the file and says %q", ends, tt.want)
			}
		})
	}
}

// TestFilesBatches holds batches, of whole and of damaged captures, against packets
// one at a time; what a batch gives must stay until the next.
func TestFilesBatches(t *testing.T) {
	many := make([]string, 3000)
	for i := range many {
		many[i] = strings.Repeat(string(rune('a'+i%26)), 1+i%1400)
	}
	whole := pcapFile(t, layers.LinkTypeEthernet, many...)
	huge := bytes.Clone(whole)
	binary.LittleEndian.PutUint32(huge[pcapHeader+8:], maxPacket+1)
	paths := []string{
		write(t, "whole.pcap", whole), write(t, "cut.pcap", whole[:len(whole)-7]), write(t, "head.pcap", whole[:pcapHeader+20]),
		write(t, "huge.pcap", huge), write(t, "ng.pcapng", ngFile(t, many[:40]...)), write(t, "none.pcap", nil),
		write(t, "big.pcap", nanoBigEndian("five")),
	}
	want, wantEnds := drainAll(t, func(s *Files, raws []packet.Raw) (int, error) {
		return 1, s.Next(&raws[0])
	}, paths)
	for _, size := range []int{1, 3, 16} {
		got, ends := drainAll(t, func(s *Files, raws []packet.Raw) (int, error) { return s.NextBatch(raws[:size]) }, paths)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("batches of %d, -want +got:\n%s", size, diff)
		}
		if diff := cmp.Diff(wantEnds, ends); diff != "" {
			t.Errorf("ends with batches of %d, -want +got:\n%s", size, diff)
		}
	}
}

func drainAll(t *testing.T, next func(*Files, []packet.Raw) (int, error), paths []string) (got []seen, ends []string) {
	t.Helper()
	s := NewFiles(paths)
	raws := make([]packet.Raw, 16)
	for {
		n, err := next(s, raws)
		if errors.Is(err, io.EOF) {
			return got, ends
		}
		if err != nil {
			ends = append(ends, err.Error())
			continue
		}
		for _, raw := range raws[:n] {
			got = append(got, seen{string(raw.Data), raw.File, raw.Interface, raw.LinkType, raw.Timestamp, raw.Length})
		}
	}
}

func TestFilesMissing(t *testing.T) {
	_, ends := drain(t, NewFiles([]string{"/nonexistent/x.pcap"}))
	if want := "read capture /nonexistent/x.pcap: no such file or directory"; len(ends) != 1 || ends[0] != want {
		t.Errorf("got %q, want %q", ends, want)
	}
}

func TestFilesNoAllocs(t *testing.T) {
	packets := make([]string, 300)
	for i := range packets {
		packets[i] = "0123456789"
	}
	for name, data := range map[string][]byte{"pcap": pcapFile(t, layers.LinkTypeEthernet, packets...), "pcapng": ngFile(t, packets...)} {
		s := NewFiles([]string{write(t, name, data)})
		var raw packet.Raw
		if err := s.Next(&raw); err != nil {
			t.Fatal(err)
		}
		if n := testing.AllocsPerRun(200, func() {
			if err := s.Next(&raw); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("%s: got %v allocations a packet, want 0", name, n)
		}
	}
}

func FuzzFiles(f *testing.F) {
	f.Add(pcapFile(f, layers.LinkTypeEthernet, "one", "two"))
	f.Add(ngFile(f, "three", "four"))
	f.Add(nanoBigEndian("five"))
	f.Fuzz(func(t *testing.T, data []byte) {
		s := NewFiles([]string{"x"})
		s.open = func(string) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }
		var raw packet.Raw
		for n := 0; ; n++ {
			err := s.Next(&raw)
			if err != nil {
				var fe *packet.FileError
				if !errors.Is(err, packet.ErrFileEnd) && !errors.As(err, &fe) {
					t.Fatalf("unexpected error %v", err)
				}
				return
			}
			if len(raw.Data) > len(data) || raw.Length < len(raw.Data) {
				t.Fatalf("packet of %d bytes, %d on the wire, out of %d", len(raw.Data), raw.Length, len(data))
			}
			if n > len(data) {
				t.Fatal("more packets than bytes")
			}
		}
	})
}

func BenchmarkFiles(b *testing.B) {
	packets := make([]string, 1000)
	for i := range packets {
		packets[i] = strings.Repeat("x", 359) // the mean of the test captures
	}
	data := pcapFile(b, layers.LinkTypeEthernet, packets...)
	b.ReportAllocs()
	var raw packet.Raw
	for n := 0; n < b.N; {
		s := NewFiles([]string{"x"})
		s.open = func(string) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }
		for s.Next(&raw) == nil {
			n++
		}
	}
}
