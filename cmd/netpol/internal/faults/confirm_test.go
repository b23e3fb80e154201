package faults

import (
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// lockout is a policy that takes the way to manage the router away.
const lockout = `policy "no-ssh" {
  criteria = "ip_protocol == 6 && dst_port == 22"
  verdict  = "drop"
}
`

// lockedOut applies a policy that drops ssh, and kills who could undo it: each in
// turn, and netpold.
func lockedOut(t *trial) {
	w := newWorld(t)
	w.serve(22, func(c net.Conn) net.Conn { return c })
	w.apply()
	before := w.table()
	wait := time.Duration(rounds(1, 5)) * time.Second
	worst := time.Duration(0)
	for _, victim := range []string{"netpold", "guard"}[:rounds(1, 2)] {
		d := w.netpold()
		w.write("policies/lockout.netpol.hcl", lockout)
		w.netpol(0, "apply", "--auto-approve", "--confirm", wait.String(), w.path("policies"))
		deadline := time.Now().Add(wait)
		if w.reaches(22) {
			t.Error("the policy does not act: there is nothing to go back from")
		}
		if victim == "netpold" {
			d.kill()
		} else {
			w.killGuard()
		}
		w.within(wait+4*time.Second, "the change is taken back", func() bool { return !w.exists("state/pending.json") })
		worst = max(worst, time.Since(deadline))
		if after := w.table(); after != before {
			t.Errorf("went back to\n%s\nwant\n%s", after, before)
		}
		if !w.reaches(22) {
			t.Error("the way to manage the router is still closed")
		}
		d.kill()
	}
	if limit := w.slack(2 * time.Second); worst > limit {
		t.Errorf("gone back %v after the deadline, want %v at most", worst, limit)
	}
	t.measure("gone back at most %v after the deadline, ssh open again", worst.Round(10*time.Millisecond))
}

// reaches says whether the client can connect to a port of the server's.
func (w *world) reaches(port int) bool {
	w.Helper()
	var conn net.Conn
	var err error
	w.lab.Client.Do(func() {
		conn, err = net.DialTimeout("tcp", net.JoinHostPort(w.lab.ServerAddr4.String(), strconv.Itoa(port)), 500*time.Millisecond)
	})
	if err == nil {
		conn.Close()
	}
	return err == nil
}

func (h *host) exists(name string) bool {
	_, err := os.Stat(h.path(name))
	return err == nil
}

// killGuard kills the process that apply left behind.
func (h *host) killGuard() {
	h.Helper()
	entries, err := os.ReadDir("/proc")
	if err != nil {
		h.Fatal(err)
	}
	killed := 0
	for _, entry := range entries {
		line, _ := os.ReadFile("/proc/" + entry.Name() + "/cmdline") // gone, or no process
		pid, err := strconv.Atoi(entry.Name())
		if err == nil && strings.Contains(string(line), "\x00--expired\x00--wait\x00--state-dir\x00"+h.path("state")+"\x00") && syscall.Kill(pid, syscall.SIGKILL) == nil {
			killed++
		}
	}
	if killed != 1 {
		h.Errorf("killed %d keepers of the deadline, want 1", killed)
	}
}
