package faults

import (
	"strings"
	"time"

	"github.com/netpol/netpol/enforcer/kernel/kerneltest"
)

// healed is how long a table may be gone while netpold lives.
const healed = 2 * time.Second

// flushedAlive has somebody flush the ruleset while netpold runs.
func flushedAlive(t *trial) {
	h := newHost(t, kerneltest.NewNS(t))
	h.apply()
	d := h.netpold()
	before := h.table()
	n := rounds(1, 20)
	var took times
	for range n {
		h.ns.Run("nft", "flush", "ruleset")
		took = append(took, h.within(patience, "the table is back", h.hasTable))
		if after := h.table(); after != before {
			t.Errorf("healed to\n%s\nwant\n%s", after, before)
		}
	}
	h.usually(took, healed, "healing")
	h.unrepaired(d)
	h.within(patience, "plan knows who it was", func() bool {
		return strings.Contains(h.netpol(0, "plan", "--refresh-only"), "No drift.") && strings.Count(d.log.String(), "process=nft") >= n
	})
	t.measure("%d flushes: healed in %s; nft named %d times", n, took, strings.Count(d.log.String(), "process=nft"))
}

// unrepaired is the same with a netpold that only tells.
func (h *host) unrepaired(d *enforcer) {
	h.Helper()
	d.kill()
	h.netpold("--repair", "off")
	h.ns.Run("nft", "flush", "ruleset")
	h.within(healed, "show tells", func() bool {
		return strings.Contains(h.netpol(0, "show"), "table-missing: netpol's table is not in the kernel")
	})
	h.netpol(0, "restore")
}

// hasTable says that netpol's table is whole: it comes in one transaction.
func (h *host) hasTable() bool {
	return strings.Contains(h.ns.Run("nft", "list", "tables"), "table inet netpol\n")
}

// flushedDead has somebody flush the ruleset while netpold is dead, and starts
// it.
func flushedDead(t *trial) {
	h := newHost(t, kerneltest.NewNS(t))
	h.apply()
	h.netpold().kill()
	before := h.table()
	n := rounds(1, 20)
	var took times
	for range n {
		h.ns.Run("nft", "flush", "ruleset")
		d := h.launch()
		took = append(took, h.within(patience, "the table is back", h.hasTable))
		if after := h.table(); after != before {
			t.Errorf("restored to\n%s\nwant\n%s", after, before)
		}
		h.within(patience, "netpold tells of it", func() bool { return strings.Contains(d.log.String(), "was gone when netpold started") })
		d.kill()
	}
	h.usually(took, time.Second, "restoring")
	t.measure("%d starts: restored %s after the start, each told", n, took)
}

// iptablesFlushed has somebody flush the rules of iptables-nft.
func iptablesFlushed(t *trial) {
	t.need("iptables-nft")
	h := newHost(t, kerneltest.NewNS(t))
	h.apply()
	h.netpold()
	h.ns.Run("iptables-nft", "-A", "FORWARD", "-j", "ACCEPT")
	before := h.tableWithHandles()
	for _, table := range []string{"filter", "mangle", "nat", "raw"} {
		h.ns.Run("iptables-nft", "-t", table, "-F")
		h.ns.Run("iptables-nft", "-t", table, "-X")
	}
	if after := h.tableWithHandles(); after != before {
		t.Errorf("the table was\n%s\nand became\n%s", before, after)
	}
	t.measure("untouched, every handle the same")
}

// tableWithHandles tells a rule that was made anew from one that stayed.
func (h *host) tableWithHandles() string {
	h.Helper()
	return h.ns.Run("nft", "-s", "-a", "list", "table", "inet", "netpol")
}

// flushedOwned has somebody flush the ruleset, and change netpol's table, while
// netpold owns it and packets pass that a rule must meet.
func flushedOwned(t *trial) {
	w := newWorld(t)
	w.write("policies/owner.netpol.hcl", "netpol {\n  table_owner = true\n}\n")
	w.apply()
	w.netpold()
	w.within(patience, "netpold owns the table", func() bool { return w.live().Owner != 0 })
	conn := w.open(zoomName)
	w.within(patience, "the connection is labelled", func() bool { return w.labelled(conn, zoomBit) })
	handles := w.tableWithHandles()
	n, met := rounds(5, 200), 0
	for range n {
		w.ns.Run("nft", "flush", "ruleset")
		before := w.marked()
		w.ping(conn)
		if w.marked() > before {
			met++
		}
	}
	if out := w.ns.Run("sh", "-c", "nft add rule inet netpol np_dscp drop 2>&1 || true"); !strings.Contains(out, "Operation not permitted") {
		t.Errorf("somebody else added a rule: %q", out)
	}
	if met != n || w.tableWithHandles() != handles {
		t.Errorf("the rule met packets after %d of %d flushes; the table is\n%s", met, n, w.tableWithHandles())
	}
	t.measure("%d flushes under traffic: every handle the same, 0 packets without the rules, a rule of another's refused", n)
}
