package policytest

import (
	"context"
	"fmt"
	"net/netip"
	"path/filepath"

	"github.com/netpol/netpol/cmd/netpol/internal/flowfacts"
	"github.com/netpol/netpol/cmd/netpol/internal/outcome"
	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer"
	"github.com/netpol/netpol/enforcer/dissect/all"
	"github.com/netpol/netpol/enforcer/flow"
	"github.com/netpol/netpol/enforcer/kernel/capture"
	"github.com/netpol/netpol/enforcer/telemetry"
	"github.com/netpol/netpol/lang/fact"
)

// Seen is a flow of a capture as the engine left it.
type Seen struct {
	Facts   *fact.Facts
	Record  telemetry.Flow
	Outcome outcome.Outcome
}

// captured is what one capture holds, read once for all tests.
type captured struct {
	flows []Seen
	err   error
}

// capture reads a capture of a test, the first time it is asked for.
func (s *Suite) capture(ctx context.Context, name string) ([]Seen, error) {
	if c, ok := s.captures[name]; ok {
		return c.flows, c.err
	}
	c := &captured{}
	c.flows, c.err = Replay(ctx, s.evaluator, filepath.Join(s.in.Tests.Dir, name))
	s.captures[name] = c
	return c.flows, c.err
}

// Replay runs capture files through the enforcer's engine and returns their
// flows, in the order in which they began, with what became of each.
func Replay(ctx context.Context, e *outcome.Evaluator, files ...string) ([]Seen, error) {
	source := capture.NewFiles(files)
	defer source.Close()
	var flows []Seen
	var firstErr error
	engine, err := enforcer.New(enforcer.Config{
		Source: source, Dissectors: all.Dissectors(), Bundle: e.Bundle,
		Explain: func(w telemetry.Why) {
			seen, err := seen(e, &w)
			if err != nil && firstErr == nil {
				firstErr = err
			}
			flows = append(flows, seen)
		},
	})
	if err != nil {
		return nil, err
	}
	if err := engine.Run(ctx); err != nil {
		return nil, err
	}
	if ctx.Err() != nil {
		return nil, fmt.Errorf("replay: %w", ctx.Err())
	}
	return flows, firstErr
}

func seen(e *outcome.Evaluator, w *telemetry.Why) (Seen, error) {
	pairs := make([]flowfacts.Pair, len(w.Evidence))
	for i, ev := range w.Evidence {
		pairs[i] = flowfacts.Pair{Name: ev.Attribute, Value: ev.Value}
	}
	s := Seen{Facts: flowfacts.Restore(pairs), Record: w.Flow}
	if s.Facts.TotalPackets == 0 {
		s.Facts.TotalPackets, s.Facts.TotalBytes = int(w.Flow.Packets), int(w.Flow.Bytes)
	}
	out, err := e.OfPolicies(w.Flow.Policies, w.Flow.Labels, outcome.Moment{Facts: s.Facts, Time: w.Flow.LastSeen})
	s.Outcome = out
	return s, err
}

// Bundle is the bundle under which captures are replayed.
func (s *Suite) Bundle() *artifact.Bundle { return s.evaluator.Bundle }

// isTuple reports whether the flow is the connection, in either direction.
func isTuple(f *fact.Facts, t *flow.Tuple) bool {
	if f.IPProtocol != int(t.Proto) {
		return false
	}
	src, dst := netip.AddrPortFrom(f.SrcIP, uint16(f.SrcPort)), netip.AddrPortFrom(f.DstIP, uint16(f.DstPort))
	a, b := netip.AddrPortFrom(t.Src, t.SrcPort), netip.AddrPortFrom(t.Dst, t.DstPort)
	return src == a && dst == b || src == b && dst == a
}
