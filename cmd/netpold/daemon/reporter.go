package daemon

import (
	"context"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/netpol/netpol/cmd/internal/buildinfo"
	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer"
	"github.com/netpol/netpol/enforcer/kernel/procfs"
	"github.com/netpol/netpol/enforcer/pulse"
	"github.com/netpol/netpol/enforcer/telemetry/record"
)

// reporter tells sinks at intervals what is not about flows: how netpold is, and
// what interfaces carried.
type reporter struct {
	of      *enforcement
	started time.Time
	changed chan struct{} // the bundle is another one

	mu        sync.Mutex // guards what follows
	intervals []time.Duration
	due       []time.Time // by sink
	digest    string      // of the bundle in force
}

func newReporter(e *enforcement) *reporter {
	return &reporter{of: e, started: time.Now(), changed: make(chan struct{}, 1)}
}

// use goes over to a bundle's sinks.
func (r *reporter) use(b *artifact.Bundle, digest string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.intervals, r.due, r.digest = nil, nil, digest
	for i := range b.Sinks {
		r.intervals = append(r.intervals, b.Sinks[i].Interval)
		r.due = append(r.due, time.Now().Add(b.Sinks[i].Interval))
	}
	select {
	case r.changed <- struct{}{}:
	default:
	}
}

// expects says that a sink will be due.
func (r *reporter) expects() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.ContainsFunc(r.intervals, func(d time.Duration) bool { return d > 0 })
}

// run reports until ctx ends.
func (r *reporter) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.changed:
		case now := <-pulse.NextIf(r.expects()):
			r.report(now)
		}
	}
}

// report tells the sinks that are due, if any is.
func (r *reporter) report(now time.Time) {
	due := make(map[int]time.Duration)
	r.mu.Lock()
	for i, at := range r.due {
		if r.intervals[i] > 0 && !now.Before(at) {
			due[i], r.due[i] = r.intervals[i], now.Add(r.intervals[i])
		}
	}
	r.mu.Unlock()
	if len(due) == 0 {
		return
	}
	for i, interval := range due {
		only := func(sink int) bool { return sink == i }
		r.of.sinks.Tell(r.status(now, interval), only)
		for _, one := range r.interfaces(now) {
			r.of.sinks.Tell(one, only)
		}
	}
}

// interfaces are those of the router with what its own rules showed of them, and those that inputs
// read.
func (r *reporter) interfaces(now time.Time) (list []*record.InterfaceStats) {
	links, err := procfs.Links()
	if err != nil {
		r.of.log.Debug("read interfaces", "error", err)
	}
	shown, byName := r.of.engine.Traffic(), make(map[string]*record.InterfaceStats, len(links))
	for _, l := range links {
		one := interfaceRecord(&l, now)
		byName[l.Name] = one
		one.Captured = captured(shown[l.Name])
		list = append(list, one)
	}
	for _, in := range r.of.inputs.traffic() {
		one := &record.InterfaceStats{Head: head(record.KindInterfaceStats, now), Interface: in.device}
		if link := byName[in.device]; link != nil {
			*one = *link
		}
		one.Input, one.Captured, one.CaptureDropped = in.name, captured(in.read), in.lost
		list = append(list, one)
	}
	return list
}

func captured(t enforcer.Traffic) record.Captured {
	return record.Captured{
		Raw: t.Raw, Ethernet: t.Ethernet, VLAN: t.VLAN, IP: t.IP, TCP: t.TCP, UDP: t.UDP, ICMP: t.ICMP, IGMP: t.IGMP,
		Fragmented: t.Fragmented, Discarded: t.Discarded, TCPResets: t.TCPResets,
		LargestBytes: t.LargestBytes, IPBytes: t.IPBytes, WireBytes: t.WireBytes,
	}
}

func head(kind record.Kind, now time.Time) record.Head {
	return record.Head{Type: kind, SchemaVersion: record.SchemaVersion, Timestamp: now.UnixMilli()}
}

// status is how netpold is.
func (r *reporter) status(now time.Time, interval time.Duration) *record.AgentStatus {
	s, use := r.of.engine.Stats(), procfs.Self()
	r.mu.Lock()
	digest := r.digest
	r.mu.Unlock()
	out := &record.AgentStatus{
		Head: head(record.KindAgentStatus, now), AgentVersion: buildinfo.Version(), BundleDigest: digest,
		Uptime: int64(now.Sub(r.started).Seconds()), UpdateInterval: int64(interval.Seconds()),
		CPUCores: runtime.NumCPU(), CPUUser: record.Milli(use.User.Milliseconds()), CPUSystem: record.Milli(use.System.Milliseconds()),
		MemRSS: use.Resident / 1024, MaxRSS: use.MaxResident / 1024,
		FlowCount: s.Flows, FlowsActive: s.Opening, FlowsSeen: s.FlowsSeen, FlowsPurged: s.FlowsSeen - min(s.Flows, s.FlowsSeen), FlowsEvicted: s.FlowsEvicted,
		Packets: s.Packets, QueueDropped: r.of.lanes.lost(), LabelWrites: s.Writes, LabelErrors: s.WriteErrors,
	}
	for _, one := range r.of.sinks.Status() {
		for _, n := range one.Dropped {
			out.RecordsDropped += n
		}
	}
	return out
}

func interfaceRecord(l *procfs.Link, now time.Time) *record.InterfaceStats {
	return &record.InterfaceStats{
		Head: head(record.KindInterfaceStats, now), Interface: l.Name,
		RxBytes: l.RxBytes, RxPackets: l.RxPackets, RxErrors: l.RxErrors, RxDropped: l.RxDropped,
		TxBytes: l.TxBytes, TxPackets: l.TxPackets, TxErrors: l.TxErrors, TxDropped: l.TxDropped,
	}
}
