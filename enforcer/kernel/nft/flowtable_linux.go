package nft

import (
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/google/nftables"
	"golang.org/x/sys/unix"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/kernel/internal/nfnl"
)

// Flags of a flowtable (enum nft_flowtable_flags, linux/netfilter/nf_tables.h).
const (
	flowtableHardware = 1
	flowtableCounter  = 2
)

func (b *batch) flowtable(family uint8, table string, f artifact.Flowtable) error {
	if !safeName.MatchString(f.Name) {
		return fmt.Errorf("bad name")
	}
	for _, d := range f.Devices {
		if len(d) >= unix.IFNAMSIZ || !safeName.MatchString(d) {
			return fmt.Errorf("bad interface name %q", d)
		}
	}
	flags := uint32(flowtableCounter)
	if f.Hardware {
		flags |= flowtableHardware
	}
	b.hint(func() string { return withoutOffload(f) })
	b.add("add flowtable "+f.Name, unix.NFT_MSG_NEWFLOWTABLE, nfnl.FlagCreate, family, func(buf []byte) []byte {
		buf = nfnl.String(buf, nftables.NFTA_FLOWTABLE_TABLE, table)
		buf = nfnl.String(buf, nftables.NFTA_FLOWTABLE_NAME, f.Name)
		buf, hook := nfnl.Nest(buf, nftables.NFTA_FLOWTABLE_HOOK)
		buf = nfnl.Uint32(buf, nftables.NFTA_FLOWTABLE_HOOK_NUM, unix.NF_NETDEV_INGRESS)
		buf = nfnl.Uint32(buf, nftables.NFTA_FLOWTABLE_PRIORITY, 0)
		buf, devices := nfnl.Nest(buf, nftables.NFTA_FLOWTABLE_DEVS)
		for _, d := range f.Devices {
			buf = nfnl.String(buf, nftables.NFTA_DEVICE_NAME, d)
		}
		buf = nfnl.Unnest(nfnl.Unnest(buf, devices), hook)
		return nfnl.Uint32(buf, nftables.NFTA_FLOWTABLE_FLAGS, flags)
	})
	return nil
}

// withoutOffload says why the kernel refused a flowtable: it gives one error for
// an interface that is not there and for a module that is not.
func withoutOffload(f artifact.Flowtable) string {
	for _, d := range f.Devices {
		if _, err := net.InterfaceByName(d); err != nil {
			return fmt.Sprintf("the interface %q of offload_devices is not there", d)
		}
	}
	why := "this kernel cannot offload connections: it needs CONFIG_NF_FLOW_TABLE, CONFIG_NF_FLOW_TABLE_INET and CONFIG_NFT_FLOW_OFFLOAD (modprobe nf_flow_table_inet nft_flow_offload). Take offload = true out of the policies, or use a kernel that has them"
	if f.Hardware {
		why += "; offload_hardware = true needs interfaces that can do it as well"
	}
	return why
}

// flowtables reads the flowtables that are of a kind we make, by name; odd are
// the others.
func (r *reader) flowtables(ours func([]byte) []byte) (list []artifact.Flowtable, odd []string, err error) {
	err = r.dump(unix.NFT_MSG_GETFLOWTABLE, ours, func(a attrs) {
		if a.text(nftables.NFTA_FLOWTABLE_TABLE) != r.table {
			return
		}
		if f, ok := decodeFlowtable(a); ok {
			list = append(list, f)
			return
		}
		odd = append(odd, fmt.Sprintf("flowtable %q", a.text(nftables.NFTA_FLOWTABLE_NAME)))
	})
	slices.SortFunc(list, func(a, b artifact.Flowtable) int { return strings.Compare(a.Name, b.Name) })
	slices.Sort(odd)
	return list, odd, err
}

// decodeFlowtable reads what flowtable writes; false for any other.
func decodeFlowtable(a attrs) (artifact.Flowtable, bool) {
	f := artifact.Flowtable{Name: a.text(nftables.NFTA_FLOWTABLE_NAME)}
	flags := a.u32(nftables.NFTA_FLOWTABLE_FLAGS)
	hook := splitAttrs(a.by[nftables.NFTA_FLOWTABLE_HOOK])
	f.Hardware = flags&flowtableHardware != 0
	for d, rest, ok := nfnl.NextAttr(hook.by[nftables.NFTA_FLOWTABLE_DEVS]); ok; d, rest, ok = nfnl.NextAttr(rest) {
		f.Devices = append(f.Devices, d.String())
	}
	slices.Sort(f.Devices)
	known := flags&^flowtableHardware == flowtableCounter && safeName.MatchString(f.Name) &&
		hook.u32(nftables.NFTA_FLOWTABLE_HOOK_NUM) == unix.NF_NETDEV_INGRESS && hook.u32(nftables.NFTA_FLOWTABLE_PRIORITY) == 0
	return f, known
}
