package demo

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"syscall"
	"time"

	"github.com/netpol/netpol/enforcer/control"
	"github.com/netpol/netpol/enforcer/telemetry"
)

// Where netpold answers, and how long it may take to start.
const (
	socket     = "/run/netpol/netpold.sock"
	startLimit = 5 * time.Second
	maxFlows   = 1000
)

// errEnforcer says that netpold ended by itself.
var errEnforcer = errors.New("netpold ended")

// startEnforcer runs netpold on the router, with the paths it uses on every
// router, and waits until it enforces. stop lets it drain.
func (s *story) startEnforcer(ctx context.Context) (stop func() error, err error) {
	s.command("netpold &")
	var log bytes.Buffer
	cmd := exec.Command(s.opts.Enforcer[0], s.opts.Enforcer[1:]...)
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := s.start(cmd); err != nil {
		return nil, fmt.Errorf("start netpold: %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	stop = func() error {
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			return fmt.Errorf("stop netpold: %w", err)
		}
		if err := <-ended; err != nil {
			return fmt.Errorf("%w: %w\n%s", errEnforcer, err, &log)
		}
		return nil
	}
	for deadline := time.Now().Add(startLimit); ; {
		if enforcing() {
			return stop, nil
		}
		select {
		case err := <-ended:
			return nil, fmt.Errorf("%w: %w\n%s", errEnforcer, err, &log)
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), stop())
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			return nil, errors.Join(fmt.Errorf("netpold does not enforce after %v:\n%s", startLimit, &log), stop())
		}
	}
}

// flows asks netpold for the connections it tracks.
func flows() ([]telemetry.Flow, error) {
	client, err := control.Dial(socket)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	return client.Flows(maxFlows)
}

// showFlows prints what netpold has made of the traffic.
func (s *story) showFlows() error {
	list, err := flows()
	if err != nil {
		return fmt.Errorf("ask netpold for flows: %w", err)
	}
	s.heading("What the enforcer saw: protocol/application, the name, the evidence, and after how many packets it knew")
	slices.SortFunc(list, byPolicy)
	for _, f := range list {
		s.printf("%s\n", recognised(f))
	}
	return nil
}

// byPolicy puts the connections that a policy matches first.
func byPolicy(a, b telemetry.Flow) int {
	return cmp.Or(
		-slices.Compare(a.Policies, b.Policies),
		cmp.Compare(a.Application, b.Application),
		cmp.Compare(a.Protocol, b.Protocol),
		a.SrcIP.Compare(b.SrcIP),
		cmp.Compare(a.SrcPort, b.SrcPort),
	)
}

// recognised is a flow's line and when it was recognised.
func recognised(f telemetry.Flow) string {
	line := string(f.AppendText(nil))
	switch f.DetectionPackets {
	case 0:
		return line
	case 1:
		return line + ", known after 1"
	}
	return fmt.Sprintf("%s, known after %d", line, f.DetectionPackets)
}

// enforcing reports whether netpold answers and has a bundle in force.
func enforcing() bool {
	client, err := control.Dial(socket)
	if err != nil {
		return false
	}
	defer client.Close()
	status, err := client.Status()
	return err == nil && !status.Waiting
}
