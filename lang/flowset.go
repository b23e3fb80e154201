package lang

import (
	"time"

	"github.com/netpol/netpol/lang/diag"
)

// FlowSet is a set of nftables or an ipset that policies put flows into, with
// the defaults filled in.
type FlowSet struct {
	Name        string // with its module before it, "iot/blocks"
	Module      string // empty for the set itself
	Description string
	Kind        string // nft or ipset
	Family      string // of nft: inet, ip or ip6
	Table       string // of nft; empty for netpol's own
	Set         string // the kernel's name; with both Versions .v4 and .v6 come after it
	Type        string // of an ipset: "hash:ip,port"
	Fields      []string
	Versions    []uint8 // of its addresses, 4 and 6; none without addresses
	Timeout     time.Duration
	Size        uint32
	Managed     bool // netpol creates and removes it

	FlushOnCreate, FlushOnDestroy bool

	SkbMark     *Mark
	SkbPriority *uint32
	SkbQueue    *uint16
	Range       diag.Range // of the block's header
}
