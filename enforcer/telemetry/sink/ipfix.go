package sink

import (
	"net"
	"sync/atomic"
	"time"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/telemetry/ipfix"
	"github.com/netpol/netpol/enforcer/telemetry/record"
)

// maxTold bounds the flows of which a sink of IPFIX knows what it has told: more are
// told of at their end alone, and nothing is told twice.
const maxTold = 1 << 17

// export is what outlives the connections of a sink of IPFIX. What makes records is
// used under the queue's lock, the exporter by the sink's goroutine.
type export struct {
	encoder *ipfix.Encoder
	told    map[record.Digest][2]ipfix.Counts // of flows that are not over
	flow    ipfix.Flow

	exporter *ipfix.Exporter
	links    atomic.Pointer[[]net.Interface]
}

func newExport(s *artifact.Sink) *export {
	e := &export{encoder: ipfix.NewEncoder(s.Enterprise, s.MessageSize), told: make(map[record.Digest][2]ipfix.Counts)}
	e.exporter = ipfix.NewExporter(s.Enterprise, s.Domain, s.MessageSize, nil)
	return e
}

func (e *export) encoding() encoding { return encoding{add: e.add, next: ipfix.Next} }

// add appends a flow that is over, or what one has carried since it was told of.
func (e *export) add(b []byte, r record.Record, room int) []byte {
	var head *record.FlowHead
	var c *record.Counters
	f := &e.flow
	switch r := r.(type) {
	case *record.FlowEnd:
		f.Detail, head, c, f.Reason = &r.Flow.Detail, &r.FlowHead, &r.Flow.Counters, endReason(r.Reason)
	case *record.FlowStats:
		f.Detail, head, c, f.Reason = r.Whole, &r.FlowHead, &r.Flow.Counters, ipfix.ActiveTimeout
	}
	if c == nil || f.Detail == nil {
		return b
	}
	told, known := e.told[f.Detail.Digest]
	if !known {
		told = orderedSides(f.Detail, c.Earlier.LocalBytes, c.Earlier.LocalPackets, c.Earlier.OtherBytes, c.Earlier.OtherPackets)
	}
	f.Total = sides(f.Detail, c)
	f.Delta = [2]ipfix.Counts{since(f.Total[0], told[0]), since(f.Total[1], told[1])}
	if f.Reason == ipfix.ActiveTimeout && (!known && len(e.told) >= maxTold || f.Delta == [2]ipfix.Counts{}) {
		return b
	}
	f.Ingress = e.indexOf(head.Interface)
	start := len(b)
	b = e.encoder.Append(b, f)
	if len(b)-start > room {
		return b // it will be dropped: the next one tells what this would have
	}
	e.encoder.Sent(f)
	if f.Reason == ipfix.ActiveTimeout {
		e.told[f.Detail.Digest] = f.Total
	} else {
		delete(e.told, f.Detail.Digest)
	}
	return b
}

// sides are what the source and the destination sent. Where only both together are
// known, it counts as the source's.
func sides(d *record.Detail, c *record.Counters) [2]ipfix.Counts {
	out := orderedSides(d, c.LocalBytes, c.LocalPackets, c.OtherBytes, c.OtherPackets)
	if out == [2]ipfix.Counts{} {
		out[0] = ipfix.Counts{Bytes: c.TotalBytes, Packets: c.TotalPackets}
	}
	return out
}

func orderedSides(d *record.Detail, localBytes, localPackets, otherBytes, otherPackets uint64) [2]ipfix.Counts {
	local, other := ipfix.Counts{Bytes: localBytes, Packets: localPackets}, ipfix.Counts{Bytes: otherBytes, Packets: otherPackets}
	if d.LocalOrigin {
		return [2]ipfix.Counts{local, other}
	}
	return [2]ipfix.Counts{other, local}
}

func since(now, then ipfix.Counts) ipfix.Counts {
	return ipfix.Counts{Bytes: now.Bytes - min(now.Bytes, then.Bytes), Packets: now.Packets - min(now.Packets, then.Packets)}
}

// endReason is a reason in IPFIX's terms.
func endReason(r record.Reason) uint8 {
	switch r {
	case record.ReasonClosed:
		return ipfix.EndOfFlow
	case record.ReasonExpired:
		return ipfix.IdleTimeout
	case record.ReasonEvicted:
		return ipfix.LackOfResources
	case record.ReasonStopped:
		return ipfix.ForcedEnd
	}
	return ipfix.ForcedEnd
}

// indexOf is the index of an interface, as it was when tables were last sent: asking
// the kernel here would have the packet path wait.
func (e *export) indexOf(name string) uint32 {
	links := e.links.Load()
	if links == nil || name == "" {
		return 0
	}
	for i := range *links {
		if (*links)[i].Name == name {
			return uint32((*links)[i].Index)
		}
	}
	return 0
}

// collector sends messages of IPFIX.
type collector struct {
	runner *runner
	conn   net.Conn
	*export
	paced bool

	due  time.Time // of templates and tables
	last uint64    // messages when they were sent
	pace pacer
}

func dialIPFIX(r *runner) (target, error) {
	conn, err := r.dial(r.sink.Transport, r.sink.Address)
	if err != nil {
		return nil, err
	}
	c := &collector{runner: r, conn: conn, export: r.export, paced: r.sink.Transport == "udp"}
	c.exporter.Send = c.send
	c.exporter.Restart()
	if err := c.introduce(true); err != nil {
		conn.Close()
		return nil, err
	}
	return c, nil
}

// introduce sends templates, once for a connection or at intervals where they may be
// lost (RFC 7011, 8.1), and tables.
func (c *collector) introduce(first bool) error {
	now := time.Now()
	if links, err := net.Interfaces(); err == nil {
		c.links.Store(&links)
	}
	if first || c.paced {
		if err := c.exporter.Templates(now); err != nil {
			return err
		}
	}
	state := ipfix.State{NotSent: c.runner.failed.Load()}
	if links := c.links.Load(); links != nil {
		state.Interfaces = *links
	}
	_, full := c.runner.queue.counts()
	state.NotSent += full
	if err := c.exporter.Tables(now, state); err != nil {
		return err
	}
	c.due, c.last = now.Add(c.runner.sink.TemplateInterval), c.exporter.Messages()
	return nil
}

// portion is how many bytes of records are sent before it is seen whether templates
// are due.
const portion = 32 << 10

// write sends records. What is in messages that the kernel took is not sent again:
// counted twice would be worse than not at all, and a flow's totals are in its next
// record.
func (c *collector) write(records []byte) (int, error) {
	sent := 0
	for sent < len(records) {
		if !time.Now().Before(c.due) || c.exporter.Messages()-c.last >= uint64(c.runner.sink.TemplateMessages) {
			if err := c.introduce(false); err != nil {
				return sent, err
			}
		}
		part := records[sent:]
		if len(part) > portion {
			part = part[:c.runner.whole(part[:portion])]
		}
		n, err := c.exporter.Flows(time.Now(), part)
		if sent += n; err != nil {
			return sent, err
		}
	}
	return sent, nil
}

func (c *collector) send(message []byte) error {
	if c.paced {
		c.pace.wait()
	}
	if err := c.conn.SetWriteDeadline(time.Now().Add(writeLimit)); err != nil {
		return err
	}
	_, err := c.conn.Write(message)
	return err
}

func (c *collector) close() error { return c.conn.Close() }
