package faults

import (
	"crypto/tls"
	"fmt"
	"net"
	"strings"
	"time"
)

// setPolicies put the flows of zoom into a set of nftables and an ipset of netpol's,
// and into a set of the administrator's.
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

set "theirs" {
  kind     = "nft"
  table    = "fw"
  type     = "local_addr"
  families = ["ipv4"]
}

policy "zoom" {
  criteria = "app == 'zoom'"
  label    = "zoom"
  dscp     = "cs5"
  add      = ["blocks", "talkers", "theirs"]
}
`

// theirSet makes the administrator's set.
const theirSet = "add table inet fw; add set inet fw theirs { type ipv4_addr; flags timeout; timeout 1h; }"

// newSetWorld is a world whose flows go into sets.
func newSetWorld(t *trial, size string) *world {
	t.Helper()
	t.need("ipset")
	w := newWorld(t)
	w.ns.Run("nft", theirSet)
	w.write("policies/some.netpol.hcl", strings.ReplaceAll(setPolicies, "SIZE", size))
	w.apply()
	return w
}

// placed says which of the kernel's sets have a connection. A set that is not there
// has none.
type placed struct{ nft, ipset, theirs bool }

func (w *world) inSets(conn net.Conn) placed {
	w.Helper()
	list := func(script string) string { return w.ns.Run("sh", "-c", script+" 2>/dev/null || true") }
	local := conn.LocalAddr().(*net.TCPAddr).AddrPort()
	remote := conn.RemoteAddr().(*net.TCPAddr).AddrPort()
	return placed{
		nft:    strings.Contains(list("nft list table inet netpol_sets"), fmt.Sprintf("%s . tcp . %d . %s", local.Addr(), remote.Port(), remote.Addr())),
		ipset:  strings.Contains(list("ipset list"), fmt.Sprintf("%s,tcp:%d,%s", remote.Addr(), remote.Port(), local.Addr())),
		theirs: strings.Contains(list("nft list set inet fw theirs"), local.Addr().String()+" "),
	}
}

func (w *world) inAll(conn net.Conn) bool { return w.inSets(conn) == placed{true, true, true} }

// inNone is about the sets whose elements are of one connection.
func (w *world) inNone(conn net.Conn) bool { p := w.inSets(conn); return !p.nft && !p.ipset }

// setsEmptied has somebody empty and remove the sets that netpold fills.
func setsEmptied(t *trial) {
	w := newSetWorld(t, "")
	d := w.netpold("--counter-interval", "1s")
	conn := w.open(zoomName)
	w.within(patience, "the connection is in its sets", func() bool { return w.inAll(conn) })
	ipset := "ipset flush $(ipset list -n)"
	faults := []struct {
		command string
		limit   time.Duration
	}{
		{"nft flush set inet netpol_sets blocks", healed},
		{"nft flush set inet fw theirs", healed},
		{"nft delete set inet netpol_sets blocks", healed},
		{"nft delete table inet netpol_sets", healed},
		{ipset, 2 * healed}, // found by looking: every second here, every five unless told otherwise
		{"ipset destroy $(ipset list -n)", 2 * healed},
		{"nft flush ruleset; ipset destroy; nft '" + theirSet + "'", 2 * healed},
	}
	var took []string
	for range rounds(1, 5) {
		took = took[:0]
		for _, f := range faults {
			w.ns.Run("sh", "-c", f.command)
			after := w.within(f.limit, f.command+": the connection is in its sets again", func() bool { return w.inAll(conn) })
			took = append(took, after.Round(10*time.Millisecond).String())
		}
	}
	w.within(patience, "the table is as it was applied", func() bool { return strings.Contains(w.netpol(0, "plan", "--refresh-only"), "No drift.") })
	w.want(d.log.String(), "somebody took elements out of a set", "process=nft", "ipset")
	t.measure("in its sets again after %s", strings.Join(took, ", "))
}

// forgottenByConntrack has somebody remove conntrack's entries.
func forgottenByConntrack(t *trial) {
	t.need("conntrack")
	w := newSetWorld(t, "")
	w.netpold("--counter-interval", "1s")
	conn, silent := w.open(zoomName), w.openTLS(8443)
	w.within(patience, "both are labelled and in their sets", func() bool {
		return w.inAll(conn) && w.inAll(silent) && w.labelled(conn, zoomBit) && w.labelled(silent, zoomBit)
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
	out = w.within(4*time.Second, "the silent connection left its sets", func() bool { return w.inNone(silent) })
	w.within(4*time.Second, "the other is in its sets", func() bool { return w.inAll(conn) })
	w.ping(silent)
	w.within(4*time.Second, "it speaks, and is in its sets and labelled", func() bool { return w.inAll(silent) && w.labelled(silent, zoomBit) })
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
		if w.inSets(c).nft {
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
