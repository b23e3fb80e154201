package enforcer

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/netpol/netpol/enforcer/flow"
	"github.com/netpol/netpol/enforcer/program"
	"github.com/netpol/netpol/enforcer/telemetry"
	"github.com/netpol/netpol/enforcer/telemetry/record"
	"github.com/netpol/netpol/lang/fact"
)

// overviewSlice bounds how many flows are looked at between two packets.
const overviewSlice = 1024

// Overview gathers the answer to a question about flows, of one engine after the other.
// Not safe for concurrent use.
type Overview struct {
	question telemetry.Question // its text in small letters
	machine  *program.Machine
	total    telemetry.Sum
	ratesIn  int64 // nanoseconds
	rows     map[rowName]*row
	first    firstFlows
	names    []rowName // scratch
	hosts    map[localSide]string
}

// localSide is what says which group a flow belongs to.
type localSide struct {
	ip  netip.Addr
	mac string
}

// rowName names a row: an address, or a word.
type rowName struct {
	addr netip.Addr
	word string
}

func (n rowName) String() string {
	if n.addr.IsValid() {
		return n.addr.String()
	}
	return cmp.Or(n.word, telemetry.Unnamed)
}

// row is a sum in the making.
type row struct {
	telemetry.Sum
	rtts  uint64 // of timed flows together
	timed uint64
}

// NewOverview begins an answer about flows of which the first policy of a program holds.
func NewOverview(q telemetry.Question, p *program.Program) *Overview {
	q.Text = strings.ToLower(q.Text)
	return &Overview{
		question: q, machine: p.NewMachine(), rows: make(map[rowName]*row), hosts: make(map[localSide]string),
		first: firstFlows{most: q.Flows},
	}
}

// Oversee takes the flows of the engine in. For some seconds it then keeps flows' counters,
// whether its policies ask for them or not. Safe for concurrent use, of different overviews.
func (e *Engine) Oversee(o *Overview) {
	for lane := range e.asks {
		for from, done := flow.ID(0), false; !done; {
			done = true // if nobody answers
			e.ask(lane, func(w *worker) {
				o.ratesIn = max(o.ratesIn, w.lookOn())
				from = w.table.Slice(from, overviewSlice, func(_ flow.ID, r *flow.Record) { w.oversee(o, r) })
				done = from == 0
			})
		}
	}
}

// lookOn has flows' counters kept for somebody who looks on, and says how long it takes until
// they have been read twice.
func (w *worker) lookOn() (wait int64) {
	e, now := w.engine, w.clock.now
	if now >= e.watched.Load() {
		e.watchedFrom.Store(now)
	}
	e.watched.Store(now + int64(watchedFor))
	w.measures = true
	if w.policy.counts {
		return 0
	}
	return max(0, e.watchedFrom.Load()+2*int64(w.config.Interval)-now)
}

// lookAway has no more measured than records ask for when nobody looks on.
func (w *worker) lookAway() {
	if w.measures != w.asksKPIs && !w.watching() {
		w.measures = w.asksKPIs
	}
}

// oversee takes a flow in, if it is meant.
func (w *worker) oversee(o *Overview, r *flow.Record) {
	var f fact.Facts
	w.load(r, &f)
	w.fillMeasured(&f, r)
	if len(o.machine.Eval(&f).Policies) == 0 {
		return
	}
	for _, part := range o.question.Within {
		o.names = o.rowNames(w, part.By, r, &f)
		if !slices.ContainsFunc(o.names, func(n rowName) bool { return n.String() == part.Name }) {
			return
		}
	}
	if o.question.Text != "" && !w.mentions(r, &f, o.question.Text) {
		return
	}
	now := w.now(r, &f)
	packets, bytes := w.totals(r)
	o.total.Carry(&now, packets, bytes)
	if o.question.By != "" {
		o.names = o.rowNames(w, o.question.By, r, &f)
		for _, name := range o.names {
			o.row(name).add(&now, packets, bytes)
		}
	}
	rank := w.rank(o.question.Order, r, &f, &now, packets, bytes)
	if o.first.takes(rank) {
		var row telemetry.Flow
		w.fill(&row, r, &f, telemetry.Live)
		o.first.add(rankedFlow{rank, row})
	}
}

func (o *Overview) row(name rowName) *row {
	one := o.rows[name]
	if one == nil {
		one = &row{}
		o.rows[name] = one
	}
	return one
}

func (s *row) add(now *telemetry.Now, packets, bytes uint64) {
	if rtt := now.RTT(); rtt != 0 {
		s.rtts, s.timed = s.rtts+uint64(rtt), s.timed+1
	}
	s.Carry(now, packets, bytes)
}

// now is what a flow carries at the moment, and how it fares.
func (w *worker) now(r *flow.Record, f *fact.Facts) telemetry.Now {
	var q record.Quality
	w.quality(&q, r, f)
	return telemetry.Now{
		Rate: uint64(f.TotalRate), LocalRate: uint64(f.LocalRate), OtherRate: uint64(f.OtherRate),
		LocalBytes: uint64(f.LocalBytes), OtherBytes: uint64(f.OtherBytes),
		RTTServer: q.KPI.RTTServer, RTTClient: q.KPI.RTTClient, Retrans: q.TCP.Retrans,
	}
}

// rowNames are the names of the rows that a flow belongs to.
func (o *Overview) rowNames(w *worker, by telemetry.Dimension, r *flow.Record, f *fact.Facts) []rowName {
	if by == telemetry.ByGroup {
		return append(o.names[:0], rowName{word: o.group(localSide{f.LocalIP, f.LocalMAC})})
	}
	return w.rowNames(o.names[:0], by, r, f)
}

// group is the first group that a host is in.
func (o *Overview) group(h localSide) string {
	name, known := o.hosts[h]
	if known {
		return name
	}
	at := slices.IndexFunc(o.question.Groups, func(g telemetry.Group) bool {
		return slices.Contains(g.MACs, h.mac) || slices.ContainsFunc(g.Networks, func(p netip.Prefix) bool { return p.Contains(h.ip) })
	})
	if at >= 0 {
		name = o.question.Groups[at].Name
	}
	o.hosts[h] = name
	return name
}

// rowNames adds the names of the rows that a flow belongs to.
func (w *worker) rowNames(list []rowName, by telemetry.Dimension, r *flow.Record, f *fact.Facts) []rowName {
	word := ""
	switch by {
	case telemetry.ByHost:
		return append(list, rowName{addr: f.LocalIP})
	case telemetry.ByRemote:
		return append(list, rowName{addr: f.OtherIP})
	case telemetry.ByPolicy:
		for _, id := range w.eval(r, f).Policies {
			list = append(list, rowName{word: w.policy.bundle.Policies[id].Name})
		}
		if len(list) > 0 {
			slices.SortFunc(list, func(a, b rowName) int { return strings.Compare(a.word, b.word) })
			return slices.Compact(list) // parts of a policy have its name
		}
	case telemetry.ByApplication:
		application, _ := w.application(f)
		word = cmp.Or(application, f.Protocol)
	case telemetry.ByBrand:
		application, _ := w.application(f)
		word = w.policy.classifier.Brand(application)
	case telemetry.ByCategory:
		word = f.Category
	case telemetry.ByProtocol:
		word = f.Protocol
	case telemetry.ByName:
		word = cmp.Or(hostname(f), f.DNSHostname)
	case telemetry.ByStation:
		word = f.LocalMAC
	case telemetry.ByInterface:
		word = f.Interface
	case telemetry.ByGroup: // Overview knows them
	}
	return append(list, rowName{word: word})
}

// mentions says that a text of small letters is in one of the names of a flow, or in an address.
func (w *worker) mentions(r *flow.Record, f *fact.Facts, text string) bool {
	application, _ := w.application(f)
	for _, word := range [...]string{application, f.Protocol, f.Category, hostname(f), f.DNSHostname, f.Interface, f.LocalMAC} {
		if strings.Contains(strings.ToLower(word), text) {
			return true
		}
	}
	for _, addr := range [...]netip.Addr{f.SrcIP, f.DstIP} {
		if strings.Contains(addr.String(), text) {
			return true
		}
	}
	return slices.ContainsFunc(w.rowNames(nil, telemetry.ByPolicy, r, f), func(n rowName) bool {
		return strings.Contains(strings.ToLower(n.word), text)
	})
}

// Answer is what was gathered.
func (o *Overview) Answer() telemetry.Overview {
	out := telemetry.Overview{Total: o.total, Count: len(o.rows), Flows: o.first.sorted(), RatesIn: o.ratesIn / int64(time.Millisecond)}
	for name, one := range o.rows {
		if one.Name = name.String(); one.timed > 0 {
			one.RTT = uint32(one.rtts / one.timed)
		}
		out.Rows = append(out.Rows, one.Sum)
	}
	slices.SortFunc(out.Rows, func(a, b telemetry.Sum) int { return compareSums(o.question.Order, &a, &b) })
	out.Rows = out.Rows[:min(len(out.Rows), max(o.question.Rows, 0))]
	return out
}
