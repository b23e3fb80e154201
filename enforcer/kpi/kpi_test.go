package kpi

import (
	"encoding/binary"
	"reflect"
	"testing"
	"time"

	"github.com/netpol/netpol/enforcer/fuzztest"
	"github.com/netpol/netpol/enforcer/packet"
)

const ms = int64(time.Millisecond)

// conversation feeds segments to a flow's state.
type conversation struct {
	book Book
	ref  Ref
}

// tcp is a segment of an end at a time in milliseconds.
func (c *conversation) tcp(from int, at int64, flags uint8, seq, ack uint32, payload string) {
	p := packet.Parsed{Proto: packet.ProtoTCP, TCPFlags: flags, Seq: seq, Ack: ack, Window: 1000, Payload: []byte(payload), PayloadLength: len(payload)}
	c.book.Observe(&c.ref, &p, from, at*ms)
}

func (c *conversation) udp(from int, at int64, payload []byte) {
	p := packet.Parsed{Proto: packet.ProtoUDP, Payload: payload, PayloadLength: len(payload)}
	c.book.Observe(&c.ref, &p, from, at*ms)
}

func (c *conversation) report() (r Report) {
	c.book.Report(c.ref, &r)
	return r
}

// handshake opens a connection of end 0 at 0 ms: 20 ms to the server, 5 ms to the client.
func (c *conversation) handshake() {
	c.tcp(0, 0, packet.SYN, 99, 0, "")
	c.tcp(1, 20, packet.SYN|packet.ACK, 499, 100, "")
	c.tcp(0, 25, packet.ACK, 100, 500, "")
}

func want[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func TestTimes(t *testing.T) {
	var c conversation
	c.handshake()
	c.tcp(1, 27, packet.ACK, 500, 100, "220 banner\r\n")
	c.tcp(0, 30, packet.ACK, 100, 512, "EHLO\r\n")
	c.tcp(1, 70, packet.ACK, 512, 106, "250\r\n")
	r := c.report()
	want(t, "server", r.RTTServer, 20000)
	want(t, "client", r.RTTClient, 5000)
	want(t, "response: not the banner, which answers nothing", r.AppResponse, 40000)
	want(t, "packets", r.Packets, 6)
	want(t, "tcp", r.TCP, TCP{})
}

func TestTimesThatCannotBeKnown(t *testing.T) {
	for name, play := range map[string]func(*conversation){
		"from the middle": func(c *conversation) {
			c.tcp(0, 0, packet.ACK, 100, 500, "GET")
			c.tcp(1, 20, packet.ACK, 500, 103, "200")
		},
		"opening sent twice": func(c *conversation) {
			c.tcp(0, 0, packet.SYN, 99, 0, "")
			c.tcp(0, 1000, packet.SYN, 99, 0, "")
			c.tcp(1, 1020, packet.SYN|packet.ACK, 499, 100, "")
			c.tcp(1, 2020, packet.SYN|packet.ACK, 499, 100, "")
			c.tcp(0, 2025, packet.ACK, 100, 500, "")
		},
		"time goes backwards": func(c *conversation) {
			c.tcp(0, 20, packet.SYN, 99, 0, "")
			c.tcp(1, 10, packet.SYN|packet.ACK, 499, 100, "")
			c.tcp(0, 5, packet.ACK, 100, 500, "")
		},
	} {
		t.Run(name, func(t *testing.T) {
			var c conversation
			play(&c)
			r := c.report()
			want(t, "times", [3]uint32{r.RTTServer, r.RTTClient, r.AppResponse}, [3]uint32{})
		})
	}
}

func TestTLSHandshake(t *testing.T) {
	hello, data := "\x16\x03\x01\x00\x02\x01\x00", "\x17\x03\x03\x00\x01x"
	var c conversation
	c.handshake()
	c.tcp(0, 30, packet.ACK, 100, 500, hello)
	c.tcp(1, 50, packet.ACK, 500, 107, "\x16\x03\x03\x00\x02\x02\x00")
	c.tcp(0, 60, packet.ACK, 107, 507, "\x14\x03\x03\x00\x01\x01"+data)
	want(t, "TLS 1.3", c.report().TLSHandshake, 30000)

	c = conversation{}
	c.handshake()
	c.tcp(0, 30, packet.ACK, 100, 500, hello)
	c.tcp(0, 31, packet.ACK, 107, 500, data)
	want(t, "early data is no handshake", c.report().TLSHandshake, 0)
}

func TestOrder(t *testing.T) {
	const ack = packet.ACK
	for name, one := range map[string]struct {
		play func(*conversation)
		want TCP
	}{
		"sent again": {func(c *conversation) {
			c.tcp(0, 30, ack, 100, 500, "abc")
			c.tcp(0, 300, ack, 100, 500, "abc")
		}, TCP{Retransmissions: [2]uint32{1, 0}}},
		"overtaken": {func(c *conversation) {
			c.tcp(1, 30, ack, 503, 100, "def")
			c.tcp(1, 31, ack, 500, 100, "abc")
		}, TCP{OutOfOrder: [2]uint32{0, 1}}},
		"a gap that is filled late was sent again": {func(c *conversation) {
			c.tcp(1, 30, ack, 503, 100, "def")
			c.tcp(1, 300, ack, 500, 100, "abc")
		}, TCP{Retransmissions: [2]uint32{0, 1}}},
		"and one that was asked for": {func(c *conversation) {
			c.tcp(0, 30, ack, 100, 500, "")
			c.tcp(1, 30, ack, 503, 100, "def")
			c.tcp(0, 31, ack, 100, 500, "")
			c.tcp(0, 32, ack, 100, 500, "")
			c.tcp(1, 33, ack, 500, 100, "abc")
		}, TCP{Retransmissions: [2]uint32{0, 1}}},
		"what fills twice": {func(c *conversation) {
			c.tcp(1, 30, ack, 503, 100, "def")
			c.tcp(1, 31, ack, 500, 100, "abc")
			c.tcp(1, 32, ack, 500, 100, "abc")
		}, TCP{OutOfOrder: [2]uint32{0, 1}, Retransmissions: [2]uint32{0, 1}}},
		"the middle of a gap": {func(c *conversation) {
			c.tcp(1, 30, ack, 509, 100, "jkl")
			c.tcp(1, 31, ack, 503, 100, "def")
			c.tcp(1, 31, ack, 500, 100, "abc")
			c.tcp(1, 31, ack, 506, 100, "ghi")
		}, TCP{OutOfOrder: [2]uint32{0, 3}}},
		"keep-alive": {func(c *conversation) {
			c.tcp(0, 30, ack, 100, 500, "abc")
			c.tcp(0, 9000, ack, 102, 500, "c")
			c.tcp(0, 9999, ack, 102, 500, "")
		}, TCP{}},
		"reset and SYN again": {func(c *conversation) {
			c.tcp(0, 30, packet.SYN, 99, 0, "")
			c.tcp(1, 40, packet.RST, 500, 0, "")
		}, TCP{Retransmissions: [2]uint32{1, 0}, Resets: [2]uint32{0, 1}}},
		"far outside of any window": {func(c *conversation) {
			c.tcp(1, 30, ack, 500, 100, "abc")
			c.tcp(1, 31, ack, 500+1<<30+9, 100, "abc")
			c.tcp(1, 32, ack, 503, 100, "def")
		}, TCP{}},
	} {
		t.Run(name, func(t *testing.T) {
			var c conversation
			c.handshake()
			one.play(&c)
			want(t, "tcp", c.report().TCP, one.want)
		})
	}
}

func TestZeroWindow(t *testing.T) {
	var c conversation
	c.handshake()
	full := packet.Parsed{Proto: packet.ProtoTCP, TCPFlags: packet.ACK, Seq: 100, Ack: 500}
	c.book.Observe(&c.ref, &full, 0, 30*ms)
	c.tcp(1, 31, packet.ACK, 500, 100, "x") // a probe
	c.tcp(1, 32, packet.ACK, 500, 100, "x")
	want(t, "tcp", c.report().TCP, TCP{ZeroWindows: [2]uint32{1, 0}})
}

func TestQUIC(t *testing.T) {
	initial := make([]byte, 1200)
	copy(initial, "\xc3\x00\x00\x00\x01\x08CLIENTID\x00")
	answer := []byte("\xc1\x00\x00\x00\x01\x00\x04SERV....")
	var c conversation
	c.udp(0, 0, initial)
	c.udp(0, 1, initial) // the hello's second part
	c.udp(1, 30, answer)
	c.udp(0, 33, []byte("\xd0\x00\x00\x00\x01\x08CLIENTID\x00 under way")) // 0-RTT
	c.udp(0, 35, []byte("\xe0\x00\x00\x00\x01\x04SERV\x00........"))
	r := c.report()
	want(t, "server", r.RTTServer, 30000)
	want(t, "client", r.RTTClient, 5000)

	c = conversation{}
	c.udp(0, 0, initial)
	c.udp(0, 1000, initial)
	c.udp(1, 1030, answer)
	c.udp(0, 1035, []byte("\x41SERV...."))
	r = c.report()
	want(t, "server, of an Initial that was sent again", r.RTTServer, 0)
	want(t, "client, by a short header", r.RTTClient, 5000)
}

func TestDNS(t *testing.T) {
	message := func(id uint16, answer bool) []byte {
		b := make([]byte, 17)
		binary.BigEndian.PutUint16(b, id)
		if answer {
			b[2] = 0x80
		}
		return b
	}
	var c conversation
	c.udp(0, 0, message(1, false))
	c.udp(0, 1, message(2, false))
	c.udp(0, 5, message(2, false)) // again
	c.udp(1, 11, message(2, true))
	c.udp(1, 30, message(1, true))
	c.udp(1, 31, message(1, true)) // twice
	c.udp(0, 40, message(3, false))
	want(t, "dns", c.report().DNS, DNS{Queries: 3, Answers: 2, Response: 20000, ResponseMax: 30000})
}

func rtpPacket(kind uint8, seq uint16, at, ssrc uint32) []byte {
	b := make([]byte, 32)
	b[0], b[1] = 0x80, kind
	binary.BigEndian.PutUint16(b[2:], seq)
	binary.BigEndian.PutUint32(b[4:], at)
	binary.BigEndian.PutUint32(b[8:], ssrc)
	return b
}

// TestRTP sends G.711, 20 ms a packet, of which two are lost and one comes 16 ms late, through the wrap
// of sequence numbers.
func TestRTP(t *testing.T) {
	var c conversation
	for i := range 100 {
		if i == 40 || i == 41 {
			continue
		}
		at := int64(i) * 20
		if i == 60 {
			at += 16
		}
		c.udp(1, at, rtpPacket(8, uint16(65500+i), uint32(i)*160, 7))
		c.udp(0, at, rtpPacket(96, uint16(i), uint32(i)*960, 8)) // Opus
	}
	r := c.report()
	want(t, "packets", r.Packets, 196)
	want(t, "lost", [2]uint64{r.RTP[0].Lost, r.RTP[1].Lost}, [2]uint64{2, 2})
	want(t, "packets of streams", [2]uint64{r.RTP[0].Packets, r.RTP[1].Packets}, [2]uint64{98, 98})
	// 16 ms late, then 16 ms early: 16/16, and 15/16 of it with another 16/16.
	want(t, "jitter", r.RTP[1].JitterMax, 1937)
	want(t, "jitter with a clock that had to be measured", r.RTP[0].JitterMax, 1937)
}

func TestNotRTP(t *testing.T) {
	var c conversation
	for i := range 20 {
		c.udp(0, int64(i), rtpPacket(8, uint16(i*977), uint32(i), uint32(i*31))) // a source each
		c.udp(0, int64(i), rtpPacket(0xc8&0x7f, uint16(i), 0, 9))                // RTCP
	}
	want(t, "rtp", c.report().RTP, [2]RTP{})
}

// TestRTPBeginsAtTheEndOfItsNumbers: a source chooses its first number at random (RFC 3550, 5.1), and the next
// may be 0.
func TestRTPBeginsAtTheEndOfItsNumbers(t *testing.T) {
	var c conversation
	for i := range 10 {
		c.udp(0, int64(i)*20, rtpPacket(8, uint16(65535+i), uint32(i)*160, 7))
	}
	r := c.report()
	want(t, "packets and lost", [2]uint64{r.RTP[0].Packets, r.RTP[0].Lost}, [2]uint64{10, 0})
}

func TestBookReusesState(t *testing.T) {
	var b Book
	for range 3 {
		var ref Ref
		p := packet.Parsed{Proto: packet.ProtoUDP, Payload: rtpPacket(8, 1, 1, 1)}
		b.Observe(&ref, &p, 0, 0)
		var r Report
		if !b.Report(ref, &r) || r.Packets != 1 {
			t.Fatalf("got %+v", r)
		}
		b.Release(ref)
	}
	want(t, "states", [2]int{b.udp.Made(), b.rtp.Made()}, [2]int{1, 1})
	other := packet.Parsed{Proto: packet.ProtoSCTP}
	var ref Ref
	b.Observe(&ref, &other, 0, 0)
	want(t, "other protocols", ref, 0)
}

func TestObserveAllocatesNothing(t *testing.T) {
	var c conversation
	c.handshake()
	p := packet.Parsed{Proto: packet.ProtoTCP, TCPFlags: packet.ACK, Seq: 100, Payload: make([]byte, 100), PayloadLength: 100}
	if n := testing.AllocsPerRun(100, func() {
		p.Seq += 100
		c.book.Observe(&c.ref, &p, 0, 1)
	}); n != 0 {
		t.Errorf("got %v allocations a packet, want 0", n)
	}
}

// playBytes takes bytes for a conversation: of each packet the end, its TCP flags and steps of sequence number, acknowledgement
// and time, and a payload of up to 63 bytes. It gives what became of it, for the fuzzer to follow.
func playBytes(tb testing.TB, b []byte) (outcome uint64) {
	var stream, grams conversation
	seq, at, n := [2]uint32{}, int64(0), uint64(0)
	for ; len(b) >= 5; n++ {
		from, size := int(b[0]&1), min(int(b[0]>>2), len(b)-5)
		seq[from] += uint32(int8(b[2]))
		at += int64(int8(b[4]))
		payload := string(b[5 : 5+size])
		stream.tcp(from, at, b[1], seq[from], seq[1-from]+uint32(int8(b[3])), payload)
		grams.udp(from, at, []byte(payload))
		b = b[5+size:]
	}
	if n == 0 {
		return 0
	}
	s, g := stream.report(), grams.report()
	odd := uint64(0)
	for i := range 2 {
		odd += uint64(s.TCP.Retransmissions[i]) + uint64(s.TCP.OutOfOrder[i])
		if g.RTP[i].Packets > n || g.RTP[i].Lost >= n<<16+1<<16 {
			tb.Fatalf("got %+v of %d packets", g.RTP[i], n)
		}
	}
	if s.Packets != n || g.Packets != n || odd > n || g.DNS.Answers > g.DNS.Queries || g.DNS.Response > g.DNS.ResponseMax {
		tb.Fatalf("got %+v and %+v of %d packets", s, g, n)
	}
	for i, known := range [...]bool{
		s.RTTServer != 0, s.RTTClient != 0, s.AppResponse != 0, s.TLSHandshake != 0, g.DNS.Answers != 0, g.RTP[0].Packets != 0,
		g.RTP[1].Jitter != 0, s.TCP.OutOfOrder[0] != 0, s.TCP.Retransmissions[1] != 0, s.TCP.ZeroWindows[0] != 0, g.RTP[0].Lost != 0,
	} {
		if known {
			outcome |= 1 << i
		}
	}
	return outcome
}

// FuzzObserve says that no packets make more of what was counted than there were packets.
func FuzzObserve(f *testing.F) {
	seeds := [][]byte{
		[]byte("\x00\x02\x00\x00\x00" + "\x01\x12\x00\x01\x05" + "\x00\x10\x01\x01\x05" + "\x1c\x10\x00\x01\x01\x16\x03\x01\x00\x02\x01\x00" + "\x19\x10\x01\x07\x05\x16\x03\x03\x00\x02\x02"),
		[]byte("\x30\x10\x00\x00\x01\x80\x08\x00\x01\x00\x00\x00\x01\x00\x00\x00\x07" + "\x30\x10\x0c\x00\x14\x80\x08\x00\x02\x00\x00\x00\xa1\x00\x00\x00\x07"),
		[]byte("\x30\x10\x00\x00\x01\x00\x01\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00" + "\x31\x10\x00\x00\x05\x00\x01\x81\x80\x00\x01\x00\x00\x00\x00\x00\x00"),
	}
	for _, s := range seeds {
		f.Add(s)
	}
	fuzztest.Run(f, seeds, func(b []byte) uint64 { return playBytes(f, b) })
	f.Fuzz(func(t *testing.T, b []byte) { playBytes(t, b) })
}

func BenchmarkObserve(b *testing.B) {
	var c conversation
	c.handshake()
	p := packet.Parsed{Proto: packet.ProtoTCP, TCPFlags: packet.ACK, Seq: 100, Payload: make([]byte, 100), PayloadLength: 100}
	b.ReportAllocs()
	for b.Loop() {
		p.Seq += 100
		c.book.Observe(&c.ref, &p, 0, 1)
	}
}

// A packet among a million flows waits for each line of its connection's state, which has no
// pointers, lest the collector look at it.
func TestStateIsSmall(t *testing.T) {
	if got := reflect.TypeFor[tcp]().Size(); got != 128 {
		t.Errorf("the state of a TCP connection takes %d bytes, want 128", got)
	}
}
