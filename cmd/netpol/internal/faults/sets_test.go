package faults

import (
	"crypto/tls"
	"fmt"
	"net"
	"strings"
	"time"
)

// setPolicies put the flows of zoom into a set of nftables and an ipset.
const setPolicies = `set "blocks" {
  kind     = "nft"
  type     = ["local_addr", "ip_proto", "other_port", "other_addr"]
  families = ["ipv4"]
  managed  = true
  timeout  = "1h"
  SIZE
}

set "talkers" {
  kind     = "ipset"
  type     = "hash:ip,port,ip"
  families = ["ipv4"]
  managed  = true
  timeout  = "1h"
  SIZE
}

policy "zoom" {
  criteria = "app == 'zoom'"
  label    = "zoom"
  dscp     = "cs5"
  add      = ["blocks", "talkers"]
}
`

// newSetWorld is a world whose flows go into sets.
func newSetWorld(t *trial, size string) *world {
	t.Helper()
	t.need("ipset")
	w := newWorld(t)
	w.write("policies/some.netpol.hcl", strings.ReplaceAll(setPolicies, "SIZE", size))
	w.apply()
	return w
}

// inSets says whether the kernel's sets have a connection. A set that is not
// there has none.
func (w *world) inSets(conn net.Conn) (nft, ipset bool) {
	w.Helper()
	list := func(script string) string { return w.ns.Run("sh", "-c", script+" 2>/dev/null || true") }
	local := conn.LocalAddr().(*net.TCPAddr).AddrPort()
	remote := conn.RemoteAddr().(*net.TCPAddr).AddrPort()
	inNft := fmt.Sprintf("%s . tcp . %d . %s", local.Addr(), remote.Port(), remote.Addr())
	inIpset := fmt.Sprintf("%s,tcp:%d,%s", remote.Addr(), remote.Port(), local.Addr())
	ipsetText := list("ipset list")
	return strings.Contains(list("nft list table inet netpol_sets"), inNft),
		strings.Contains(ipsetText, inIpset) || strings.Contains(ipsetText, fmt.Sprintf("%s,tcp:%d,%s", local.Addr(), remote.Port(), remote.Addr()))
}

func (w *world) inBoth(conn net.Conn) bool    { a, b := w.inSets(conn); return a && b }
func (w *world) inNeither(conn net.Conn) bool { a, b := w.inSets(conn); return !a && !b }

// setsEmptied has somebody empty and remove the sets that netpold fills.
func setsEmptied(t *trial) {
	w := newSetWorld(t, "")
	d := w.netpold("--counter-interval", "1s")
	conn := w.open(zoomName)
	w.within(patience, "the connection is in both sets", func() bool { return w.inBoth(conn) })
	ipset := "ipset flush $(ipset list -n)"
	faults := []struct {
		command string
		limit   time.Duration
	}{
		{"nft flush set inet netpol_sets blocks", healed},
		{"nft delete set inet netpol_sets blocks", healed},
		{"nft delete table inet netpol_sets", healed},
		{ipset, 2 * healed}, // found by looking: every second here, every five unless told otherwise
		{"ipset destroy $(ipset list -n)", 2 * healed},
		{"nft flush ruleset; ipset destroy", 2 * healed},
	}
	var took []string
	for range rounds(1, 5) {
		took = took[:0]
		for _, f := range faults {
			w.ns.Run("sh", "-c", f.command)
			after := w.within(f.limit, f.command+": the connection is in both sets again", func() bool { return w.inBoth(conn) })
			took = append(took, after.Round(10*time.Millisecond).String())
		}
	}
	w.within(patience, "the table is as it was applied", func() bool { return strings.Contains(w.netpol(0, "plan", "--refresh-only"), "No drift.") })
	w.want(d.log.String(), "somebody took elements out of a set", "process=nft", "ipset")
	t.measure("in both sets again after %s", strings.Join(took, ", "))
}

// forgottenByConntrack has somebody remove conntrack's entries.
func forgottenByConntrack(t *trial) {
	t.need("conntrack")
	w := newSetWorld(t, "")
	w.netpold("--counter-interval", "1s")
	conn, silent := w.open(zoomName), w.openTLS(8443)
	w.within(patience, "both are labelled and in their sets", func() bool {
		return w.inBoth(conn) && w.inBoth(silent) && w.labelled(conn, zoomBit) && w.labelled(silent, zoomBit)
	})
	var again, out time.Duration
	for _, command := range []string{"conntrack -D -p tcp --dport 443", "conntrack -F"} {
		time.Sleep(100 * time.Millisecond) // packets that were on their way when the verdict was written prove nothing
		w.ns.Run("sh", "-c", command+" 2>/dev/null")
		if w.labelled(conn, zoomBit) {
			t.Errorf("%s left the entry", command)
		}
		w.ping(conn)
		again = max(again, w.within(time.Second, command+": the label is back with the next packet", func() bool { return w.labelled(conn, zoomBit) }))
	}
	out = w.within(4*time.Second, "the silent connection left its sets", func() bool { return w.inNeither(silent) })
	w.within(4*time.Second, "the other is in its sets", func() bool { return w.inBoth(conn) })
	w.ping(silent)
	w.within(4*time.Second, "it speaks, and is in its sets and labelled", func() bool { return w.inBoth(silent) && w.labelled(silent, zoomBit) })
	t.measure("label back %v after the next packet; a silent flow's elements gone after %v (readings each 1 s)",
		again.Round(time.Millisecond), out.Round(10*time.Millisecond))
}

// openTLS is open at a port of its own.
func (w *world) openTLS(port uint16) net.Conn {
	w.Helper()
	w.serve(port, func(conn net.Conn) net.Conn { return tls.Server(conn, w.config) })
	return w.openAt(port, zoomName)
}

// setsFull has one flow more than the sets take.
func setsFull(t *trial) {
	w := newSetWorld(t, "size = 4")
	d := w.netpold()
	var conns []net.Conn
	for port := range uint16(rounds(6, 50)) {
		conns = append(conns, w.openTLS(8000+port))
	}
	w.within(patience, "all are labelled", func() bool {
		for _, c := range conns {
			if !w.labelled(c, zoomBit) {
				return false
			}
		}
		return true
	})
	w.within(5*time.Second, "show tells", func() bool {
		out := w.netpol(0, "show")
		return strings.Contains(out, "set-full nft") && strings.Contains(out, "set-full ipset") && strings.Contains(out, "raise size")
	})
	in := 0
	for _, c := range conns {
		if a, _ := w.inSets(c); a {
			in++
		}
	}
	if in != 4 {
		t.Errorf("the set has %d of them, want 4", in)
	}
	if n := strings.Count(d.log.String(), "set did not take flows"); n != 2 {
		t.Errorf("told %d times of two sets, want once each:\n%s", n, d.log)
	}
	t.measure("%d flows: 4 in each set, all labelled, told once a set with the way out", len(conns))
}
