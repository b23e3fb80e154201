package cli

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/netpol/netpol/cmd/netpol/internal/propose"
	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/control"
	"github.com/netpol/netpol/enforcer/flow"
	"github.com/netpol/netpol/enforcer/kernel/ct"
	"github.com/netpol/netpol/enforcer/kernel/survey"
)

// look looks at the router. What cannot be looked at is told in the proposal; that
// a part is missing does not stop the rest.
func (t *tool) look(ctx context.Context, others foreign) propose.Found {
	f := propose.Found{Time: time.Now(), Iptables: map[string][]byte{}}
	missing := func(what string, err error) {
		if err != nil {
			f.Unread = append(f.Unread, fmt.Sprintf("%s: %v", what, err))
		}
	}
	var err error
	f.Host, err = os.Hostname()
	missing("the host's name", err)
	f.Interfaces, err = survey.Network()
	missing("interfaces and routes", err)
	live, err := survey.Look()
	missing("routing rules", err)
	f.Marks = slices.DeleteFunc(live.Marks, t.ownRouteRule)
	f.Classes, f.Filters, err = survey.Queues()
	missing("queues", err)
	f.Nftables, err = output(ctx, "nft", "-j", "list", "ruleset")
	missing("rules of nftables", err)
	for _, family := range []string{"iptables", "ip6tables"} {
		missing("rules of "+family, readIptables(ctx, family, f.Iptables))
	}
	for name, bit := range others.names {
		f.Labels = append(f.Labels, artifact.Label{Name: name, Bit: bit})
	}
	slices.SortFunc(f.Labels, func(a, b artifact.Label) int { return a.Bit - b.Bit })
	f.Connections, f.ConnMarks, err = t.connections()
	missing("connections", err)
	f.Applications, err = t.applications()
	missing("netpold's connections", err)
	return f
}

// applied is what netpol has in force here; its zero value for nothing.
func (t *tool) applied() artifact.Bundle {
	b, err := readBundle(t.router().BundlePath())
	if err != nil {
		return artifact.Bundle{}
	}
	return *b
}

// ownRouteRule tells netpol's own routing rules from those of others.
func (t *tool) ownRouteRule(r survey.MarkRule) bool {
	return slices.ContainsFunc(t.applied().Routes, func(own artifact.Route) bool { return own.Mark == r.Mark && own.Mask == r.Mask })
}

const (
	// lookTimeout bounds each program that lists rules.
	lookTimeout = 20 * time.Second
	// maxListing bounds what it may print, in bytes.
	maxListing = 64 << 20
)

// readIptables lists the rules of each kind of iptables that is installed. They are
// told to load no module: that would change the router.
func readIptables(ctx context.Context, family string, into map[string][]byte) error {
	programs := []string{family + "-nft-save", family + "-legacy-save"}
	if _, err := exec.LookPath(programs[0]); err != nil {
		programs = []string{family + "-save"}
	}
	var errs []error
	for _, program := range programs {
		data, err := output(ctx, program, "-M", "/bin/false")
		if err != nil && !errors.Is(err, exec.ErrNotFound) {
			errs = append(errs, err)
		}
		if len(data) > 0 {
			into[program] = data
		}
	}
	return errors.Join(errs...)
}

// output runs a program that lists something.
func output(ctx context.Context, program string, args ...string) ([]byte, error) {
	bounded, stop := context.WithTimeout(ctx, lookTimeout)
	defer stop()
	cmd := exec.CommandContext(bounded, program, args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return nil, fmt.Errorf("%s is not installed: %w", program, exec.ErrNotFound)
	case err != nil:
		first, _, _ := strings.Cut(strings.TrimSpace(said.String()), "\n")
		return nil, fmt.Errorf("%s: %w: %s", program, err, first)
	case len(out) > maxListing:
		return nil, fmt.Errorf("%s prints more than %d bytes", program, maxListing)
	}
	return out, nil
}

// connections counts conntrack's connections by the port that they were opened to,
// and gathers the bits of their marks that are not netpold's.
func (t *tool) connections() ([]propose.Count, uint32, error) {
	client, err := ct.Open()
	if err != nil {
		return nil, 0, err
	}
	defer client.Close()
	counts := map[string]int{}
	var marks uint32
	err = client.Connections(0, 0, func(c *flow.Connection) error {
		marks |= c.Mark
		switch c.Orig.Proto {
		case 6:
			counts["tcp/"+strconv.Itoa(int(c.Orig.DstPort))]++
		case 17:
			counts["udp/"+strconv.Itoa(int(c.Orig.DstPort))]++
		default:
			counts["IP protocol "+strconv.Itoa(int(c.Orig.Proto))]++
		}
		return nil
	})
	return mostFirst(counts), marks &^ t.applied().Settings.OwnMark(), err
}

// applications counts what a running netpold has named.
func (t *tool) applications() ([]propose.Count, error) {
	client, err := t.dial()
	if errors.Is(err, errNotRunning) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer client.Close()
	flows, err := client.Flows(control.MaxFlows)
	if err != nil {
		return nil, err
	}
	counts := map[string]int{}
	for _, f := range flows {
		if f.Application != "" {
			counts[f.Application]++
		}
	}
	return mostFirst(counts), nil
}

func mostFirst(counts map[string]int) []propose.Count {
	var list []propose.Count
	for name, n := range counts {
		list = append(list, propose.Count{Name: name, N: n})
	}
	slices.SortFunc(list, func(a, b propose.Count) int { return cmp.Or(b.N-a.N, strings.Compare(a.Name, b.Name)) })
	return list
}
