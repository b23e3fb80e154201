package daemon

import (
	"errors"
	"runtime"
	"sync/atomic"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer"
	"github.com/netpol/netpol/enforcer/flow"
	"github.com/netpol/netpol/enforcer/kernel/capture"
	"github.com/netpol/netpol/enforcer/kernel/ct"
	"github.com/netpol/netpol/enforcer/telemetry/sink"
)

// mostWorkers bounds how many workers there are without --workers.
const mostWorkers = 8

// defaultWorkers leaves as many processors to the traffic itself, which the
// kernel forwards, and small routers one worker.
func defaultWorkers() int { return min(max(1, runtime.NumCPU()/2), mostWorkers) }

// lane is what one worker reads from and writes to.
type lane struct {
	source *capture.Live
	writer *ct.Writer
	client *ct.Client
}

// lanes are all of them. The first also reads the queues of held packets, and so
// the copies of those that were to be held.
type lanes struct {
	list   []lane
	groups int                      // that connections are spread over
	held   atomic.Pointer[[16]byte] // labels of connections that wait
}

// laneCount is how many workers a bundle's groups are read by.
func laneCount(workers int, b *artifact.Bundle) int {
	return min(max(1, workers), len(b.Settings.Groups()))
}

// openLanes opens what a bundle has the kernel show and hold. The caller must
// close what is open, on an error too.
func openLanes(cfg config, b *artifact.Bundle) (*lanes, error) {
	l := &lanes{groups: len(b.Settings.Groups()), list: make([]lane, laneCount(cfg.workers, b))}
	for i := range l.list {
		one := &l.list[i]
		var err error
		reads := l.config(i, b)
		reads.Realtime = cfg.realtime
		if one.source, err = capture.OpenLive(reads); err != nil {
			return l, err
		}
		if one.writer, err = ct.NewWriter(); err != nil {
			return l, err
		}
		if one.client, err = ct.Open(); err != nil {
			return l, err
		}
	}
	l.hold(b)
	return l, nil
}

// config is what lane i reads of a bundle's.
func (l *lanes) config(i int, b *artifact.Bundle) capture.LiveConfig {
	var c capture.LiveConfig
	for n, group := range b.Settings.Groups() {
		if n%len(l.list) == i {
			c.Groups = append(c.Groups, group)
		}
	}
	if i == 0 {
		c.Queue = capture.QueueConfig{First: b.Settings.HoldQueue, Packets: b.Settings.HoldPackets, Mark: b.Settings.HeldMark()}
	}
	return c
}

// fits says that a bundle's connections are spread as the present one's.
func (l *lanes) fits(workers int, b *artifact.Bundle) bool {
	return l.groups == len(b.Settings.Groups()) && len(l.list) == laneCount(workers, b)
}

// use goes over to another bundle that fits. New groups are opened before old
// ones are given up.
func (l *lanes) use(b *artifact.Bundle) error {
	for i := range l.list {
		if err := l.list[i].source.Use(l.config(i, b)); err != nil {
			return err
		}
	}
	l.hold(b)
	return nil
}

// hold notes the labels of connections that wait.
func (l *lanes) hold(b *artifact.Bundle) {
	var held [16]byte
	for _, label := range b.Labels {
		if label.Auto && (label.Name == artifact.HoldLabel || label.Name == artifact.HoldClosedLabel) {
			held[label.Bit/8] |= 1 << (label.Bit % 8)
		}
	}
	l.held.Store(&held)
}

// of is the lane that a connection's packets come by.
func (l *lanes) of(c *flow.Connection) int {
	held := l.held.Load()
	for i := range held {
		if held[i]&c.Labels[i] != 0 {
			return 0
		}
	}
	return int(c.ID) & (l.groups - 1) % len(l.list)
}

// configure gives an engine its lanes.
func (l *lanes) configure(c *enforcer.Config, sinks *sink.Set) {
	c.Source, c.Labels, c.Resolver, c.LaneOf = l.list[0].source, l.list[0].writer, l.list[0].client, l.of
	for _, one := range l.list[1:] {
		c.Lanes = append(c.Lanes, enforcer.Lane{Source: one.source, Labels: one.writer, Resolver: one.client, Outlets: sinks.Tap()})
	}
}

// stats sum up what all lanes did.
func (l *lanes) stats() (source capture.LiveStats, writer ct.WriterStats) {
	for i := range l.list {
		source = source.And(l.list[i].source.Stats())
		writer = writer.And(l.list[i].writer.Stats())
	}
	return source, writer
}

// lost is how many copies of packets nobody read.
func (l *lanes) lost() (n uint64) {
	for i := range l.list {
		n += l.list[i].source.Lost()
	}
	return n
}

func (l *lanes) close() error {
	var errs []error
	for _, one := range l.list {
		if one.writer != nil {
			errs = append(errs, one.writer.Close())
		}
		if one.client != nil {
			errs = append(errs, one.client.Close())
		}
		if one.source != nil {
			errs = append(errs, one.source.Close())
		}
	}
	return errors.Join(errs...)
}
