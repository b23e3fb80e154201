package daemon

import (
	"context"
	"errors"
	"log/slog"
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
	// workers is how many share an interface's packets.
	workers int
	// socket is of capture.RingConfig. Tests that enter a network namespace have
	// their own.
	socket func() (fd int, err error)

	// netlink is of localnet.Config, likewise.
	netlink func() (fd int, err error)

	mu       sync.Mutex
	bundle   *artifact.Bundle
	begun    bool
	readers  []*inputReader // by name
	around   surroundings
	finished sync.WaitGroup
}

// inputReader reads one interface until it is stopped.
type inputReader struct {
	input  artifact.Input
	cancel context.CancelFunc

	mu     sync.Mutex
	bundle *artifact.Bundle
	engine *enforcer.Engine // nil while the interface cannot be read
	rings  *capture.Rings
	fault  error // why engine is nil; nil before that is known
}

func newInputs(cfg config, b *artifact.Bundle, sinks *sink.Set, log *slog.Logger) *inputs {
	return &inputs{log: log, bundle: b, sinks: sinks, workers: cfg.workers, config: enforcer.Config{
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
	s.follow(b)
	b = s.judged(b)
	var stay []*inputReader
	for _, in := range b.Inputs {
		i := slices.IndexFunc(s.readers, func(r *inputReader) bool { return sameInput(r.input, in) })
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

// sameInput says that the same packets are read; what is local is not the reader's.
func sameInput(a, b artifact.Input) bool {
	a.Role, b.Role = "", ""
	return reflect.DeepEqual(a, b)
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
		for ctx.Err() == nil {
			err := s.read(ctx, r)
			if ctx.Err() != nil {
				return
			}
			r.mu.Lock()
			r.fault = err
			r.mu.Unlock()
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
	rings, err := capture.OpenRings(capture.RingConfig{
		Interface: r.input.Interface, FirstPackets: r.input.FirstPackets, Filter: r.input.Filter, Incoming: r.input.Incoming, Promiscuous: r.input.Promiscuous,
		Workers: s.workers, Socket: s.socket,
	})
	if err != nil {
		return err
	}
	if err := rings.Alone(); err != nil {
		s.log.Info("input has one worker", "input", r.input.Name, "error", err)
	}
	cfg := s.config
	cfg.Unwrap, cfg.Input, cfg.Sampled = unwrap, r.input.Name, r.input.FirstPackets > 0
	cfg.Source, cfg.Outlets = rings.List()[0], s.sinks.Tap()
	for _, ring := range rings.List()[1:] {
		cfg.Lanes = append(cfg.Lanes, enforcer.Lane{Source: ring, Outlets: s.sinks.Tap()})
	}
	r.mu.Lock()
	cfg.Bundle = r.bundle
	engine, err := enforcer.New(cfg)
	if err == nil {
		r.engine, r.rings, r.fault = engine, rings, nil
	}
	r.mu.Unlock()
	if err != nil {
		return errors.Join(err, rings.Close())
	}
	s.log.Info("reading input", "input", r.input.Name, "interface", r.input.Interface, "workers", len(rings.List()))
	err = engine.Run(ctx)
	r.mu.Lock()
	r.engine, r.rings = nil, nil
	r.mu.Unlock()
	return errors.Join(err, rings.Close())
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
