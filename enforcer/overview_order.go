package enforcer

import (
	"cmp"
	"container/heap"
	"math"
	"slices"
	"strings"

	"github.com/netpol/netpol/enforcer/flow"
	"github.com/netpol/netpol/enforcer/telemetry"
	"github.com/netpol/netpol/lang/fact"
)

// rank is a flow's place in an order: by figure, the largest first, and then by word.
type rank struct {
	figure uint64
	then   uint64
	word   string
}

func (a rank) compare(b rank) int {
	return cmp.Or(cmp.Compare(b.figure, a.figure), strings.Compare(a.word, b.word), cmp.Compare(b.then, a.then))
}

// rank is the place of a flow that has carried so much.
func (w *worker) rank(by telemetry.Order, r *flow.Record, f *fact.Facts, now *telemetry.Now, packets, bytes uint64) rank {
	out := rank{then: bytes}
	switch by {
	case telemetry.OrderBytes:
		out.figure = bytes
	case telemetry.OrderPackets:
		out.figure = packets
	case telemetry.OrderUp:
		out.figure = now.LocalRate
	case telemetry.OrderDown:
		out.figure = now.OtherRate
	case telemetry.OrderRTT:
		out.figure = uint64(now.RTT())
	case telemetry.OrderRetrans:
		out.figure = now.Retrans
	case telemetry.OrderNew:
		out.figure = uint64(r.FirstSeen)
	case telemetry.OrderOld:
		out.figure = math.MaxUint64 - uint64(r.FirstSeen)
	case telemetry.OrderName:
		application, _ := w.application(f)
		out.word = application + "\x00" + f.Protocol + "\x00" + hostname(f)
	case telemetry.OrderFlows, telemetry.OrderRate:
		out.figure = now.Rate
	default:
		out.figure = now.Rate
	}
	return out
}

// compareSums orders rows: the largest first, then by rate, bytes and name.
func compareSums(by telemetry.Order, a, b *telemetry.Sum) int {
	figure := func(s *telemetry.Sum) uint64 {
		switch by {
		case telemetry.OrderBytes:
			return s.Bytes
		case telemetry.OrderPackets:
			return s.Packets
		case telemetry.OrderUp:
			return s.LocalRate
		case telemetry.OrderDown:
			return s.OtherRate
		case telemetry.OrderFlows, telemetry.OrderNew, telemetry.OrderOld:
			return uint64(s.Flows)
		case telemetry.OrderRTT:
			return uint64(s.RTT)
		case telemetry.OrderRetrans:
			return s.Retrans
		case telemetry.OrderName:
			return 0
		case telemetry.OrderRate:
		}
		return s.Rate
	}
	if by == telemetry.OrderName {
		return strings.Compare(a.Name, b.Name)
	}
	return cmp.Or(cmp.Compare(figure(b), figure(a)), cmp.Compare(b.Rate, a.Rate), cmp.Compare(b.Bytes, a.Bytes), strings.Compare(a.Name, b.Name))
}

// firstFlows keeps the first flows of an order: a heap with the last of them on top.
type firstFlows struct {
	most int
	list rankedFlows
}

type rankedFlow struct {
	rank rank
	flow telemetry.Flow
}

func (k *firstFlows) takes(r rank) bool {
	return len(k.list) < k.most || k.most > 0 && r.compare(k.list[0].rank) < 0
}

// add takes in a flow that takes is true of.
func (k *firstFlows) add(f rankedFlow) {
	if len(k.list) == k.most {
		k.list[0] = f
		heap.Fix(&k.list, 0)
		return
	}
	heap.Push(&k.list, f)
}

func (k *firstFlows) sorted() []telemetry.Flow {
	slices.SortStableFunc(k.list, func(a, b rankedFlow) int { return a.rank.compare(b.rank) })
	out := make([]telemetry.Flow, len(k.list))
	for i := range k.list {
		out[i] = k.list[i].flow
	}
	return out
}

// rankedFlows is a heap.Interface.
type rankedFlows []rankedFlow

func (l rankedFlows) Len() int           { return len(l) }
func (l rankedFlows) Less(i, j int) bool { return l[i].rank.compare(l[j].rank) > 0 }
func (l rankedFlows) Swap(i, j int)      { l[i], l[j] = l[j], l[i] }
func (l *rankedFlows) Push(x any)        { *l = append(*l, x.(rankedFlow)) }
func (l *rankedFlows) Pop() any {
	last := (*l)[len(*l)-1]
	*l = (*l)[:len(*l)-1]
	return last
}
