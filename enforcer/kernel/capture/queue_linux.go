package capture

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/flow"
	"github.com/netpol/netpol/enforcer/kernel/internal/nfnl"
	"github.com/netpol/netpol/enforcer/packet"
)

// Attributes of packets and verdicts (linux/netfilter/nfnetlink_queue.h, enum
// nfqnl_attr_type).
const (
	nfqaPacketHeader  = 1
	nfqaVerdictHeader = 2
	nfqaMark          = 3
	nfqaTimestamp     = 4
	nfqaInDev         = 5
	nfqaOutDev        = 6
	nfqaHWAddr        = 9
	nfqaPayload       = 10
)

const (
	msgHeld    = unix.NFNL_SUBSYS_QUEUE << 8   // NFQNL_MSG_PACKET
	msgVerdict = unix.NFNL_SUBSYS_QUEUE<<8 | 1 // NFQNL_MSG_VERDICT

	// Verdicts (linux/netfilter.h).
	verdictGo    = 1 // NF_ACCEPT: on to the next chain
	verdictAgain = 4 // NF_REPEAT: through this chain again

	queueBytes = 16 << 20 // room for what waits, GRO packets included
	hashBytes  = 44       // of a packet that is told apart from others: headers of both layers

	// lateAfter is for how long nobody may have looked at the queues before what
	// is found there counts as late. Live looks every heldApart. Packets that wait have
	// a time stamp only where something else asks for it (net_enable_timestamp).
	lateAfter = 2 * heldApart
)

// Queue reads held packets and lets them go on. Stats may be called by any
// goroutine, all else belongs to one.
type Queue struct {
	stream
	out   []byte    // verdicts that are not sent, one a packet that waits at the most
	away  []journey // packets that are being told, in the order that they come back
	marks []uint32  // scratch
	first uint16
	mark  artifact.HoldMark
	seq   uint32

	looked  time.Time
	stalled bool // nobody had looked for long, and not all is read that was there

	held, told, late, stray, refused atomic.Uint64
}

// journey is a packet that is on its way through the rules that write into its
// connection's entry.
type journey struct {
	ticket packet.Ticket
	marks  [artifact.ToldTurns]uint32
	turns  int // how many of them
	next   int
}

// OpenQueue binds the queues in the current network namespace. The caller must
// Close it. ErrQueueBusy and EPERM are in the chain of the errors they cause.
func OpenQueue(cfg QueueConfig) (*Queue, error) {
	sock, err := nfnl.Open(nfnl.Options{Acks: true, ReadBuffer: queueBytes, WriteBuffer: queueBytes})
	if err != nil {
		return nil, fmt.Errorf("open nfqueue: %w", err)
	}
	if err := bindQueues(sock, cfg); err != nil {
		_ = sock.Close()
		return nil, err
	}
	return &Queue{stream: newStream(sock), first: cfg.First, mark: cfg.Mark}, nil
}

// look notes that somebody does.
func (q *Queue) look() {
	now := time.Now()
	q.stalled = q.stalled || !q.looked.IsZero() && now.Sub(q.looked) > lateAfter
	q.looked = now
}

// take fills r with the next packet that is there; false says that none is.
func (q *Queue) take(r *packet.Raw) (bool, error) {
	for {
		m, err := q.message()
		if errors.Is(err, unix.EAGAIN) {
			q.stalled = false
			_ = q.send() // what the kernel did not take before, of which Release has told
			return false, nil
		}
		if err != nil {
			return false, fmt.Errorf("nfqueue receive: %w", err)
		}
		if errno, isError := m.Errno(); isError && errno != 0 {
			q.refused.Add(1)
		}
		if m.Type != msgHeld || !q.fill(r, m.Data) {
			continue
		}
		r.Ticket.Queue = m.ResID
		kind := (m.ResID - q.first) % artifact.HoldQueues
		r.Ticket.New = kind == artifact.HoldFirst
		if r.Direction = packet.DirOriginal; kind == artifact.HoldReply {
			r.Direction = packet.DirReply
		}
		if r.Ticket.Mark&q.mark.Mask() != q.mark.Told() {
			q.held.Add(1)
			if q.stalled {
				q.late.Add(1)
			}
			return true, nil
		}
		if err := q.back(r.Ticket); err != nil {
			return false, err
		}
	}
}

// fill reads the attributes of one held packet; false if it has no number, and
// so cannot be released.
func (q *Queue) fill(r *packet.Raw, b []byte) bool {
	*r = packet.Raw{LinkType: packet.LinkRaw}
	var dev uint32
	for a, rest, ok := nfnl.NextAttr(b); ok; a, rest, ok = nfnl.NextAttr(rest) {
		switch a.Type {
		case nfqaPacketHeader: // struct nfqnl_msg_packet_hdr
			r.Ticket.ID = a.Uint32()
		case nfqaMark:
			r.Ticket.Mark = a.Uint32()
		case nfqaPayload:
			r.Data = a.Data
		case nfqaHWAddr:
			r.SourceMAC = hardwareAddress(a.Data)
		case nfqaTimestamp:
			r.Timestamp = timestamp(a.Data)
		case nfqaInDev:
			dev = a.Uint32()
		case nfqaOutDev:
			if dev == 0 { // only packets of the router itself come in nowhere
				dev = a.Uint32()
			}
		}
	}
	now := time.Now().UnixNano()
	if r.Timestamp == 0 {
		r.Timestamp = now
	}
	r.Length = max(wireLength(r.Data), len(r.Data))
	r.Interface = q.name(dev, now)
	r.Ticket.Hash = fingerprint(r.Data)
	return r.Ticket.ID != 0
}

// fingerprint is FNV-1a of a packet's beginning.
func fingerprint(b []byte) uint32 {
	h := uint32(2166136261)
	for _, c := range b[:min(len(b), hashBytes)] {
		h = (h ^ uint32(c)) * 16777619
	}
	return h
}

// Release lets packets go on. What is to be written on a connection that nobody
// can write into yet is written on the way.
func (q *Queue) Release(list []flow.Release) error {
	for i := range list {
		r := &list[i]
		if !r.Ticket.New {
			q.goOn(r.Ticket, r.Ticket.Mark)
			continue
		}
		j := journey{ticket: r.Ticket}
		q.marks = q.mark.Tell(q.marks[:0], r.Labels, r.Mark, r.Done)
		if j.turns = copy(j.marks[:], q.marks); j.turns == 0 {
			q.goOn(r.Ticket, r.Ticket.Mark)
			continue
		}
		q.told.Add(1)
		q.turn(r.Ticket, j)
	}
	return q.send()
}

// turn sends a packet, by the number that it has now, through the rules once more.
func (q *Queue) turn(now packet.Ticket, j journey) {
	mark := j.marks[j.next]
	j.next++
	q.away = append(q.away, j)
	q.verdict(now, verdictAgain, mark)
}

// back takes a packet that the rules have written for: for the next turn, or to
// let it go on.
func (q *Queue) back(now packet.Ticket) error {
	for i, j := range q.away {
		if j.ticket.Queue != now.Queue || j.ticket.Hash != now.Hash {
			continue // the queue was full when it came back, and it went on
		}
		q.away = q.away[:copy(q.away, q.away[i+1:])]
		if j.next < j.turns {
			q.turn(now, j)
		} else {
			q.goOn(now, j.ticket.Mark)
		}
		return q.send()
	}
	q.stray.Add(1)
	q.goOn(now, 0)
	return q.send()
}

func (q *Queue) goOn(t packet.Ticket, mark uint32) {
	q.verdict(t, verdictGo, q.mark.On(mark))
}

// verdict appends one verdict.
func (q *Queue) verdict(t packet.Ticket, verdict, mark uint32) {
	q.seq++
	var start int
	q.out, start = nfnl.Begin(q.out, msgVerdict, nfnl.FlagRequest, q.seq, unix.AF_UNSPEC, t.Queue)
	var header [8]byte // struct nfqnl_msg_verdict_hdr
	binary.BigEndian.PutUint32(header[:], verdict)
	binary.BigEndian.PutUint32(header[4:], t.ID)
	q.out = nfnl.Bytes(q.out, nfqaVerdictHeader, header[:])
	q.out = nfnl.End(nfnl.Uint32(q.out, nfqaMark, mark), start)
}

// send passes the verdicts to the kernel, which has sent the packets on their way
// when it returns.
func (q *Queue) send() error {
	if len(q.out) == 0 {
		return nil
	}
	if err := q.sock.Send(q.out); err != nil {
		return fmt.Errorf("nfqueue verdict: %w", err) // their packets wait: they are sent again
	}
	q.out = q.out[:0]
	return nil
}

// Stats are the counters so far.
func (q *Queue) Stats() QueueStats {
	return QueueStats{
		Held: q.held.Load(), Told: q.told.Load(), Late: q.late.Load(),
		Overruns: q.overruns.Load(), Stray: q.stray.Load(), Refused: q.refused.Load(),
	}
}

// Close lets go on what has been read or waits, and gives the queues back. The
// kernel drops what arrives between the two.
func (q *Queue) Close() error {
	var r packet.Raw
	for {
		if ok, err := q.take(&r); !ok || err != nil {
			break
		}
		q.goOn(r.Ticket, r.Ticket.Mark)
	}
	return errors.Join(q.send(), q.sock.Close())
}
