package nft

import (
	"golang.org/x/sys/unix"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/kernel/internal/nfnl"
)

// Of linux/netfilter/nf_tables.h, what x/sys lacks.
const (
	tablePersist = 0x4 // NFT_TABLE_F_PERSIST, since Linux 6.9
	tableOwner   = 7   // NFTA_TABLE_OWNER, since 5.12
)

// newTable makes the table, with its flags: they cannot be set later. It belongs
// to nobody; netpold adopts it.
func (b *batch) newTable(family uint8, rs *artifact.Ruleset) {
	if rs.Persist {
		b.hint(func() string {
			return "this kernel has no tables that outlive their owner (Linux 6.9 has). Take table_owner = true out of the netpol block"
		})
	}
	b.add("add table "+rs.Table, unix.NFT_MSG_NEWTABLE, nfnl.FlagCreate, family, func(buf []byte) []byte {
		buf = nfnl.String(buf, unix.NFTA_TABLE_NAME, rs.Table)
		if rs.Persist {
			buf = nfnl.Uint32(buf, unix.NFTA_TABLE_FLAGS, tablePersist)
		}
		return buf
	})
}

// hint says of the message that comes next why the kernel may not take it.
func (b *batch) hint(text func() string) {
	if b.hints == nil {
		b.hints = map[uint32]func() string{}
	}
	b.hints[uint32(len(b.what))] = text
}
