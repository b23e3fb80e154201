package faults

import (
	"net"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// killedUnderLoad kills netpold again and again while packets pass.
func killedUnderLoad(t *trial) {
	w := newWorld(t)
	w.apply()
	d := w.netpold()
	kept := w.open(zoomName)
	w.within(patience, "the connection is labelled", func() bool { return w.labelled(kept, zoomBit) })
	speed := w.iperf()
	packets, flows := w.bulk(), w.shortFlows()
	n := rounds(2, 100)
	for range n {
		d.kill()
		before := w.marked()
		w.ping(kept)
		if w.marked() == before || !w.labelled(kept, zoomBit) {
			t.Error("with netpold dead the label does not act")
		}
		d = w.netpold()
		next := w.open(zoomName)
		w.within(2*time.Second, "a new connection is labelled", func() bool { return w.labelled(next, zoomBit) })
		next.Close()
	}
	made, failed := flows()
	sent, lost := packets()
	if lost > 0 || failed > 0 {
		t.Errorf("lost %d of %d datagrams, %d of %d connections", lost, sent, failed, made)
	}
	t.measure("%d kills: 0 of %d datagrams and 0 of %d connections lost%s, labels act", n, sent, made, speed())
}

// iperf loads the router with one connection until the returned function is
// called, which tells the speed; short runs do without.
func (w *world) iperf() (speed func() string) {
	if _, err := exec.LookPath("iperf3"); err != nil || !long() {
		return func() string { return "" }
	}
	server := exec.Command("iperf3", "-s", "-1", "-p", "5201")
	w.lab.Server.Do(func() { _ = server.Start() })
	time.Sleep(300 * time.Millisecond) // it does not tell when it listens
	out := &logBuffer{}
	client := exec.Command("iperf3", "-c", w.lab.ServerAddr4.String(), "-t", "3600", "-f", "m")
	client.Stdout, client.Stderr = out, out
	w.lab.Client.Do(func() { _ = client.Start() })
	w.Cleanup(func() { _, _ = client.Process.Kill(), server.Process.Kill() })
	return func() string {
		_ = client.Process.Signal(syscall.SIGINT)
		_, _ = client.Wait(), server.Wait()
		for line := range strings.Lines(out.String()) {
			if fields := strings.Fields(line); strings.Contains(line, "sender") && len(fields) > 6 {
				return ", iperf3 at " + fields[6] + " Mbit/s throughout"
			}
		}
		w.Errorf("iperf3 ended with\n%s", out)
		return ""
	}
}

// stopped has netpold stand still while packets pass.
func stopped(t *trial) {
	w := newWorld(t)
	w.apply()
	d := w.netpold()
	kept := w.open(zoomName)
	w.within(patience, "the connection is labelled", func() bool { return w.labelled(kept, zoomBit) })
	packets, flows := w.bulk(), w.shortFlows()
	still := time.Second
	if long() {
		still = 30 * time.Second
	}
	if err := d.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	meanwhile := w.open(zoomName)
	time.Sleep(still)
	w.ping(kept)
	made, failed := flows()
	sent, lost := packets()
	if err := d.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	if lost > 0 || failed > 0 {
		t.Errorf("lost %d of %d datagrams, %d of %d connections", lost, sent, failed, made)
	}
	late := w.within(10*time.Second, "what came meanwhile is labelled", func() bool { return w.labelled(meanwhile, zoomBit) })
	// The kernel's copies fill netpold's buffer, and connections that begin before
	// there is room again are not named.
	again := w.within(2*time.Second, "new connections are labelled", func() bool {
		next := w.open(zoomName)
		defer next.Close()
		time.Sleep(50 * time.Millisecond)
		return w.labelled(next, zoomBit)
	})
	t.measure("%v: 0 of %d datagrams and 0 of %d connections lost; when it went on, what had come meanwhile was labelled after %v, new ones after %v",
		still, sent, made, late.Round(time.Millisecond), again.Round(time.Millisecond))
}

// supervised has netpold stand still under a supervisor that asks for signs of
// life, as systemd does with WatchdogSec=.
func supervised(t *trial) {
	w := newWorld(t)
	w.apply()
	listener, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Net: "unixgram", Name: w.path("notify")})
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	limit := time.Duration(rounds(2, 10)) * time.Second
	w.env = []string{"NOTIFY_SOCKET=" + w.path("notify"), "WATCHDOG_USEC=" + strconv.FormatInt(limit.Microseconds(), 10)}
	alive := func() bool { // a sign of life came in time
		deadline := time.Now().Add(limit)
		buf := make([]byte, 1<<12)
		for {
			_ = listener.SetReadDeadline(deadline)
			n, err := listener.Read(buf)
			if err != nil {
				return false
			}
			if strings.Contains(string(buf[:n]), "WATCHDOG=1") {
				return true
			}
		}
	}
	d := w.netpold()
	for range 3 {
		if !alive() {
			t.Fatal("netpold works, and gives no sign of life")
		}
	}
	if err := d.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	for alive() { // what was sent before
		continue
	}
	noticed := time.Since(began)
	d.kill()
	w.netpold()
	next := w.open(zoomName)
	w.within(2*time.Second, "a new connection is labelled", func() bool { return w.labelled(next, zoomBit) })
	if noticed > limit+w.slack(time.Second) {
		t.Errorf("noticed after %v, want %v", noticed, limit)
	}
	t.measure("limit %v: noticed after %v, labels again after %v", limit, noticed.Round(time.Millisecond), time.Since(began).Round(time.Millisecond))
}

// olderThanLabels has a connection that began before there was a rule that sets
// a label.
func olderThanLabels(t *trial) {
	w := newWorld(t)
	w.ns.Run("nft", "add table inet other; add chain inet other c { type filter hook forward priority 0; }; add rule inet other c ct state new counter")
	w.ns.Sysctl("net/netfilter/nf_conntrack_acct", "1")
	first := w.connect(443)
	for range rounds(5, 100) {
		w.connect(443)
	}
	w.apply()
	d := w.netpold()
	w.handshake(first, zoomName)
	took := w.within(2*time.Second, "the done mark", func() bool { return w.decided(first) })
	if w.labelled(first, zoomBit) {
		t.Error("the kernel made room for a label after all: the fault is not there")
	}
	w.within(2*time.Second, "show tells", func() bool { return strings.Contains(w.netpol(0, "show"), "older-than-labels") })
	next := w.open(zoomName)
	w.within(2*time.Second, "a new connection is labelled", func() bool { return w.labelled(next, zoomBit) })
	if n := strings.Count(d.log.String(), "code=older-than-labels"); n != 1 {
		t.Errorf("told %d times, want once:\n%s", n, d.log)
	}
	t.measure("done mark set after %v, ENOSPC counted and told once, newer connections labelled", took.Round(time.Millisecond))
}

// withoutRights starts the programs without what they need.
func withoutRights(t *trial) {
	t.need("setpriv")
	w := newWorld(t)
	before := w.ns.Run("nft", "list", "ruleset")
	none := []string{"--bounding-set=-all", "--inh-caps=-all"}
	refused := 0
	for _, verb := range []string{"apply", "plan", "restore"} {
		args := map[string][]string{"apply": {"--auto-approve", w.path("policies")}, "plan": {w.path("policies")}}[verb]
		cmd := w.command(verb, args...)
		out, code := w.run(exec.Command("setpriv", append(none, cmd.Args...)...))
		if code != 1 || !strings.Contains(out, "CAP_NET_ADMIN") && verb != "restore" {
			t.Errorf("netpol %s: exit code %d and %q, want 1 and a word of CAP_NET_ADMIN", verb, code, out)
		}
		refused++
	}
	if after := w.ns.Run("nft", "list", "ruleset"); after != before {
		t.Errorf("half armed:\n%s", after)
	}
	w.apply()
	table := w.tableWithHandles()
	out, code := w.run(exec.Command("setpriv", append(append(none, w.path("bin/netpold")),
		"--state-dir", w.path("state"), "--run-dir", w.path("run"), "--etc-dir", w.path("etc"))...))
	if code != 1 || !strings.Contains(out, "netpold needs CAP_NET_ADMIN") {
		t.Errorf("netpold: exit code %d and %q, want 1 and a word of CAP_NET_ADMIN", code, out)
	}
	refused++
	if after := w.tableWithHandles(); after != table {
		t.Errorf("netpold without rights changed the table to\n%s", after)
	}
	out, code = w.run(exec.Command("setpriv", append(append(none, w.path("bin/netpol")), "doctor", "--state-dir", w.path("state"), "--etc-dir", w.path("etc"), "--run-dir", w.path("run"))...))
	if code != 1 || !strings.Contains(out, "CAP_NET_ADMIN is missing") {
		t.Errorf("doctor: exit code %d and %q", code, out)
	}
	t.measure("%d of 4 refused with the reason, rules as they were", refused)
}
