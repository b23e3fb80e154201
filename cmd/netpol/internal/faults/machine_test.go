package faults

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// conntrackMax is of the whole machine, and can be set in its first network
// namespace only.
const conntrackMax = "/proc/sys/net/netfilter/nf_conntrack_max"

// tableOfConnectionsFull makes conntrack's table small and floods it.
func tableOfConnectionsFull(t *trial) {
	if !long() {
		t.unable("sets a limit of the whole machine: NETPOL_FAULTS=1 asks for it")
	}
	before, err := os.ReadFile(conntrackMax)
	if err != nil {
		t.unable("%v", err)
	}
	w := newWorld(t)
	w.apply()
	d := w.netpold()
	w.within(patience, "netpold has looked at the counters", func() bool { return strings.Contains(w.netpol(0, "show"), "conntrack_max") })
	if err := os.WriteFile(conntrackMax, []byte("1000"), 0); err != nil {
		t.unable("%v", err)
	}
	restore := func() {
		if err := os.WriteFile(conntrackMax, before, 0); err != nil {
			t.Errorf("nf_conntrack_max stays at 1000: %v", err)
		}
	}
	defer restore()
	const flood = 5000
	w.flood(flood)
	full := w.netpol(0, "doctor", "--json")
	restore()
	w.want(full, "new ones are refused when it is full")
	w.within(2*time.Second, "show tells", func() bool {
		return strings.Contains(w.netpol(0, "show"), "conntrack-full: the kernel's table of connections was full")
	})
	out := w.netpol(0, "show")
	w.want(out, "conntrack_early_drop", "nf_conntrack_max")
	if n := strings.Count(d.log.String(), "code=conntrack-full"); n != 1 {
		t.Errorf("told %d times, want once:\n%s", n, d.log)
	}
	next := w.open(zoomName)
	w.within(2*time.Second, "a new connection is labelled", func() bool { return w.labelled(next, zoomBit) })
	t.measure("%d flows into room for 1000: netpold lives, %s, told once", flood, counterLines(out, "conntrack_early_drop", "conntrack_drop", "conntrack_insert_failed"))
}

// flood begins connections that nobody answers.
func (w *world) flood(n int) {
	w.Helper()
	w.lab.Client.Do(func() {
		for i := range n {
			to := netip.AddrPortFrom(w.lab.ServerAddr4, uint16(10000+i))
			if conn, err := net.Dial("udp", to.String()); err == nil {
				_, _ = conn.Write([]byte("x"))
				conn.Close()
			}
		}
	})
}

// counterLines are lines of show by their counters' names.
func counterLines(show string, names ...string) string {
	var found []string
	for line := range strings.Lines(show) {
		fields := strings.Fields(line)
		for _, name := range names {
			if len(fields) == 2 && fields[0] == name {
				found = append(found, fields[0]+" "+fields[1])
			}
		}
	}
	return strings.Join(found, ", ")
}

// clockSet sets the wall clock while schedules and a deadline run. It puts the
// clock right by the steady one, whatever happens.
func clockSet(t *trial) {
	if !long() {
		t.unable("sets the clock of the whole machine: NETPOL_FAULTS=1 asks for it")
	}
	w := newWorld(t)
	now := time.Now().UTC()
	w.write("policies/some.netpol.hcl", schedulePolicies(now.Add(-30*time.Minute), now.Add(30*time.Minute)))
	w.apply()
	w.netpold()
	conn := w.open(zoomName)
	w.within(patience, "the connection is labelled", func() bool { return w.decided(conn) })
	acts := func() bool {
		before := w.marked()
		w.ping(conn)
		return w.marked() > before
	}
	if !acts() {
		t.Fatal("the schedule does not hold now: nothing can be tested")
	}
	w.write("policies/other.netpol.hcl", "policy \"other\" {\n  criteria = \"dst_port == 99\"\n  label = \"other\"\n}\n")
	w.netpol(0, "apply", "--auto-approve", "--confirm", "1h", w.path("policies"))
	worst := time.Duration(0)
	for _, c := range []struct {
		by    time.Duration
		holds bool
	}{{-time.Hour, false}, {-24 * time.Hour, true}, {365*24*time.Hour + time.Hour, false}, {400 * 24 * time.Hour, true}} {
		took, held := w.underClock(c.by, func() bool { return acts() == c.holds })
		worst = max(worst, took)
		if !held {
			t.Errorf("clock by %v: the schedule holds: %v, want %v within 1 s", c.by, !c.holds, c.holds)
		}
	}
	if !w.exists("state/pending.json") {
		t.Error("a clock that was set ended a deadline")
	}
	w.netpol(0, "confirm")
	if !w.labelled(conn, zoomBit) {
		t.Error("a clock that was set cost a connection its label")
	}
	t.measure("-1 h, -24 h, +1 y, +400 d: schedules right after at most %v, the deadline and labels stay", worst.Round(time.Millisecond))
}

// schedulePolicies are policies that hold daily between two times of UTC.
func schedulePolicies(from, to time.Time) string {
	hours := fmt.Sprintf("%q", from.Format("15:04")+"-"+to.Format("15:04"))
	if to.Format("15:04") < from.Format("15:04") {
		hours = fmt.Sprintf("%q, %q", from.Format("15:04")+"-24:00", "00:00-"+to.Format("15:04"))
	}
	return fmt.Sprintf(`schedule "now" {
  hours    = [%s]
}

policy "zoom" {
  criteria = "app == 'zoom' && schedule == 'now'"
  label    = "zoom"
  dscp     = "cs5"
}
`, hours)
}

// underClock sets the clock by some time, waits a second at most until something
// holds, and sets it right.
func (w *world) underClock(by time.Duration, holds func() bool) (took time.Duration, held bool) {
	w.Helper()
	began := time.Now() // with the steady clock's reading
	set := func(to time.Time) {
		tv := syscall.NsecToTimeval(to.UnixNano())
		if err := syscall.Settimeofday(&tv); err != nil {
			w.unable("the clock cannot be set: %v", err)
		}
	}
	set(began.Add(by))
	defer func() { set(began.Round(0).Add(time.Since(began))) }()
	for !held && time.Since(began) < time.Second {
		held = holds()
	}
	return time.Since(began), held
}

// otherUptime runs the programs in a time namespace, in which the clocks that
// timers go by read otherwise.
func otherUptime(t *trial) {
	t.need("unshare")
	if out, err := exec.Command("unshare", "-T", "--monotonic", "1000000", "--boottime", "1000000", "true").CombinedOutput(); err != nil {
		t.unable("time namespaces: %v %s", err, out)
	}
	w := newWorld(t)
	w.wrap = []string{"unshare", "-T", "--monotonic", "1000000", "--boottime", "1000000"}
	w.apply()
	before := w.table()
	w.netpold()
	conn := w.open(zoomName)
	took := w.within(time.Second, "the connection is labelled", func() bool { return w.labelled(conn, zoomBit) })
	w.write("policies/some.netpol.hcl", strings.ReplaceAll(somePolicies, "cs5", "cs1"))
	wait := time.Duration(rounds(2, 5)) * time.Second
	began := time.Now()
	w.netpol(0, "apply", "--auto-approve", "--confirm", wait.String(), w.path("policies"))
	w.within(wait+2*time.Second, "the change is taken back", func() bool { return !w.exists("state/pending.json") })
	if early := wait - time.Since(began); early > 0 {
		t.Errorf("taken back %v before the deadline", early)
	}
	if after := w.table(); after != before {
		t.Errorf("went back to\n%s\nwant\n%s", after, before)
	}
	t.measure("label after %v; a deadline of %v kept", took.Round(time.Millisecond), wait)
}
