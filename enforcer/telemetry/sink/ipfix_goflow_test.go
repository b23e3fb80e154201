package sink

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/netsampler/goflow2/v2/decoders/netflow"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/telemetry/ipfix"
	"github.com/netpol/netpol/enforcer/telemetry/record"
)

const reversePEN = 29305 // RFC 5103, 6.1

// decoded is what goflow2 read.
type decoded struct {
	totals
	records  uint32 // of data, those of options too
	fields   map[string]int
	elements map[string]bool
}

// decode reads messages in order, as one session.
func decode(t *testing.T, messages [][]byte) *decoded {
	t.Helper()
	out := &decoded{fields: map[string]int{}, elements: map[string]bool{}}
	system := netflow.CreateTemplateSystem()
	for _, m := range messages {
		var p netflow.IPFIXPacket
		if err := netflow.DecodeMessageVersion(bytes.NewBuffer(m), system, nil, &p); err != nil {
			t.Fatal(err)
		}
		if p.SequenceNumber != out.records {
			t.Errorf("got sequence number %d after %d records (RFC 7011, 3.1)", p.SequenceNumber, out.records)
			out.records = p.SequenceNumber
		}
		if p.ObservationDomainId != 7 || len(m) > ipfix.DefaultMessage {
			t.Errorf("got a message of %d bytes of domain %d", len(m), p.ObservationDomainId)
		}
		for _, set := range p.FlowSets {
			switch set := set.(type) {
			case netflow.DataFlowSet:
				for _, r := range set.Records {
					out.flow(r.Values)
				}
			case netflow.OptionsDataFlowSet:
				for _, r := range set.Records {
					out.records++
					for _, f := range r.OptionsValues {
						if b, ok := f.Value.([]byte); ok {
							out.elements[strings.TrimRight(string(b), "\x00")] = true
						}
					}
				}
			}
		}
	}
	return out
}

func (d *decoded) flow(fields []netflow.DataField) {
	d.records++
	d.flows++
	for _, f := range fields {
		b, _ := f.Value.([]byte)
		own := !f.PenProvided || f.Pen == reversePEN
		switch {
		case own && f.Type&0x7fff == 1:
			d.bytes += binary.BigEndian.Uint64(b)
		case own && f.Type&0x7fff == 2:
			d.packets += binary.BigEndian.Uint64(b)
		case f.PenProvided && f.Pen == ipfix.DocumentationPEN && f.Type&0x7fff == 5, !f.PenProvided && f.Type == 96:
			d.fields[string(b)]++
		}
	}
}

// TestGoflow2ReadsWhatIsSent has another decoder read all: sums, sequence numbers,
// names in records and in tables.
func TestGoflow2ReadsWhatIsSent(t *testing.T) {
	want, messages := receive(t)
	got := decode(t, messages)
	if got.totals != want {
		t.Errorf("got %+v, want %+v", got.totals, want)
	}
	for _, name := range []string{"zoom", "spotify", "us04web.zoom.us", "ap.spotify.com"} {
		if n := got.fields[name]; n < 500 {
			t.Errorf("%s is in %d records", name, n)
		}
	}
	for _, name := range []string{"zoom", "video-conference", "lo", "conntrackLabels"} {
		if !got.elements[name] {
			t.Errorf("no table has %q", name)
		}
	}
}

// TestIPFIXOverTCP says that templates come once for each connection, and that what is
// sent on a new one is read without what came before.
func TestIPFIXOverTCP(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	s := New(Config{})
	defer s.Close()
	s.Use([]artifact.Sink{ipfixSink("tcp", l.Addr().String())})
	for i := range 2 {
		conn, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		s.Offer(0, connection(10*i))
		s.Offer(0, connection(10*i+1))
		got := decode(t, messagesOf(t, conn, 2))
		if got.flows < 2 || !got.elements["protocolName"] {
			t.Errorf("connection %d: got %+v", i, got)
		}
		conn.Close()
		if i == 0 {
			eventually(t, "a broken connection", func() bool { s.Offer(0, connection(5)); return s.Status()[0].Fault != "" })
			s.slot(0).queue.take(nil)
		}
	}
}

// messagesOf reads messages until they have so many records of flows.
func messagesOf(t *testing.T, conn net.Conn, flows uint64) (list [][]byte) {
	t.Helper()
	_ = conn.SetReadDeadline(time.Now().Add(20 * time.Second))
	in := bufio.NewReader(conn)
	for {
		head, err := in.Peek(4)
		if err != nil {
			t.Fatal(err)
		}
		m := make([]byte, binary.BigEndian.Uint16(head[2:]))
		if _, err := io.ReadFull(in, m); err != nil {
			t.Fatal(err)
		}
		if list = append(list, m); decode(t, list).flows >= flows {
			return list
		}
	}
}

// TestNothingIsToldTwice says that the deltas of a connection add up to its totals,
// whatever found no room, and that what is not of connections is not told.
func TestNothingIsToldTwice(t *testing.T) {
	one := ipfixSink("udp", "127.0.0.1:1")
	e := newExport(&one)
	end := connection(2)
	stats := func(local, other uint64) *record.FlowStats {
		r := &record.FlowStats{FlowHead: end.FlowHead, Flow: record.Progress{Brief: end.Flow.Brief}, Whole: &end.Flow.Detail}
		r.Flow.Counters = record.Counters{LocalBytes: local, OtherBytes: other}
		return r
	}
	const room = 1 << 20
	var sum uint64
	told := func(b []byte) {
		if len(b) > 0 {
			sum += e.flow.Delta[0].Bytes + e.flow.Delta[1].Bytes
		}
	}
	told(e.add(nil, stats(10, 100), room))
	_ = e.add(nil, stats(20, 200), 10) // no room
	told(e.add(nil, stats(30, 300), room))
	if b := e.add(nil, stats(30, 300), room); len(b) > 0 {
		t.Error("nothing has been carried since, and it is told")
	}
	told(e.add(nil, end, room))
	if want := end.Flow.LocalBytes + end.Flow.OtherBytes; sum != want || len(e.told) != 0 {
		t.Errorf("got %d bytes, want %d; %d flows are remembered", sum, want, len(e.told))
	}
	for _, r := range []record.Record{flowOf("x"), &record.AgentStatus{}, &record.Aggregate{}, &record.FlowStats{}} {
		if b := e.add(nil, r, room); len(b) > 0 {
			t.Errorf("%T is told", r)
		}
	}
	adopted := connection(4)
	adopted.Flow.Earlier = record.Carried{LocalBytes: 4, LocalPackets: 1, OtherBytes: 12}
	e.add(nil, adopted, room)
	if got := e.flow.Delta; got[0].Bytes != 1000 || got[1].Bytes != 50000 || e.flow.Total[0].Bytes != 1004 {
		t.Errorf("got %+v of a connection that an earlier netpold has told of", got)
	}
	unread := connection(1)
	unread.Flow.Counters = record.Counters{TotalBytes: 700, TotalPackets: 7}
	if e.add(nil, unread, room); e.flow.Total[0] != (ipfix.Counts{Bytes: 700, Packets: 7}) {
		t.Errorf("got %+v where only both sides together are known", e.flow.Total)
	}
}
