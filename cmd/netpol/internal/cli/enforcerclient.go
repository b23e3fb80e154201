package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"syscall"
	"time"

	"github.com/netpol/netpol/cmd/netpol/internal/view"
	"github.com/netpol/netpol/enforcer/control"
	"github.com/netpol/netpol/enforcer/flow"
	"github.com/netpol/netpol/enforcer/telemetry"
)

// errNotRunning says that no netpold answers on the control socket.
var errNotRunning = errors.New("netpold does not run")

const (
	// statusLimit is how long somebody who wants to know how netpold is waits for it to answer:
	// it does in milliseconds, if it does.
	statusLimit = 5 * time.Second
	// lookLimit is how long one who looks at connections waits: 100,000 take a second.
	lookLimit = 10 * time.Second
)

// dial connects to the running netpold.
func (t *tool) dial() (*control.Client, error) {
	path := t.router().SocketPath()
	client, err := control.Dial(path)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED) {
		return nil, fmt.Errorf("%w: nothing answers on %s (start netpold with the same --state-dir and --run-dir)", errNotRunning, path)
	}
	return client, err
}

// tellEnforcer has netpold go over to the bundle with the digest; an empty
// digest means that there is no bundle any more. Without a change of the router
// it only makes sure. A netpold that does not run is fine: it will load the
// bundle when it starts.
func (t *tool) tellEnforcer(digest string, changed bool) error {
	client, err := t.dial()
	if errors.Is(err, errNotRunning) {
		if !changed || digest == "" {
			return nil
		}
		return t.progress("netpold does not run: start it, and it loads the bundle")
	}
	if err != nil {
		return err
	}
	defer client.Close()
	if !changed {
		status, err := client.Status()
		if err != nil || status.Digest == digest {
			return err
		}
	}
	status, err := client.Reload()
	switch {
	case err != nil:
		return fmt.Errorf("the router is changed, but netpold did not follow: %w", err)
	case status.Digest != digest:
		return fmt.Errorf("netpold runs bundle %q instead of %q: does it have another --state-dir?",
			view.ShortDigest(status.Digest), view.ShortDigest(digest))
	case digest == "":
		return t.progress("Told netpold to stop: it waits for the next apply")
	}
	return t.progress("Told netpold: it enforces bundle %s", view.ShortDigest(digest))
}

// silence words the error of a netpold that does not answer in time.
func (t *tool) silence(err error) error {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return fmt.Errorf("netpold listens on %s and has not answered for %s: netpol status", t.router().SocketPath(), lookLimit)
	}
	return err
}

// askWhy asks netpold for the account of a connection.
func (t *tool) askWhy(tuple flow.Tuple) (telemetry.Why, bool, error) {
	client, err := t.dial()
	if err != nil {
		return telemetry.Why{}, false, err
	}
	defer client.Close()
	why, found, err := client.Within(lookLimit).Why(tuple)
	return why, found, t.silence(err)
}

// enforcerState is netpold for show: running or not.
func (t *tool) enforcerState() (view.Enforcer, error) {
	state := view.Enforcer{Socket: t.router().SocketPath()}
	client, err := t.dial()
	if errors.Is(err, errNotRunning) {
		return state, nil
	}
	if err != nil {
		return state, err
	}
	defer client.Close()
	status, err := client.Within(statusLimit).Status()
	if errors.Is(err, os.ErrDeadlineExceeded) {
		state.Hangs = statusLimit
		return state, nil
	}
	if err != nil {
		return state, err
	}
	state.Running, state.Status = true, status
	state.Lines = statusLines(status)
	return state, nil
}

// statusLines words a status for people: what there is to know first, then
// the counters that are not zero.
func statusLines(s control.Status) [][2]string {
	bundle := view.ShortDigest(s.Digest)
	if s.Waiting {
		bundle = "none"
	}
	lines := [][2]string{
		{"netpold", fmt.Sprintf("%s, process %d, up %s", s.Version, s.PID, time.Since(s.Started).Round(time.Second))},
		{"bundle", bundle},
	}
	if s.Detail != "" {
		lines = append(lines, [2]string{"detail", s.Detail})
	}
	for i := range s.Sinks {
		lines = append(lines, [2]string{"sink " + s.Sinks[i].Name, sinkLine(&s.Sinks[i])})
	}
	names := make([]string, 0, len(s.Counters))
	for name, n := range s.Counters {
		if n != 0 {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		lines = append(lines, [2]string{name, fmt.Sprint(s.Counters[name])})
	}
	return lines
}

// sinkLine words how a sink is.
func sinkLine(s *telemetry.Sink) string {
	text := fmt.Sprintf("%s, %d records, %d bytes written", s.Place, s.Records, s.Bytes)
	for _, why := range slices.Sorted(maps.Keys(s.Dropped)) {
		text += fmt.Sprintf(", %d %s", s.Dropped[why], why)
	}
	if s.SpoolRecords > 0 {
		text += fmt.Sprintf(", %d waiting on disk (%d bytes)", s.SpoolRecords, s.SpoolBytes)
	}
	if s.Clients > 0 {
		text += fmt.Sprintf(", %d clients", s.Clients)
	}
	if s.SlowClients > 0 {
		text += fmt.Sprintf(", %d slow clients let go", s.SlowClients)
	}
	switch {
	case s.Refused:
		text += ", refused: " + s.Fault
	case s.Fault != "":
		text += ", cannot write: " + s.Fault
	}
	return text
}
