package control

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"
)

// PendingName is the file under the state directory that says that a change of
// the router waits to be confirmed. netpol writes it before it changes the
// kernel; whoever finds it past its deadline takes the change back: netpol
// itself, netpold, or systemd by netpol-confirm.path.
const PendingName = "pending.json"

// Pending is a change that is taken back unless somebody confirms it.
type Pending struct {
	Serial   int       `json:"revision"`  // the one that waits
	Before   int       `json:"before"`    // the one to go back to; 0: nothing was applied
	Deadline time.Time `json:"deadline"`  // for people; clocks can be set
	Boot     string    `json:"boot"`      // /proc/sys/kernel/random/boot_id
	UptimeMS int64     `json:"uptime_ms"` // the deadline by the clock that nobody can set, in that boot
	Author   string    `json:"author,omitempty"`
}

// NewPending is a change that waits from now on.
func NewPending(serial, before int, wait time.Duration) Pending {
	boot, up := bootClock()
	return Pending{
		Serial: serial, Before: before, Deadline: time.Now().Add(wait).UTC().Truncate(time.Second),
		Boot: boot, UptimeMS: (up + wait).Milliseconds(),
	}
}

// ReadPending loads the file; the error wraps fs.ErrNotExist when nothing waits.
func ReadPending(path string) (Pending, error) {
	f, err := os.Open(path)
	if err != nil {
		return Pending{}, fmt.Errorf("read what waits to be confirmed: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxRequest))
	if err != nil {
		return Pending{}, fmt.Errorf("read what waits to be confirmed: %w", err)
	}
	return parsePending(data)
}

var errPending = errors.New("does not say which revision waits")

func parsePending(data []byte) (Pending, error) {
	var p Pending
	if err := DecodeRecord(data, &p); err != nil {
		return Pending{}, fmt.Errorf("read what waits to be confirmed: %w", err)
	}
	if p.Serial < 1 || p.Before < 0 || p.Before >= p.Serial {
		return Pending{}, fmt.Errorf("read what waits to be confirmed: %w", errPending)
	}
	return p, nil
}

// Left is how long there still is; 0 or less: the deadline has passed. A change
// that was not confirmed before the machine started anew has no time left.
func (p Pending) Left() time.Duration {
	boot, up := bootClock()
	if boot != "" && p.Boot != "" {
		if boot != p.Boot {
			return 0
		}
		return time.Duration(p.UptimeMS)*time.Millisecond - up
	}
	return time.Until(p.Deadline)
}

// bootClock is the time since this machine started, suspended or not, and the
// id of this start. Both are empty where there is no /proc.
func bootClock() (boot string, up time.Duration) {
	id, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return "", 0
	}
	data, err := os.ReadFile("/proc/uptime")
	if err != nil {
		return "", 0
	}
	first, _, _ := strings.Cut(string(data), " ")
	seconds, err := strconv.ParseFloat(first, 64)
	if err != nil {
		return "", 0
	}
	return strings.TrimSpace(string(id)), time.Duration(seconds * float64(time.Second))
}
