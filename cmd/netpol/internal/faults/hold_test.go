package faults

import (
	"fmt"
	"net"
	"strings"
	"syscall"
	"time"
)

// holdPackets is how many packets may wait in each of three queues: those that
// begin connections, further ones, and replies.
const holdPackets, holdQueues = 8, 3

// settle is how long the stream of datagrams takes to be decided: it has no name, so
// netpold reads 128 of it.
const settle = time.Second

// holdPolicies have the first packets of all connections wait for netpold.
func holdPolicies(onFail string) string {
	return fmt.Sprintf(`netpol {
  hold_packets = %d
}

policy "blocked" {
  criteria = "hostname == '%s'"
  verdict  = "drop"
  hold     = true
  on_fail  = %q
}
`, holdPackets, otherName, onFail)
}

// newHoldWorld is a world with those policies, and a connection that is decided.
func newHoldWorld(t *trial, onFail string) (w *world, d *enforcer, decided net.Conn) {
	t.Helper()
	w = newWorld(t)
	w.write("policies/hold.netpol.hcl", holdPolicies(onFail))
	if out, code := w.run(w.command("plan", w.path("policies"))); code != 0 && (strings.Contains(out, "NFQUEUE") || strings.Contains(out, "Unknown argument")) {
		first, _, _ := strings.Cut(out, "\n")
		t.unable("nothing can be held here: %s", first)
	}
	w.apply()
	d = w.netpold()
	decided = w.open(zoomName)
	w.within(patience, "the connection is decided", func() bool { return w.decided(decided) && w.labelled(decided, w.zoomBit()) })
	return w, d, decided
}

// zoomBit is the label's bit beside those of netpol's own.
func (w *world) zoomBit() int {
	w.Helper()
	var bit int
	for line := range strings.Lines(w.ns.Run("cat", w.path("etc/connlabel.conf"))) {
		var name string
		if n, _ := fmt.Sscan(line, &bit, &name); n == 2 && name == "zoom" {
			return bit
		}
	}
	w.Fatal("connlabel.conf has no label zoom")
	return 0
}

// spray sends datagrams that are connections of their own.
func (w *world) spray() (stop func() (sent, lost int64)) {
	w.Helper()
	return w.datagrams(9001, func(to string) error {
		conn, err := net.Dial("udp", to)
		if err != nil {
			return err
		}
		defer conn.Close()
		_, err = conn.Write([]byte("datagram"))
		return err
	})
}

// heldOpenKilled kills netpold while packets wait for it that may go on without.
func heldOpenKilled(t *trial) {
	w, d, decided := newHoldWorld(t, "open")
	n := rounds(2, 30)
	fresh, old := w.spray(), w.bulk()
	time.Sleep(settle)
	for range n {
		d.kill()
		w.ping(decided)
		d = w.netpold()
		w.ping(decided)
	}
	sent, lost := fresh()
	known, knownLost := old()
	if most := int64(n * holdPackets * holdQueues); lost > most || knownLost > 0 {
		t.Errorf("lost %d of %d datagrams of new connections, want %d at most, and %d of %d of a decided one", lost, sent, most, knownLost, known)
	}
	t.measure("%d kills: %d of %d new connections lost a packet (%d may wait in each of %d queues), 0 of %d datagrams of a decided one", n, lost, sent, holdPackets, holdQueues, known)
}

// heldClosedKilled kills netpold while a policy asks that nothing passes without it.
func heldClosedKilled(t *trial) {
	w, d, decided := newHoldWorld(t, "closed")
	n, blocked := rounds(1, 10), 0
	for range n {
		d.kill()
		for range 5 {
			if !w.reaches(plainPort) {
				blocked++
			}
		}
		w.ping(decided)
		d = w.netpold()
		w.within(2*time.Second, "new connections pass again", func() bool { return w.reaches(plainPort) })
	}
	if blocked != 5*n {
		t.Errorf("%d of %d new connections were blocked, want all", blocked, 5*n)
	}
	t.measure("%d kills: %d of %d new connections blocked, the decided one passes, new ones pass after the start", n, blocked, 5*n)
}

// heldStopped has netpold stand still while packets wait for it, under policies that
// fail open and closed.
func heldStopped(t *trial) {
	still := 3 * time.Second
	if long() {
		still = 30 * time.Second
	}
	open, blocked := t.heldWhile(still, "open"), t.heldWhile(still, "closed")
	if open.lost > holdPackets*holdQueues {
		t.Errorf("open: %d of %d new connections stuck, want %d at most", open.lost, open.sent, holdPackets*holdQueues)
	}
	if blocked.lost != blocked.sent {
		t.Errorf("closed: %d of %d new connections passed", blocked.sent-blocked.lost, blocked.sent)
	}
	t.measure("%v: open: %d of %d new connections stuck, closed: %d of %d blocked; decided connections pass", still, open.lost, open.sent, blocked.lost, blocked.sent)
}

// sprayed is what became of new connections.
type sprayed struct{ sent, lost int64 }

// heldWhile has netpold stand still for some time.
func (t *trial) heldWhile(still time.Duration, onFail string) (fresh sprayed) {
	t.Helper()
	w, d, decided := newHoldWorld(t, onFail)
	old := w.bulk()
	time.Sleep(settle)
	if err := d.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	spray := w.spray()
	time.Sleep(still)
	w.ping(decided)
	fresh.sent, fresh.lost = spray() // netpold stands still: what waits has not arrived
	if sent, lost := old(); lost > 0 {
		t.Errorf("%s: lost %d of %d datagrams of a decided connection", onFail, lost, sent)
	}
	if err := d.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	w.within(2*time.Second, "new connections pass", func() bool { return w.reaches(plainPort) })
	d.kill()
	return fresh
}
