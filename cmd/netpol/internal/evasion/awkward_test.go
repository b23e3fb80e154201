package evasion

import (
	"encoding/binary"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/netpol/netpol/enforcer"
	"github.com/netpol/netpol/enforcer/dissect/all"
	"github.com/netpol/netpol/enforcer/kernel/capture"
	"github.com/netpol/netpol/enforcer/packet"
	"github.com/netpol/netpol/enforcer/telemetry"
)

// link is a way in which captures hold IP packets.
type link struct {
	name string
	typ  packet.LinkType
	six  bool
	wrap func(ip []byte) []byte
}

var (
	macA = []byte{2, 0, 0, 0, 0, 1}
	macB = []byte{2, 0, 0, 0, 0, 2}
)

// before puts bytes before a packet.
func before(head ...byte) func([]byte) []byte {
	return func(ip []byte) []byte { return slices.Concat(head, ip) }
}

// ether puts an Ethernet header of a type before what wrap makes.
func ether(typ uint16, wrap func([]byte) []byte) func([]byte) []byte {
	return func(ip []byte) []byte { return ethernet(typ, wrap(ip)) }
}

// pppoe is a session packet.
func pppoe(ip []byte) []byte {
	n := len(ip) + 2
	return slices.Concat([]byte{0x11, 0, 0, 1, byte(n >> 8), byte(n), 0, 0x21}, ip)
}

// wifi is a data frame to the access point, its LLC and SNAP headers and the packet.
func wifi(ip []byte) []byte {
	return slices.Concat([]byte{0x08, 0x01, 0, 0}, macB, macA, macB, []byte{0, 0, 0xaa, 0xaa, 3, 0, 0, 0, 8, 0}, ip)
}

func links() []link {
	sll := slices.Concat([]byte{0, 0, 0, 1, 0, 6}, macA, []byte{0, 0, 8, 0})
	sll2 := slices.Concat([]byte{8, 0, 0, 0, 0, 0, 0, 2, 0, 1, 0, 6}, macA, []byte{0, 0})
	prism := make([]byte, 144)
	binary.LittleEndian.PutUint32(prism, 0x44)
	binary.LittleEndian.PutUint32(prism[4:], 144)
	avs := make([]byte, 64)
	binary.BigEndian.PutUint32(avs, 0x80211001)
	binary.BigEndian.PutUint32(avs[4:], 64)
	return []link{
		{name: "Ethernet", typ: packet.LinkEthernet, wrap: ether(typeIPv4, before())},
		{name: "VLAN", typ: packet.LinkEthernet, wrap: ether(0x8100, before(0, 5, 8, 0))},
		{name: "QinQ", typ: packet.LinkEthernet, wrap: ether(0x88a8, before(0, 9, 0x81, 0, 0, 5, 8, 0))},
		{name: "QinQ of old", typ: packet.LinkEthernet, wrap: ether(0x9100, before(0, 9, 0x81, 0, 0, 5, 8, 0))},
		{name: "PPPoE", typ: packet.LinkEthernet, wrap: ether(0x8864, pppoe)},
		{name: "PPPoE in a VLAN", typ: packet.LinkEthernet, wrap: ether(0x8100, func(ip []byte) []byte { return append([]byte{0, 7, 0x88, 0x64}, pppoe(ip)...) })},
		{name: "MPLS", typ: packet.LinkEthernet, wrap: ether(0x8847, before(0, 1, 1, 64))},
		{name: "MPLS, three labels", typ: packet.LinkEthernet, wrap: ether(0x8847, before(0, 1, 0, 64, 0, 2, 0, 64, 0, 3, 1, 64))},
		{name: "802.3, SNAP", typ: packet.LinkEthernet, wrap: func(ip []byte) []byte {
			return ethernet(uint16(len(ip)+8), slices.Concat([]byte{0xaa, 0xaa, 3, 0, 0, 0, 8, 0}, ip))
		}},
		{name: "SLL", typ: packet.LinkLinuxSLL, wrap: before(sll...)},
		{name: "SLL2", typ: packet.LinkSLL2, wrap: before(sll2...)},
		{name: "raw", typ: packet.LinkRaw, wrap: before()},
		{name: "raw IPv4", typ: packet.LinkIPv4, wrap: before()},
		{name: "raw IPv6", typ: packet.LinkIPv6, six: true, wrap: before()},
		{name: "raw, six", typ: packet.LinkRaw, six: true, wrap: before()},
		{name: "null, little", typ: packet.LinkNull, wrap: before(2, 0, 0, 0)},
		{name: "null, big", typ: packet.LinkNull, wrap: before(0, 0, 0, 2)},
		{name: "null, six of Darwin", typ: packet.LinkNull, six: true, wrap: before(30, 0, 0, 0)},
		{name: "loop", typ: packet.LinkLoop, wrap: before(0, 0, 0, 2)},
		{name: "PPP", typ: packet.LinkPPP, wrap: before(0xff, 3, 0, 0x21)},
		{name: "PPP, compressed address", typ: packet.LinkPPP, wrap: before(0, 0x21)},
		{name: "PPP, compressed protocol", typ: packet.LinkPPP, wrap: before(0x21)},
		{name: "PPP in HDLC", typ: packet.LinkPPPHDLC, wrap: before(0xff, 3, 0, 0x21)},
		{name: "PPPoE without Ethernet", typ: packet.LinkPPPoE, wrap: pppoe},
		{name: "Cisco HDLC", typ: packet.LinkCHDLC, wrap: before(0x0f, 0, 8, 0)},
		{name: "802.11", typ: packet.LinkWiFi, wrap: wifi},
		{name: "802.11, QoS", typ: packet.LinkWiFi, wrap: func(ip []byte) []byte {
			f := wifi(ip)
			f[0] = 0x88
			return slices.Insert(f, 24, 0, 0)
		}},
		{name: "radiotap", typ: packet.LinkRadiotap, wrap: func(ip []byte) []byte {
			return append([]byte{0, 0, 9, 0, 2, 0, 0, 0, 0}, wifi(ip)...)
		}},
		{name: "radiotap, TSFT and two words", typ: packet.LinkRadiotap, wrap: func(ip []byte) []byte {
			head := []byte{0, 0, 25, 0, 3, 0, 0, 0x80, 0, 0, 0, 0}
			return slices.Concat(head, make([]byte, 13), wifi(ip))
		}},
		{name: "Prism", typ: packet.LinkPrism, wrap: func(ip []byte) []byte { return append(slices.Clone(prism), wifi(ip)...) }},
		{name: "AVS", typ: packet.LinkAVS, wrap: func(ip []byte) []byte { return append(slices.Clone(avs), wifi(ip)...) }},
		{name: "PPI", typ: packet.LinkPPI, wrap: func(ip []byte) []byte { return slices.Concat([]byte{0, 0, 8, 0, 105, 0, 0, 0}, wifi(ip)) }},
	}
}

// tunnels are what packets travel in between two routers, on Ethernet.
func tunnels() []link {
	a4, b4 := netip.MustParseAddr("203.0.113.1"), netip.MustParseAddr("203.0.113.2")
	a6, b6 := netip.MustParseAddr("2001:db8:9::1"), netip.MustParseAddr("2001:db8:9::2")
	over4 := func(proto byte, wrap func([]byte) []byte) func([]byte) []byte {
		return func(ip []byte) []byte {
			return ethernet(typeIPv4, header{src: a4, dst: b4, proto: proto}.around(wrap(ip)))
		}
	}
	over6 := func(proto byte, wrap func([]byte) []byte) func([]byte) []byte {
		return func(ip []byte) []byte {
			return ethernet(typeIPv6, header{src: a6, dst: b6, proto: proto}.around(wrap(ip)))
		}
	}
	udp := func(port uint16, wrap func([]byte) []byte) func([]byte) []byte {
		return over4(packet.ProtoUDP, func(ip []byte) []byte {
			return datagram(netip.AddrPortFrom(a4, 55555), netip.AddrPortFrom(b4, port), wrap(ip))
		})
	}
	gtp := func(flags byte, options ...byte) func([]byte) []byte {
		return func(ip []byte) []byte {
			n := len(ip) + len(options)
			return slices.Concat([]byte{flags, 0xff, byte(n >> 8), byte(n), 0, 0, 0, 9}, options, ip)
		}
	}
	pptp := func(ip []byte) []byte {
		n := len(ip) + 4
		return slices.Concat([]byte{0x30, 1, 0x88, 0x0b, byte(n >> 8), byte(n), 0, 7, 0, 0, 0, 1, 0xff, 3, 0, 0x21}, ip)
	}
	erspan := func(ip []byte) []byte {
		return slices.Concat([]byte{0x10, 0, 0x88, 0xbe, 0, 0, 0, 1, 0x10, 5, 0, 1, 0, 0, 0, 0}, ethernet(typeIPv4, ip))
	}
	vxlan := func(ip []byte) []byte { return append([]byte{8, 0, 0, 0, 0, 0, 7, 0}, ethernet(typeIPv4, ip)...) }
	geneve := func(options ...byte) func([]byte) []byte {
		return func(ip []byte) []byte {
			return slices.Concat([]byte{byte(len(options) / 4), 0, 0x65, 0x58, 0, 0, 7, 0}, options, ethernet(typeIPv4, ip))
		}
	}
	of := func(name string, six bool, wrap func([]byte) []byte) link {
		return link{name: name, typ: packet.LinkEthernet, six: six, wrap: wrap}
	}
	return []link{
		of("4in4", false, over4(4, before())),
		of("6in4", true, over4(41, before())),
		of("4in6", false, over6(4, before())),
		of("6in6", true, over6(41, before())),
		of("GRE", false, over4(47, before(0, 0, 8, 0))),
		of("GRE with sum, key and number", false, over4(47, before(0xb0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 1))),
		of("GRE of Ethernet", false, over4(47, func(ip []byte) []byte { return append([]byte{0, 0, 0x65, 0x58}, ethernet(typeIPv4, ip)...) })),
		of("GRE over IPv6", true, over6(47, before(0, 0, 0x86, 0xdd))),
		of("PPTP", false, over4(47, pptp)),
		of("ERSPAN", false, over4(47, erspan)),
		of("GTP-U", false, udp(2152, gtp(0x30))),
		of("GTP-U with a number", false, udp(2152, gtp(0x32, 0, 7, 0, 0))),
		of("GTP-U with an extension", false, udp(2152, gtp(0x34, 0, 0, 0, 0x85, 1, 0, 0, 0))),
		of("VXLAN", false, udp(4789, vxlan)),
		of("GENEVE", false, udp(6081, geneve())),
		of("GENEVE with options", false, udp(6081, geneve(0, 1, 0, 1, 9, 9, 9, 9))),
		of("GRE in VXLAN", false, udp(4789, func(ip []byte) []byte { return vxlan(over4(47, before(0, 0, 8, 0))(ip)[14:]) })),
	}
}

// conversation is a connection that names the host, in a link's packets; n makes
// it another than those before it.
func (l link) conversation(n int) []frame {
	s := newScript()
	if l.six {
		s.six()
	}
	s.client = netip.AddrPortFrom(s.client.Addr(), uint16(40000+n))
	s.now += int64(n) * 1e9
	s.wrap = l.wrap
	s.open().say(plain(), 40).hello()
	for i := range s.frames {
		s.frames[i].link = l.typ
	}
	return s.frames
}

// seen is what a program made of a capture.
type seen struct {
	packets int
	hosts   []string
}

// readFile runs a capture through the engine, tunnels unwrapped.
func readFile(t *testing.T, path string) (got seen, flows []telemetry.Flow) {
	t.Helper()
	engine, err := enforcer.New(enforcer.Config{
		Source: capture.NewFiles([]string{path}), Dissectors: all.Dissectors(), Bundle: emptyBundle(t), Unwrap: packet.AllTunnels,
		Recorder: recorder(func(f *telemetry.Flow) {
			flows = append(flows, *f)
			if f.Hostname != "" {
				got.hosts = append(got.hosts, f.Hostname)
			}
		}),
	})
	if err != nil {
		t.Fatal(err)
	}
	_ = engine.Run(t.Context()) // a file that is cut off is read as far as it goes
	got.packets = int(engine.Stats().Packets)
	return got, flows
}

// tshark has the same of tshark, by interface; ok is false where there is none.
func tshark(t *testing.T, path string) (got map[string]seen, ok bool) {
	t.Helper()
	program, err := exec.LookPath("tshark")
	if err != nil {
		t.Log("tshark is not installed: nothing to compare with")
		return nil, false
	}
	out, err := exec.Command(program, "-n", "-r", path, "-T", "fields", "-e", "frame.interface_id", "-e", "tls.handshake.extensions_server_name").Output()
	if err != nil && len(out) == 0 {
		t.Fatalf("tshark: %v", err)
	}
	got = make(map[string]seen)
	for line := range strings.Lines(string(out)) {
		id, host, _ := strings.Cut(strings.TrimRight(line, "\n"), "\t")
		s := got[id]
		if s.packets++; host != "" {
			s.hosts = append(s.hosts, host)
		}
		got[id] = s
	}
	return got, true
}

// TestLinks: a connection is the same however a capture holds it: alone in a file,
// or with all the others in one of many interfaces, where tshark, if there is one,
// finds the same.
func TestLinks(t *testing.T) {
	var together [][]frame
	list := append(links(), tunnels()...)
	for n, l := range list {
		together = append(together, l.conversation(n))
		t.Run(l.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "a.pcap")
			writeFile(t, path, pcapFile(binary.LittleEndian, true, l.typ, together[n], 1<<16))
			got, flows := readFile(t, path)
			if got.packets != len(together[n]) || !slices.Equal(got.hosts, []string{Hidden}) || len(flows) != 1 || int(flows[0].Packets) != len(together[n]) {
				t.Errorf("got %+v in %d flows, want %d packets and the host in one", got, len(flows), len(together[n]))
			}
		})
	}
	path := filepath.Join(t.TempDir(), "all.pcapng")
	writeFile(t, path, pcapngFile(binary.LittleEndian, together...))
	if got, flows := readFile(t, path); len(got.hosts) != len(list) || len(flows) != len(list) {
		t.Errorf("of all in one file: %d hosts in %d flows, want %d", len(got.hosts), len(flows), len(list))
	}
	other, ok := tshark(t, path)
	for n, l := range list {
		if got := other[strconv.Itoa(n)]; ok && (got.packets != len(together[n]) || !slices.Equal(got.hosts, []string{Hidden})) {
			t.Errorf("%s: tshark has %+v", l.name, got)
		}
	}
}

// TestCaptureForms: a capture is the same in whatever form it is written, up to
// where it is cut off.
func TestCaptureForms(t *testing.T) {
	ether, cooked := links()[0], links()[9]
	frames := ether.conversation(0)
	const first = 1_700_000_000_001_000_000
	whole := pcapFile(binary.LittleEndian, true, ether.typ, frames, 1<<16)
	tests := []struct {
		name    string
		file    []byte
		packets int
		hosts   []string
	}{
		{"little, nanoseconds", whole, len(frames), []string{Hidden}},
		{"little, microseconds", pcapFile(binary.LittleEndian, false, ether.typ, frames, 1<<16), len(frames), []string{Hidden}},
		{"big, nanoseconds", pcapFile(binary.BigEndian, true, ether.typ, frames, 1<<16), len(frames), []string{Hidden}},
		{"big, microseconds", pcapFile(binary.BigEndian, false, ether.typ, frames, 1<<16), len(frames), []string{Hidden}},
		{"pcapng, little, two interfaces", pcapngFile(binary.LittleEndian, frames, cooked.conversation(0)), 2 * len(frames), []string{Hidden}},
		{"pcapng, big, two interfaces", pcapngFile(binary.BigEndian, frames, cooked.conversation(0)), 2 * len(frames), []string{Hidden}},
		{"cut off in the last packet", whole[:len(whole)-7], len(frames) - 1, []string{Hidden}},
		{"cut off in a packet's header", whole[:len(whole)-len(frames[len(frames)-1].data)-3], len(frames) - 1, []string{Hidden}},
		{"snaplen above the segments", pcapFile(binary.LittleEndian, true, ether.typ, frames, 100), len(frames), []string{Hidden}},
		{"snaplen within the segments", pcapFile(binary.LittleEndian, true, ether.typ, frames, 70), len(frames), nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "a.pcap")
			writeFile(t, path, tt.file)
			got, flows := readFile(t, path)
			if got.packets != tt.packets || !slices.Equal(got.hosts, tt.hosts) || len(flows) != 1 {
				t.Errorf("got %+v in %d flows, want %d packets and %v", got, len(flows), tt.packets, tt.hosts)
			}
			if len(flows) > 0 && flows[0].FirstSeen.UnixNano() != first {
				t.Errorf("begun at %d, want %d", flows[0].FirstSeen.UnixNano(), int64(first))
			}
		})
	}
}

func writeFile(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// order is a byte order that a file is written in.
type order interface {
	binary.ByteOrder
	binary.AppendByteOrder
}

// pcapFile writes frames (draft-ietf-opsawg-pcap), each cut at snaplen.
func pcapFile(o order, nanoseconds bool, typ packet.LinkType, frames []frame, snaplen int) []byte {
	magic, unit := uint32(0xa1b2c3d4), int64(1000)
	if nanoseconds {
		magic, unit = 0xa1b23c4d, 1
	}
	b := o.AppendUint32(nil, magic)
	b = o.AppendUint16(o.AppendUint16(b, 2), 4)
	b = append(b, make([]byte, 8)...)
	b = o.AppendUint32(o.AppendUint32(b, uint32(snaplen)), uint32(typ))
	for _, f := range frames {
		cut := f.data[:min(len(f.data), snaplen)]
		b = o.AppendUint32(b, uint32(f.time/1e9))
		b = o.AppendUint32(b, uint32(f.time%1e9/unit))
		b = o.AppendUint32(b, uint32(len(cut)))
		b = append(o.AppendUint32(b, uint32(len(f.data))), cut...)
	}
	return b
}

// pcapngFile writes the packets of interfaces in turn (draft-ietf-opsawg-pcapng): every
// second one counts in nanoseconds, the others in microseconds.
func pcapngFile(o order, interfaces ...[]frame) []byte {
	block := func(b []byte, typ uint32, body []byte) []byte {
		body = append(body, make([]byte, -len(body)&3)...)
		n := uint32(len(body) + 12)
		b = o.AppendUint32(o.AppendUint32(b, typ), n)
		return o.AppendUint32(append(b, body...), n)
	}
	section := o.AppendUint16(o.AppendUint16(o.AppendUint32(nil, 0x1a2b3c4d), 1), 0)
	b := block(nil, 0x0a0d0d0a, append(section, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff))
	longest := 0
	for id, frames := range interfaces {
		about := o.AppendUint32(o.AppendUint16(o.AppendUint16(nil, uint16(frames[0].link)), 0), 0)
		if id%2 == 1 { // if_tsresol: 10^-9, then the end of the options
			about = append(o.AppendUint16(o.AppendUint16(about, 9), 1), 9, 0, 0, 0, 0, 0, 0, 0)
		}
		b = block(b, 1, about)
		longest = max(longest, len(frames))
	}
	for i := range longest {
		for id, frames := range interfaces {
			if i >= len(frames) {
				continue
			}
			at := uint64(frames[i].time)
			if id%2 == 0 {
				at /= 1000
			}
			body := o.AppendUint32(o.AppendUint32(o.AppendUint32(nil, uint32(id)), uint32(at>>32)), uint32(at))
			n := uint32(len(frames[i].data))
			b = block(b, 6, append(o.AppendUint32(o.AppendUint32(body, n), n), frames[i].data...))
		}
	}
	return b
}
