package ct

import (
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/netpol/netpol/enforcer/kernel/internal/nfnl"
)

// TableStats say how the namespace's table of connections does. What was counted
// is since the namespace began.
type TableStats struct {
	Entries uint64 // connections now
	Max     uint64 // net.netfilter.nf_conntrack_max; 0 where the kernel does not say (before 4.18)
	// EarlyDrop counts connections that were thrown out of a full table to make
	// room, Drop packets that were lost because none could be made.
	EarlyDrop, Drop uint64
	// InsertFailed counts connections that were not entered: of two packets that
	// begin the same one at once it is normal.
	InsertFailed uint64
}

// Attributes of enum ctattr_stats_global and ctattr_stats_cpu.
const (
	ctaStatsGlobalEntries    = 1
	ctaStatsGlobalMaxEntries = 2

	ctaStatsInsertFailed = 9
	ctaStatsDrop         = 10
	ctaStatsEarlyDrop    = 11
)

// TableStats asks for them. All counts of the processors are added up.
func (c *Client) TableStats() (TableStats, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var s TableStats
	err := c.ask(msgGetStats, nfnl.FlagAck, unix.AF_UNSPEC, nil, func(m nfnl.Message) error {
		for a, rest, ok := nfnl.NextAttr(m.Data); ok; a, rest, ok = nfnl.NextAttr(rest) {
			switch a.Type {
			case ctaStatsGlobalEntries:
				s.Entries = uint64(a.Uint32())
			case ctaStatsGlobalMaxEntries:
				s.Max = uint64(a.Uint32())
			}
		}
		return nil
	})
	if err != nil {
		return s, fmt.Errorf("conntrack statistics: %w", err)
	}
	err = c.ask(msgGetStatsCPU, nfnl.FlagDump, unix.AF_UNSPEC, nil, func(m nfnl.Message) error {
		for a, rest, ok := nfnl.NextAttr(m.Data); ok; a, rest, ok = nfnl.NextAttr(rest) {
			switch a.Type {
			case ctaStatsInsertFailed:
				s.InsertFailed += uint64(a.Uint32())
			case ctaStatsDrop:
				s.Drop += uint64(a.Uint32())
			case ctaStatsEarlyDrop:
				s.EarlyDrop += uint64(a.Uint32())
			}
		}
		return nil
	})
	if err != nil {
		return s, fmt.Errorf("conntrack statistics: %w", err)
	}
	return s, nil
}
