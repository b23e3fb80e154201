package survey

import (
	"errors"
	"fmt"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/netpol/netpol/enforcer/kernel/internal/nfnl"
)

// Found is what is there in the network namespace of the calling thread.
type Found struct {
	Chains     []Chain
	Flowtables []Flowtable
	Marks      []MarkRule
	MarkUses   []MarkUse // of all tables, netpol's own among them
	Untracking []Chain   // with rules that leave packets untracked, likewise
}

// Chain is an nftables chain of any table.
type Chain struct {
	Family string // ip, ip6, inet, arp, bridge, netdev
	Table  string
	Name   string
}

// Flowtable takes connections past nftables.
type Flowtable struct {
	Family, Table, Name string
	Hardware            bool
}

// MarkRule is a routing rule ("ip rule") that asks for a packet's mark.
type MarkRule struct {
	Family     string // ip, ip6
	Priority   int
	Mark, Mask uint32
	Table      int
}

// Look reads it all. Parts that this kernel does not have are empty.
func Look() (Found, error) {
	var f Found
	err := dump(unix.NFT_MSG_GETCHAIN, func(family string, data []byte) {
		f.Chains = append(f.Chains, Chain{family, text(data, unix.NFTA_CHAIN_TABLE), text(data, unix.NFTA_CHAIN_NAME)})
	})
	if err != nil {
		return f, fmt.Errorf("list nftables chains: %w", err)
	}
	err = dump(unix.NFT_MSG_GETFLOWTABLE, func(family string, data []byte) {
		f.Flowtables = append(f.Flowtables, Flowtable{
			family, text(data, flowtableTable), text(data, flowtableName),
			number(data, flowtableFlags)&hardwareOffload != 0,
		})
	})
	if err != nil {
		return f, fmt.Errorf("list flowtables: %w", err)
	}
	if err = f.rules(); err != nil {
		return f, fmt.Errorf("list nftables rules: %w", err)
	}
	f.Marks, err = marks()
	return f, err
}

// NFTA_FLOWTABLE_TABLE, NFTA_FLOWTABLE_NAME, NFTA_FLOWTABLE_FLAGS and
// NFT_FLOWTABLE_HW_OFFLOAD (linux/netfilter/nf_tables.h).
const (
	flowtableTable  = 1
	flowtableName   = 2
	flowtableFlags  = 7
	hardwareOffload = 1
)

// families are the nftables families by number.
func families() map[uint8]string {
	return map[uint8]string{
		unix.NFPROTO_INET: "inet", unix.NFPROTO_IPV4: "ip", unix.NFPROTO_IPV6: "ip6",
		unix.NFPROTO_ARP: "arp", unix.NFPROTO_BRIDGE: "bridge", unix.NFPROTO_NETDEV: "netdev",
	}
}

// answerTimeout only bounds a broken kernel, which answers within the system call.
const answerTimeout = 5 * time.Second

// dump asks for all objects of a kind, of all families.
func dump(msg uint16, each func(family string, data []byte)) error {
	s, err := nfnl.Open(nfnl.Options{ReadBuffer: 4 << 20})
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	req, start := nfnl.Begin(nil, unix.NFNL_SUBSYS_NFTABLES<<8|msg, nfnl.FlagRequest|nfnl.FlagDump, 1, unix.NFPROTO_UNSPEC, 0)
	if err := s.Send(nfnl.End(req, start)); err != nil {
		return err
	}
	names, buf := families(), make([]byte, 1<<16)
	for {
		n, err := s.Receive(buf, answerTimeout)
		if err != nil {
			return err
		}
		for m, rest, ok := nfnl.Next(buf[:n]); ok; m, rest, ok = nfnl.Next(rest) {
			errno, failed := m.Errno()
			switch {
			case failed && absent(unix.Errno(errno)), m.IsDone():
				return nil
			case failed:
				return unix.Errno(errno)
			}
			each(names[m.Family], m.Data)
		}
	}
}

// absent says that this kernel has nothing of the kind.
func absent(err error) bool {
	return errors.Is(err, unix.EINVAL) || errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.ENOENT) || errors.Is(err, unix.EAFNOSUPPORT)
}

func text(data []byte, typ uint16) string {
	for a, rest, ok := nfnl.NextAttr(data); ok; a, rest, ok = nfnl.NextAttr(rest) {
		if a.Type == typ {
			return a.String()
		}
	}
	return ""
}

func number(data []byte, typ uint16) uint32 {
	for a, rest, ok := nfnl.NextAttr(data); ok; a, rest, ok = nfnl.NextAttr(rest) {
		if a.Type == typ {
			return a.Uint32()
		}
	}
	return 0
}

// marks lists the routing rules that ask for marks.
func marks() ([]MarkRule, error) {
	var list []MarkRule
	for name, family := range map[string]int{"ip": netlink.FAMILY_V4, "ip6": netlink.FAMILY_V6} {
		rules, err := netlink.RuleList(family)
		if err != nil {
			if absent(err) {
				continue
			}
			return nil, fmt.Errorf("list routing rules: %w", err)
		}
		for _, r := range rules {
			if r.Mark == 0 && r.Mask == nil {
				continue
			}
			mask := uint32(0xffffffff) // what the kernel takes where there is none
			if r.Mask != nil {
				mask = *r.Mask
			}
			list = append(list, MarkRule{Family: name, Priority: r.Priority, Mark: r.Mark, Mask: mask, Table: r.Table})
		}
	}
	return list, nil
}
