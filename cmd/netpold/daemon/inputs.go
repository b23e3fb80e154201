package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer"
	"github.com/netpol/netpol/enforcer/dissect/all"
	"github.com/netpol/netpol/enforcer/flow"
	"github.com/netpol/netpol/enforcer/kernel/capture"
	"github.com/netpol/netpol/enforcer/packet"
	"github.com/netpol/netpol/enforcer/telemetry"
	"github.com/netpol/netpol/enforcer/telemetry/sink"
)

// inputRetry is how often an interface that cannot be read is tried again.
const inputRetry = time.Second

// inputs are the interfaces that are read besides what the rules show: an
// engine each, which names flows and tells of them and writes nothing. Its
// methods are safe for concurrent use.
type inputs struct {
	config enforcer.Config // of each; Source, Bundle, Unwrap and Outlets are filled in
	sinks  *sink.Set       // that are told of their flows, too
	log    *slog.Logger
	// open makes a ring. It belongs to the network namespace of its thread, so
	// tests that enter one have their own.
	open func(capture.RingConfig) (*capture.Ring, error)

	mu       sync.Mutex
	bundle   *artifact.Bundle
	begun    bool
	readers  []*inputReader // by name
	finished sync.WaitGroup
}

// inputReader reads one interface until it is stopped.
type inputReader struct {
	input  artifact.Input
	cancel context.CancelFunc

	mu     sync.Mutex
	bundle *artifact.Bundle
	engine *enforcer.Engine // nil while the interface cannot be read
	ring   *capture.Ring
}

func newInputs(cfg config, b *artifact.Bundle, sinks *sink.Set, log *slog.Logger) *inputs {
	return &inputs{log: log, bundle: b, sinks: sinks, open: capture.OpenRing, config: enforcer.Config{
		Dissectors: all.Dissectors(), Fuse: cfg.fuse(), MaxFlows: cfg.maxFlows, Live: true, Logger: log,
	}}
}

// begin begins to read.
func (s *inputs) begin() {
	s.mu.Lock()
	s.begun = true
	s.mu.Unlock()
	s.use(s.bundle)
}

// use goes over to a bundle: inputs that stay as they are keep their flows.
func (s *inputs) use(b *artifact.Bundle) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bundle = b; !s.begun {
		return
	}
	var stay []*inputReader
	for _, in := range b.Inputs {
		i := slices.IndexFunc(s.readers, func(r *inputReader) bool { return reflect.DeepEqual(r.input, in) })
		if i < 0 {
			stay = append(stay, s.start(in, b))
			continue
		}
		s.readers[i].use(b, s.log)
		stay = append(stay, s.readers[i])
		s.readers = slices.Delete(s.readers, i, i+1)
	}
	for _, r := range s.readers {
		r.cancel()
	}
	s.readers = stay
}

// close stops all and waits for them.
func (s *inputs) close() {
	s.use(&artifact.Bundle{})
	s.finished.Wait()
}

// start begins to read an interface; the caller holds mu.
func (s *inputs) start(in artifact.Input, b *artifact.Bundle) *inputReader {
	ctx, cancel := context.WithCancel(context.Background())
	r := &inputReader{input: in, cancel: cancel, bundle: b}
	s.finished.Go(func() {
		last := ""
		for ctx.Err() == nil {
			err := s.read(ctx, r)
			if err != nil && ctx.Err() == nil && err.Error() != last {
				last = err.Error()
				s.log.Warn("input cannot be read; tried again every second", "input", in.Name, "error", err)
			}
			select {
			case <-ctx.Done():
			case <-time.After(inputRetry):
			}
		}
	})
	return r
}

// read reads the interface until ctx ends or it cannot.
func (s *inputs) read(ctx context.Context, r *inputReader) error {
	unwrap, err := packet.ParseTunnels(r.input.Unwrap)
	if err != nil {
		return err
	}
	ring, err := s.open(capture.RingConfig{
		Interface: r.input.Interface, FirstPackets: r.input.FirstPackets, Filter: r.input.Filter, Incoming: r.input.Incoming, Promiscuous: r.input.Promiscuous,
	})
	if err != nil {
		return err
	}
	cfg := s.config
	r.mu.Lock()
	cfg.Source, cfg.Bundle, cfg.Unwrap, cfg.Outlets = ring, r.bundle, unwrap, s.sinks.Tap()
	cfg.Input, cfg.Sampled = r.input.Name, r.input.FirstPackets > 0
	engine, err := enforcer.New(cfg)
	if err == nil {
		r.engine, r.ring = engine, ring
	}
	r.mu.Unlock()
	if err != nil {
		return errors.Join(err, ring.Close())
	}
	cfg.Logger.Info("reading input", "input", r.input.Name, "interface", r.input.Interface)
	err = engine.Run(ctx)
	r.mu.Lock()
	r.engine, r.ring = nil, nil
	r.mu.Unlock()
	return errors.Join(err, ring.Close())
}

// use has the flows judged by another bundle.
func (r *inputReader) use(b *artifact.Bundle, log *slog.Logger) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.bundle = b
	if r.engine == nil {
		return
	}
	if err := r.engine.Reload(b); err != nil {
		log.Error("reload input", "input", r.input.Name, "error", err)
	}
}

// engines are the engines at work.
func (s *inputs) engines() []*enforcer.Engine {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []*enforcer.Engine
	for _, r := range s.readers {
		r.mu.Lock()
		if r.engine != nil {
			out = append(out, r.engine)
		}
		r.mu.Unlock()
	}
	return out
}

// flows lists at most limit flows.
func (s *inputs) flows(limit int) []telemetry.Flow {
	var out []telemetry.Flow
	for _, e := range s.engines() {
		if len(out) < limit {
			out = append(out, e.Flows(limit-len(out))...)
		}
	}
	return out
}

// why is the account of a flow that one of the interfaces has shown.
func (s *inputs) why(t flow.Tuple) (telemetry.Why, bool) {
	for _, e := range s.engines() {
		if why, ok := e.Why(t); ok {
			return why, true
		}
	}
	return telemetry.Why{}, false
}

// counters are the figures of each input, by its name.
func (s *inputs) counters() map[string]uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := map[string]uint64{}
	for _, r := range s.readers {
		maps.Copy(out, r.counters())
	}
	return out
}

func (r *inputReader) counters() map[string]uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	name := fmt.Sprintf("input_%s_", r.input.Name)
	if r.engine == nil {
		return map[string]uint64{name + "unreadable": 1}
	}
	ring, stats := r.ring.Stats(), r.engine.Stats()
	return map[string]uint64{
		name + "packets": ring.Packets, name + "lost": ring.Lost, name + "outages": ring.Outages,
		name + "flows": stats.FlowsSeen, name + "evicted": stats.FlowsEvicted,
	}
}
