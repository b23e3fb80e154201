package demo

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/netpol/netpol/cmd/netpol/internal/lab"
)

// Where the story keeps its policy; the lab's /etc is empty and private.
const (
	policyDir  = "/etc/netpol"
	policyFile = "zoom.netpol.hcl"
	typoDir    = "/run/typo"
	savedPlan  = "/run/change.np"
)

//go:embed zoom.netpol.hcl
var policy string

// story is one run of the demo.
type story struct {
	*console
	opts     Options
	lab      *lab.Topology
	source   source
	wan, lan *lab.Observer
	record   *os.File // nil for none
}

// source is where the traffic comes from.
type source interface {
	// introduce says what will be played.
	introduce(c *console)
	// prepare gives the lab the addresses that the traffic needs.
	prepare(t *lab.Topology) error
	// play sends all of it through the router.
	play(ctx context.Context, t *lab.Topology) error
	// expect says what the kernel must hold afterwards.
	expect(ctx context.Context, s *story) ([]expectation, error)
}

// Run tells the story. It returns ErrWrong when what it saw is not what the
// policy asks for.
func Run(ctx context.Context, opts Options) (err error) {
	s := &story{console: &console{out: opts.Out, color: opts.Color}, opts: opts, source: generated{}}
	if opts.Capture != "" {
		// Read now: the lab is about to hide part of the file system.
		if s.source, err = openCapture(opts.Capture, opts.Client); err != nil {
			return err
		}
	}
	if opts.Record != "" {
		if s.record, err = os.Create(opts.Record); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, s.record.Close()) }()
	}
	if err := lab.Private(); err != nil {
		return err
	}
	if err := s.build(); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	for _, scene := range []func(context.Context) error{s.writePolicy, s.applyPolicy, s.traffic} {
		if err := scene(ctx); err != nil {
			return err
		}
	}
	s.farewell()
	return s.err
}

// build makes the lab with an observer on each side of the router.
func (s *story) build() error {
	s.heading("A router on this machine, in network namespaces: nothing outside them is touched")
	s.printf("client --- %s [router] %s --- the Internet\n", lab.LAN, lab.WAN)
	topology, err := lab.New()
	if err != nil {
		return err
	}
	s.lab = topology
	if err := s.source.prepare(topology); err != nil {
		return errors.Join(err, topology.Close())
	}
	if s.wan, err = lab.Observe(topology.Server, lab.Inside); err != nil {
		return errors.Join(err, topology.Close())
	}
	var record io.Writer
	if s.record != nil {
		record = s.record
	}
	if s.lan, err = lab.Record(topology.Client, lab.Inside, record); err != nil {
		return errors.Join(err, s.wan.Close(), topology.Close())
	}
	return nil
}

func (s *story) close() error {
	return errors.Join(s.lan.Close(), s.wan.Close(), s.lab.Close())
}

// writePolicy puts the policy on the router and shows what a mistake looks like.
func (s *story) writePolicy(ctx context.Context) error {
	s.heading("The policy, all of it")
	if err := write(filepath.Join(policyDir, policyFile), policy); err != nil {
		return err
	}
	s.command("cat", filepath.Join(policyDir, policyFile))
	s.printf("%s", policy)

	s.heading("With a typo in it")
	if err := write(filepath.Join(typoDir, policyFile), strings.Replace(policy, "'zoom'", "'zom'", 1)); err != nil {
		return err
	}
	code, err := s.netpol(ctx, "validate", typoDir)
	if err != nil {
		return err
	}
	return s.must(code == 1, "validate accepted an unknown application")
}

// applyPolicy plans and applies, twice: the second time there is nothing to do.
func (s *story) applyPolicy(ctx context.Context) error {
	s.heading("What it would change on this router")
	code, err := s.netpol(ctx, "plan", "--out", savedPlan, policyDir)
	if err != nil {
		return err
	}
	if err := s.must(code == 0, "netpol plan failed"); err != nil {
		return err
	}
	s.heading("Changing it")
	out, err := s.output(ctx, "apply", "--no-confirm", savedPlan)
	if err != nil {
		return err
	}
	s.command("netpol", "apply", savedPlan)
	s.printf("%s", afterSummary(string(out)))
	s.heading("Once more: nothing left to do")
	code, err = s.netpol(ctx, "plan", "--detailed-exitcode", policyDir)
	if err != nil {
		return err
	}
	return s.must(code == 0, "a second plan finds something to do")
}

// afterSummary leaves out the plan that apply repeats: it has just been shown.
func afterSummary(out string) string {
	if i := strings.Index(out, "\nPlan: "); i >= 0 {
		return out[i+1:]
	}
	return out
}

func (s *story) must(ok bool, wrong string) error {
	if ok {
		return nil
	}
	return fmt.Errorf("%w: %s", ErrWrong, wrong)
}

// settle is how long the enforcer may take to name the last connections.
const settle = 3 * time.Second

// traffic plays the traffic and looks at what became of it.
func (s *story) traffic(ctx context.Context) (err error) {
	s.heading("The enforcer, and traffic through the router")
	stop, err := s.startEnforcer(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()
	s.source.introduce(s.console)
	if err := s.source.play(ctx, s.lab); err != nil {
		return fmt.Errorf("play traffic: %w", err)
	}
	want, err := s.source.expect(ctx, s)
	if err != nil {
		return err
	}
	wrong, entries, err := s.await(ctx, want)
	if err != nil {
		return err
	}
	for _, show := range []func() error{
		s.showFlows,
		func() error { return s.showConntrack(want, entries) },
		func() error { return s.showWire(want) },
		s.showCounters,
		func() error { return s.showWhy(ctx, want) },
	} {
		if err := show(); err != nil {
			return err
		}
	}
	return s.verdict(want, wrong)
}

// await looks at the kernel until it is as it must be, or time is up.
func (s *story) await(ctx context.Context, want []expectation) (wrong []string, entries []entry, err error) {
	for deadline := time.Now().Add(settle); ; {
		if entries, err = s.conntrack(); err != nil {
			return nil, nil, err
		}
		wrong = append(checkLabels(want, entries), s.checkWire(want)...)
		if len(wrong) == 0 || time.Now().After(deadline) {
			return wrong, entries, nil
		}
		select {
		case <-ctx.Done():
			return nil, nil, ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// verdict says whether the router did what the policy asks for.
func (s *story) verdict(want []expectation, wrong []string) error {
	up, down := trails(s.wan.Sightings()), trails(s.lan.Sightings())
	zoom, marked := 0, 0
	for _, e := range want {
		if !e.zoom() {
			continue
		}
		zoom++
		if up[e.key()].marked+down[e.key()].marked > 0 {
			marked++
		}
	}
	s.heading("Checked")
	if len(wrong) == 0 && zoom == 0 {
		s.printf("None of %d connections is Zoom: none carries the label %s, none was seen with tos %#x.\n", len(want), labelZoom, tosCS5)
		return nil
	}
	if len(wrong) == 0 {
		s.printf("%d of %d connections are Zoom: exactly those carry the label %s in the kernel.\n", zoom, len(want), labelZoom)
		s.printf("%d of them were seen with tos %#x on the wire, and no other.\n", marked, tosCS5)
		return nil
	}
	for _, w := range wrong {
		s.printf("WRONG: %s\n", w)
	}
	return ErrWrong
}

func (s *story) farewell() {
	s.heading("Now on your router")
	s.printf(`  CGO_ENABLED=0 go build -o bin/ ./cmd/netpol ./cmd/netpold
  sudo install bin/netpol bin/netpold /usr/local/sbin/
  sudo mkdir -p /etc/netpol && sudo cp policies/examples/zoom/*.netpol.hcl /etc/netpol/
  sudo netpol plan /etc/netpol     # look
  sudo netpol apply /etc/netpol    # do it; netpol destroy removes every trace
  sudo netpold                     # docs/operations.md has the systemd unit
`)
}

func write(path, text string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(text), 0o644)
}
