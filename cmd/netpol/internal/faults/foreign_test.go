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
	n, longest := rounds(1, 20), time.Duration(0)
	for range n {
		h.ns.Run("nft", "flush", "ruleset")
		longest = max(longest, h.within(healed, "the table is back", h.hasTable))
		if after := h.table(); after != before {
			t.Errorf("healed to\n%s\nwant\n%s", after, before)
		}
	}
	h.within(healed, "plan knows who it was", func() bool {
		return strings.Contains(h.netpol(0, "plan", "--refresh-only"), "No drift.") && strings.Count(d.log.String(), "process=nft") >= n
	})
	t.measure("%d flushes: healed in at most %v, nft named %d times", n, longest.Round(time.Millisecond), strings.Count(d.log.String(), "process=nft"))
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
	n, longest := rounds(1, 20), time.Duration(0)
	for range n {
		h.ns.Run("nft", "flush", "ruleset")
		d := h.launch()
		longest = max(longest, h.within(time.Second, "the table is back", h.hasTable))
		if after := h.table(); after != before {
			t.Errorf("restored to\n%s\nwant\n%s", after, before)
		}
		h.within(healed, "netpold tells of it", func() bool { return strings.Contains(d.log.String(), "was gone when netpold started") })
		d.kill()
	}
	t.measure("%d starts: restored in at most %v after the start, each told", n, longest.Round(time.Millisecond))
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
