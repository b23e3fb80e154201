package survey

import (
	"encoding/binary"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/netpol/netpol/enforcer/kernel/internal/nfnl"
)

// MarkUse is a chain with rules on the connection mark.
type MarkUse struct {
	Family, Table, Chain string
	// Reads are the bits that rules compare, Writes those that they may change.
	Reads, Writes uint32
}

// allBits is a whole mark.
const allBits = 0xffffffff

// rules looks at each rule of all tables, in the kernel's order: which chains have rules about
// connection marks, and which leave packets untracked.
func (f *Found) rules() error {
	return dump(unix.NFT_MSG_GETRULE, func(family string, data []byte) {
		chain := Chain{Family: family, Table: text(data, unix.NFTA_RULE_TABLE), Name: text(data, unix.NFTA_RULE_CHAIN)}
		expressions := attribute(data, unix.NFTA_RULE_EXPRESSIONS)
		if untracks(expressions) && !slices.Contains(f.Untracking, chain) {
			f.Untracking = append(f.Untracking, chain)
		}
		f.use(chain, expressions)
	})
}

// use adds what a rule does with connection marks to what its chain does.
func (f *Found) use(chain Chain, expressions []byte) {
	u := MarkUse{Family: chain.Family, Table: chain.Table, Chain: chain.Name}
	u.Reads, u.Writes = ruleMarks(expressions)
	if u.Reads|u.Writes == 0 {
		return
	}
	i := slices.IndexFunc(f.MarkUses, func(o MarkUse) bool {
		return o.Family == u.Family && o.Table == u.Table && o.Chain == u.Chain
	})
	if i < 0 {
		f.MarkUses = append(f.MarkUses, u)
		return
	}
	f.MarkUses[i].Reads |= u.Reads
	f.MarkUses[i].Writes |= u.Writes
}

// untracks says that a rule leaves packets untracked: by the expression of nftables, or
// by the target CT of xtables with its flag (XT_CT_NOTRACK, linux/netfilter/xt_CT.h), or
// the older NOTRACK.
func untracks(list []byte) bool {
	const flag = 1
	for elem, rest, ok := nfnl.NextAttr(list); ok; elem, rest, ok = nfnl.NextAttr(rest) {
		name, data := text(elem.Data, unix.NFTA_EXPR_NAME), attribute(elem.Data, unix.NFTA_EXPR_DATA)
		if name == "notrack" {
			return true
		}
		if name != "target" {
			continue
		}
		info := attribute(data, unix.NFTA_TARGET_INFO)
		switch text(data, unix.NFTA_TARGET_NAME) {
		case "NOTRACK":
			return true
		case "CT":
			return len(info) >= 2 && binary.NativeEndian.Uint16(info)&flag != 0
		}
	}
	return false
}

// ruleMarks follows a rule's expressions: what is loaded of the mark, the mask
// on it, and what is done with that.
func ruleMarks(list []byte) (reads, writes uint32) {
	var loaded bool
	mask, xor := uint32(allBits), uint32(0)
	for elem, rest, ok := nfnl.NextAttr(list); ok; elem, rest, ok = nfnl.NextAttr(rest) {
		name, data := text(elem.Data, unix.NFTA_EXPR_NAME), attribute(elem.Data, unix.NFTA_EXPR_DATA)
		switch {
		case name == "ct" && number(data, unix.NFTA_CT_KEY) == unix.NFT_CT_MARK && attribute(data, unix.NFTA_CT_SREG) != nil:
			if writes |= allBits; loaded {
				writes = writes&^allBits | (^mask | xor) // ct mark set ct mark & mask ^ xor
			}
			loaded = false
		case name == "ct":
			loaded, mask, xor = number(data, unix.NFTA_CT_KEY) == unix.NFT_CT_MARK, allBits, 0
		case name == "bitwise" && loaded:
			mask, xor = word(data, unix.NFTA_BITWISE_MASK), word(data, unix.NFTA_BITWISE_XOR)
		case (name == "cmp" || name == "lookup" || name == "range") && loaded:
			reads, loaded = reads|mask, false
		case name == "match" || name == "target":
			r, w := extension(text(data, 1), number(data, 2), attribute(data, 3))
			reads, writes = reads|r, writes|w
		}
	}
	return reads, writes
}

// extension reads those of xtables that are about the connection mark
// (linux/netfilter/xt_connmark.h): the match has mark and mask, the target mark,
// mask of the connection's, mask of the packet's, and what it does.
func extension(name string, revision uint32, info []byte) (reads, writes uint32) {
	at := func(i int) uint32 { return binary.NativeEndian.Uint32(info[4*i:]) }
	const restore = 2 // XT_CONNMARK_RESTORE
	switch {
	case name == "connmark" && revision == 1 && len(info) >= 9:
		return at(1), 0
	case name == "CONNMARK" && len(info) >= 16:
		mode := info[12]
		if revision >= 2 {
			mode = info[14] // behind the direction and the bits of a shift
		}
		if mode == restore {
			return at(1), 0
		}
		return 0, at(1)
	}
	return 0, 0
}

// attribute is the data of the first attribute of a type; nil without one.
func attribute(data []byte, typ uint16) []byte {
	for a, rest, ok := nfnl.NextAttr(data); ok; a, rest, ok = nfnl.NextAttr(rest) {
		if a.Type == typ {
			return a.Data
		}
	}
	return nil
}

// word is a number in the host's order, wrapped as a value of a register; all
// bits where there is none.
func word(data []byte, typ uint16) uint32 {
	v := attribute(attribute(data, typ), unix.NFTA_DATA_VALUE)
	if len(v) != 4 {
		return allBits
	}
	return binary.NativeEndian.Uint32(v)
}
