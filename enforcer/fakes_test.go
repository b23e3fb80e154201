package enforcer

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/dissect"
	"github.com/netpol/netpol/enforcer/flow"
	"github.com/netpol/netpol/enforcer/packet"
	"github.com/netpol/netpol/enforcer/telemetry"
	"github.com/netpol/netpol/lang/fact"
)

// hello is a protocol over TCP: the client's first line is "HELLO <host>".
type hello struct{}

func (hello) Spec() dissect.Spec { return dissect.Spec{Name: "tls", TCP: true, Ports: []uint16{443}} }

func (hello) Dissect(w *dissect.Window, f *fact.Facts) dissect.Result {
	const word = "HELLO "
	b := w.Stream[dissect.Client]
	if n := min(len(b), len(word)); string(b[:n]) != word[:n] {
		return dissect.NoMatch
	}
	line, _, whole := bytes.Cut(b, []byte("\n"))
	if !whole {
		if w.Closed[dissect.Client] {
			return dissect.NoMatch
		}
		return dissect.NeedMore
	}
	f.Protocol, f.Hostname, f.By = "tls", string(line[len(word):]), fact.BySNI
	return dissect.Match
}

// answers is a protocol over UDP: a server's "<name> <address>" binds a name.
type answers struct{}

func (answers) Spec() dissect.Spec { return dissect.Spec{Name: "dns", UDP: true, Ports: []uint16{53}} }

func (answers) Dissect(w *dissect.Window, f *fact.Facts) dissect.Result {
	newest, _ := w.Newest()
	if w.DstPort != 53 {
		return dissect.NoMatch
	}
	f.Protocol = "dns"
	if name, addr, ok := strings.Cut(string(newest.Payload), " "); ok && newest.From == dissect.Server {
		w.Names = append(w.Names, dissect.NameBinding{Name: name, Addr: netip.MustParseAddr(addr), TTL: 60})
	}
	return dissect.Partial
}

// boom panics on "BOOM" and needs three datagrams otherwise.
type boom struct{}

func (boom) Spec() dissect.Spec { return dissect.Spec{Name: "boom", TCP: true, UDP: true} }

func (boom) Dissect(w *dissect.Window, f *fact.Facts) dissect.Result {
	if d, ok := w.Newest(); ok {
		if string(d.Payload) == "BOOM" {
			f.Hostname = "half.set.example"
			panic("index out of range")
		}
		if len(w.Datagrams) < 3 {
			return dissect.NeedMore
		}
		f.Protocol = "boom"
		return dissect.Match
	}
	return dissect.NoMatch
}

func dissectors() []dissect.Dissector { return []dissect.Dissector{hello{}, answers{}, boom{}} }

// policyOf is a policy of a test bundle: it holds when all tests hold, and
// sets the label of its own number.
type policyOf struct {
	name string
	all  []artifact.Test
	not  bool // of the first test
	mark *artifact.Mark
}

func textTest(attribute string, values ...string) artifact.Test {
	return artifact.Test{Op: artifact.TestEqual, Attribute: attribute, Text: values}
}

func portTest(port int) artifact.Test {
	return artifact.Test{Op: artifact.TestRange, Attribute: "dst_port", Ranges: []artifact.Range{{Low: port, High: port}}}
}

func zoomPolicy() policyOf {
	return policyOf{name: "zoom", all: []artifact.Test{textTest("application", "zoom")}}
}

const doneMark = 0x80000000

func bundle(t testing.TB, policies ...policyOf) *artifact.Bundle {
	t.Helper()
	b := &artifact.Bundle{
		Format: artifact.FormatVersion, ABI: fact.ABI(),
		Settings: artifact.Settings{InspectPacket: 6, DoneMark: doneMark},
		Program:  artifact.Program{Engine: artifact.Engine},
		Catalogue: artifact.Catalogue{
			Categories: []artifact.Category{{Tag: "voip"}, {Tag: "web"}},
			Protocols:  []artifact.Protocol{{Tag: "boom", Category: "web"}, {Tag: "dns", Category: "web"}, {Tag: "icmp", Category: "web", Ports: []artifact.PortRange{{Transport: "ip", Low: 1, High: 1}}}, {Tag: "ssh", Category: "web", Ports: []artifact.PortRange{{Transport: "tcp", Low: 22, High: 22}}}, {Tag: "tls", Category: "web"}},
			Applications: []artifact.Application{
				{Tag: "skype", Category: "voip", Domains: []string{"skype.com"}},
				{Tag: "zoom", Category: "voip", Domains: []string{"zoom.us"}, Networks: []netip.Prefix{netip.MustParsePrefix("203.0.113.0/24")}},
			},
		},
	}
	for i, p := range policies {
		b.Labels = append(b.Labels, artifact.Label{Name: p.name, Bit: i})
		b.Policies = append(b.Policies, artifact.Policy{Name: p.name, File: "t.netpol.hcl", Line: i + 1, Labels: []string{p.name}})
		b.Program.Effects = append(b.Program.Effects, artifact.Effect{Labels: []int{i}, Mark: p.mark})
		clause := artifact.Clause{Policy: i, Access: artifact.NoAccess}
		for n, test := range p.all {
			l := artifact.Literal(len(b.Program.Tests))
			if n == 0 && p.not {
				l = ^l
			}
			b.Program.Tests = append(b.Program.Tests, test)
			b.Program.Reads = append(b.Program.Reads, test.Attribute)
			clause.If = append(clause.If, l)
		}
		b.Program.Clauses = append(b.Program.Clauses, clause)
	}
	return b
}

// script is a Source that plays packets and pauses.
type script struct {
	steps []step
	now   time.Time
	set   time.Duration // how far the wall clock has been set since the beginning

	patience    time.Time // hang guard of until
	played      int64     // what the engine's clocks show
	playedShift time.Duration
}

type step struct {
	at    int64
	set   time.Duration
	raw   packet.Raw
	err   error  // instead of a packet
	after func() // run when the engine asks for the step after this one
	until func() bool
}

// newScript begins now: when its source is idle, the engine looks at the clock.
func newScript() *script {
	now := time.Now()
	return &script{now: now, played: now.UnixNano(), patience: now.Add(time.Minute)}
}

func (s *script) Next(raw *packet.Raw) error {
	if len(s.steps) == 0 {
		return io.EOF
	}
	st := s.steps[0]
	if st.until != nil && !st.until() && time.Now().Before(s.patience) {
		time.Sleep(time.Millisecond)
		return packet.ErrIdle
	}
	s.steps = s.steps[1:]
	s.played, s.playedShift = st.at, st.set
	if st.after != nil {
		st.after()
	}
	if st.err != nil {
		return st.err
	}
	*raw = st.raw
	return nil
}

// Pending makes the engine treat every packet as a batch of its own.
func (s *script) Pending() bool { return false }

func (s *script) wait(d time.Duration) *script { s.now = s.now.Add(d); return s }

// setClock sets the router's clock, without time going by.
func (s *script) setClock(d time.Duration) *script { s.set += d; return s }

// clock is the host's clocks as the script plays them.
func (s *script) clock() (wall, steady int64) {
	return s.played + int64(s.playedShift), s.played
}

func (s *script) fails(err error) *script {
	s.steps = append(s.steps, step{at: s.now.UnixNano(), set: s.set, err: err})
	return s
}

func (s *script) do(fn func()) *script {
	s.steps = append(s.steps, step{at: s.now.UnixNano(), set: s.set, after: fn, err: packet.ErrIdle})
	return s
}

// until leaves the engine without packets until ok.
func (s *script) until(ok func() bool) *script {
	s.steps = append(s.steps, step{at: s.now.UnixNano(), set: s.set, until: ok, err: packet.ErrIdle})
	return s
}

func (s *script) idle() *script { return s.fails(packet.ErrIdle) }

// conn is a conversation of a test: client and server as "address:port".
type conn struct {
	client, server netip.AddrPort
	seq            [2]uint32
	file           string
	live           bool
	natted         netip.AddrPort // what replies are addressed to, if not the client
	macs           [2][6]byte     // by side
	tos            uint8          // of IPv4
}

func connect(client, server string) *conn {
	return &conn{client: netip.MustParseAddrPort(client), server: netip.MustParseAddrPort(server), seq: [2]uint32{1000, 5000}}
}

func (c *conn) ip(from dissect.Side, proto layers.IPProtocol) (gopacket.SerializableLayer, netip.AddrPort, netip.AddrPort) {
	src, dst := c.client, c.server
	if from == dissect.Server {
		src, dst = c.server, c.client
		if c.natted.IsValid() {
			dst = c.natted
		}
	}
	if src.Addr().Is4() {
		return &layers.IPv4{Version: 4, TTL: 64, TOS: c.tos, Protocol: proto, SrcIP: src.Addr().AsSlice(), DstIP: dst.Addr().AsSlice()}, src, dst
	}
	return &layers.IPv6{Version: 6, HopLimit: 64, NextHeader: proto, SrcIP: src.Addr().AsSlice(), DstIP: dst.Addr().AsSlice()}, src, dst
}

func (s *script) send(c *conn, from dissect.Side, parts ...gopacket.SerializableLayer) *script {
	buf := gopacket.NewSerializeBuffer()
	if err := gopacket.SerializeLayers(buf, gopacket.SerializeOptions{FixLengths: true}, parts...); err != nil {
		panic(err)
	}
	s.now = s.now.Add(time.Millisecond)
	raw := packet.Raw{Data: buf.Bytes(), LinkType: packet.LinkRaw, Length: len(buf.Bytes()), Timestamp: s.now.Add(s.set).UnixNano(), File: c.file, Interface: "lan0"}
	raw.SourceMAC = c.macs[from]
	if c.live {
		raw.Direction = [2]packet.Direction{packet.DirOriginal, packet.DirReply}[from]
	}
	s.steps = append(s.steps, step{at: s.now.UnixNano(), set: s.set, raw: raw})
	return s
}

// tcp sends a segment whose bytes stand at offset off of the side's stream;
// flags are letters of S, A, F and R.
func (s *script) tcp(c *conn, from dissect.Side, flags string, off uint32, data string) *script {
	ip, src, dst := c.ip(from, layers.IPProtocolTCP)
	has := func(flag string) bool { return strings.Contains(flags, flag) }
	seq := c.seq[from] + 1 + off
	if has("S") {
		seq = c.seq[from]
	}
	return s.send(c, from, ip, &layers.TCP{
		SrcPort: layers.TCPPort(src.Port()), DstPort: layers.TCPPort(dst.Port()), DataOffset: 5,
		Seq: seq, Ack: c.seq[1-from] + 1, SYN: has("S"), ACK: has("A"), FIN: has("F"), RST: has("R"), Window: 1000,
	}, gopacket.Payload(data))
}

func (s *script) udp(c *conn, from dissect.Side, data string) *script {
	ip, src, dst := c.ip(from, layers.IPProtocolUDP)
	return s.send(c, from, ip, &layers.UDP{SrcPort: layers.UDPPort(src.Port()), DstPort: layers.UDPPort(dst.Port())}, gopacket.Payload(data))
}

func (s *script) ping(c *conn, from dissect.Side, kind uint8, id uint16) *script {
	ip, _, _ := c.ip(from, layers.IPProtocolICMPv4)
	return s.send(c, from, ip, &layers.ICMPv4{TypeCode: layers.CreateICMPv4TypeCode(kind, 0), Id: id})
}

// handshake opens a TCP connection.
func (s *script) handshake(c *conn) *script {
	return s.tcp(c, dissect.Client, "S", 0, "").tcp(c, dissect.Server, "SA", 0, "").tcp(c, dissect.Client, "A", 0, "")
}

// call opens a TCP connection that says whom it calls.
func (s *script) call(c *conn, host string) *script {
	return s.handshake(c).tcp(c, dissect.Client, "A", 0, "HELLO "+host+"\n")
}

// journal logs what an engine does, as text.
type journal struct {
	lines []string
	flows []telemetry.Flow
	bits  []string // label names by bit
}

func (j *journal) Write(u flow.Update) error {
	var labels []string
	for bit, name := range j.bits {
		if u.Labels[0]&(1<<bit) != 0 {
			labels = append(labels, name)
		}
	}
	j.lines = append(j.lines, fmt.Sprintf("%s %s:%d>%s:%d labels=[%s]/%x mark=%#x/%#x", proto(u.Tuple.Proto), u.Tuple.Src, u.Tuple.SrcPort,
		u.Tuple.Dst, u.Tuple.DstPort, strings.Join(labels, " "), u.LabelMask[0], u.Mark, u.MarkMask))
	return nil
}

func proto(n uint8) string { return map[uint8]string{1: "icmp", 6: "tcp", 17: "udp"}[n] }

func (j *journal) Flush() error { return nil }

func (j *journal) Record(f *telemetry.Flow) {
	var own telemetry.Flow
	if err := json.Unmarshal(f.AppendJSON(nil), &own); err != nil {
		panic(err)
	}
	own.Event = f.Event
	j.flows = append(j.flows, own)
}

// rows are the records in short: what the tests look at.
func (j *journal) rows() (rows []string) {
	for _, f := range j.flows {
		rows = append(rows, fmt.Sprintf("%s %s:%d>%s:%d %s/%s %s by=%s packets=%d at=%d %v", proto(uint8(f.IPProtocol)),
			f.SrcIP, f.SrcPort, f.DstIP, f.DstPort, f.Protocol, f.Application, f.Hostname, f.By, f.Packets, f.DetectionPackets, f.Policies))
	}
	return rows
}
