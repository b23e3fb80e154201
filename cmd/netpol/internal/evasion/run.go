package evasion

import (
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/netpol/netpol/compiler"
	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer"
	"github.com/netpol/netpol/enforcer/dissect/all"
	"github.com/netpol/netpol/enforcer/packet"
	"github.com/netpol/netpol/enforcer/telemetry"
	"github.com/netpol/netpol/lang"
)

// policySet shows in records what is no field of them.
const policySet = `
policy "evasive" {
  criteria = "evasive"
  label    = "evasive"
}
policy "ech" {
  criteria = "tls_ech"
  label    = "ech"
}
`

// Result is how one variant of a row went.
type Result struct {
	Row       int
	Title     string
	Variant   string // empty where the row has one only
	Want, Got Outcome
	// Why says what is otherwise on a router than in a capture; empty for nothing.
	Why     string
	Skipped bool // it was not played, see Why
}

// OK says that the outcome is the one that is owed.
func (r Result) OK() bool { return r.Skipped || r.Got.meets(r.Want) }

// Run plays the rows through the engine. The error says that the engine does not
// work at all.
func Run(ctx context.Context, catalogue *artifact.Catalogue, rows []Row) ([]Result, error) {
	bundle, err := compileSet(catalogue)
	if err != nil {
		return nil, err
	}
	var list []Result
	for _, row := range rows {
		for _, v := range row.variants {
			got, err := play(ctx, bundle, v.build().frames)
			if err != nil {
				return nil, fmt.Errorf("run row %d: %w", row.Number, err)
			}
			list = append(list, Result{Row: row.Number, Title: row.Title, Variant: v.name, Want: v.want, Got: got})
		}
	}
	slices.SortStableFunc(list, func(a, b Result) int { return a.Row - b.Row })
	return list, nil
}

// compileSet compiles the policy set.
func compileSet(catalogue *artifact.Catalogue) (*artifact.Bundle, error) {
	set, diags := lang.Parse(map[string][]byte{"evasion.netpol.hcl": []byte(policySet)}, lang.Options{})
	if diags.HasErrors() {
		return nil, diags
	}
	bundle, diags := compiler.Compile(set, compiler.Options{Catalogue: catalogue})
	if diags.HasErrors() {
		return nil, diags
	}
	return bundle, nil
}

// outcomeOf is what a row says.
func outcomeOf(f *telemetry.Flow) Outcome {
	return Outcome{
		Host: f.Hostname, Protocol: f.Protocol,
		Evasive: slices.Contains(f.Policies, "evasive"), ECH: slices.Contains(f.Policies, "ech"),
	}
}

// play is the outcome of a capture: of its last connection.
func play(ctx context.Context, bundle *artifact.Bundle, frames []frame) (Outcome, error) {
	var last Outcome
	engine, err := enforcer.New(enforcer.Config{
		Source: &source{frames: frames}, Dissectors: all.Dissectors(), Bundle: bundle, Unwrap: packet.AllTunnels,
		Recorder: recorder(func(f *telemetry.Flow) {
			last = outcomeOf(f)
		}),
	})
	if err != nil {
		return last, err
	}
	return last, engine.Run(ctx)
}

// recorder is a function that is told of flows.
type recorder func(*telemetry.Flow)

// Record implements enforcer.Recorder.
func (r recorder) Record(f *telemetry.Flow) { r(f) }

// source gives frames.
type source struct {
	frames []frame
	next   int
}

// Next implements enforcer.Source.
func (s *source) Next(raw *packet.Raw) error {
	if s.next == len(s.frames) {
		return io.EOF
	}
	f := &s.frames[s.next]
	s.next++
	*raw = packet.Raw{Data: f.data, LinkType: f.link, Timestamp: f.time, Length: len(f.data)}
	return nil
}

// WriteCapture writes a row's variant as a pcap file (draft-ietf-opsawg-pcap).
func (r Row) WriteCapture(w io.Writer, variant int) error {
	b := pcapHeader()
	for _, f := range r.variants[variant].build().frames {
		b = appendPcap(b, f)
	}
	if _, err := w.Write(b); err != nil {
		return fmt.Errorf("write capture: %w", err)
	}
	return nil
}

// Variants is how many forms the row takes.
func (r Row) Variants() int { return len(r.variants) }
