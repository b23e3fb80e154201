package doctor

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/netpol/netpol/enforcer/kernel/nft"
	"github.com/netpol/netpol/enforcer/kernel/probe"
)

// features are the kernel's answers to probes.
func features(m Machine) []Finding {
	var list []Finding
	for _, r := range m.Features {
		f := Finding{Check: "kernel: " + r.Feature, Status: OK, Detail: "the kernel takes it"}
		var unsupported *probe.UnsupportedError
		switch {
		case errors.As(r.Err, &unsupported):
			f.Status, f.Detail = Fail, r.Err.Error()
			f.Fix = fmt.Sprintf("install a kernel from Linux %s on with it, or load the module: modprobe %s", unsupported.Since, unsupported.Module)
		case r.Err != nil:
			f.Status, f.Detail = Fail, "could not be found out: "+r.Err.Error()
			f.Fix = "run netpol doctor as root"
		}
		list = append(list, f)
	}
	return list
}

// flowtables are for policies with offload = true, and nobody else.
func flowtables(m Machine) []Finding {
	const check = "kernel: flow offload"
	needed := m.Bundle != nil && len(m.Bundle.Ruleset.Flowtables) > 0
	switch {
	case m.Flowtable == nil:
		return good(check, "the kernel takes it")
	case !needed && errors.Is(m.Flowtable, probe.ErrNotSupported):
		return good(check, "not there, and not needed: a policy with offload = true could not be applied (CONFIG_NF_FLOW_TABLE, CONFIG_NF_FLOW_TABLE_INET, CONFIG_NFT_FLOW_OFFLOAD)")
	case !needed:
		return []Finding{{check, Warn, "could not be found out: " + m.Flowtable.Error(), "run netpol doctor as root"}}
	}
	return []Finding{{check, Fail, m.Flowtable.Error(), "modprobe nf_flow_table_inet nft_flow_offload, or take offload = true out of the policies"}}
}

// queues are for policies with hold = true, and nobody else.
func queues(m Machine) []Finding {
	const check = "kernel: holding packets"
	needed := m.Bundle != nil && m.Bundle.Settings.HoldPackets > 0
	switch {
	case m.QueueErr == nil && m.Queue == nft.QueueTarget:
		return good(check, "the kernel takes it by the target NFQUEUE of iptables (nft_compat), for want of nft_queue; nft lists such rules with a warning and does not load its own listing of them again")
	case m.QueueErr == nil:
		return good(check, "the kernel takes it by %s", m.Queue)
	case !needed && errors.Is(m.QueueErr, probe.ErrNotSupported):
		return good(check, "not there, and not needed: a policy with hold = true could not be applied (CONFIG_NFT_QUEUE and CONFIG_NETFILTER_NETLINK_QUEUE)")
	case !needed:
		return []Finding{{check, Warn, "could not be found out: " + m.QueueErr.Error(), "run netpol doctor as root"}}
	}
	return []Finding{{check, Fail, m.QueueErr.Error(), "modprobe nfnetlink_queue nft_queue (OpenWrt: install kmod-nft-queue), or take hold = true out of the policies"}}
}

// capNetAdmin is CAP_NET_ADMIN (linux/capability.h).
const capNetAdmin = 12

func capabilities(m Machine) []Finding {
	const check = "capabilities"
	for line := range strings.Lines(m.read("/proc/self/status")) {
		value, ok := strings.CutPrefix(line, "CapEff:")
		if !ok {
			continue
		}
		set, err := strconv.ParseUint(strings.TrimSpace(value), 16, 64)
		if err == nil && set&(1<<capNetAdmin) != 0 {
			return good(check, "CAP_NET_ADMIN is there")
		}
		return []Finding{{check, Fail, "CAP_NET_ADMIN is missing", "run netpol as root; give a container --cap-add NET_ADMIN"}}
	}
	return []Finding{{check, Warn, "/proc/self/status cannot be read", "mount /proc"}}
}

// setting is a sysctl that netpol depends on.
type setting struct {
	path, want string
	status     Status
	why        string
}

// settings are sysctls.
func settings(m Machine) []Finding {
	var list []Finding
	for _, s := range []setting{
		{"net/netfilter/nf_conntrack_acct", "1", Fail, "without it no connection has packet and byte counts: netpold is shown every packet, and policies on bytes, packets and rates never hold"},
		{"net/ipv4/ip_forward", "1", Warn, "this machine forwards no IPv4 packets: policies meet only its own connections"},
		{"net/ipv6/conf/all/forwarding", "1", Warn, "this machine forwards no IPv6 packets"},
	} {
		name := strings.ReplaceAll(s.path, "/", ".")
		got := strings.TrimSpace(m.read("/proc/sys/" + s.path))
		f := Finding{Check: "sysctl " + name, Status: OK, Detail: "is " + s.want}
		switch {
		case got == "":
			f.Status, f.Detail, f.Fix = Warn, "cannot be read", "load the module that has it (nf_conntrack), or leave it if the family is not used"
		case got != s.want:
			f.Status, f.Detail = s.status, fmt.Sprintf("is %s: %s", got, s.why)
			f.Fix = fmt.Sprintf("sysctl -w %s=%s, and the same line in /etc/sysctl.d/60-netpol.conf", name, s.want)
		}
		list = append(list, f)
	}
	return list
}

// fullShare is from which share on the conntrack table counts as full.
const fullShare = 80 // per cent

func conntrackRoom(m Machine) []Finding {
	const check = "conntrack table"
	count, err1 := strconv.Atoi(strings.TrimSpace(m.read("/proc/sys/net/netfilter/nf_conntrack_count")))
	most, err2 := strconv.Atoi(strings.TrimSpace(m.read("/proc/sys/net/netfilter/nf_conntrack_max")))
	if err1 != nil || err2 != nil || most == 0 {
		return []Finding{{check, Warn, "its size cannot be read", "load the module nf_conntrack"}}
	}
	so := fmt.Sprintf("%d of %d connections", count, most)
	if s := m.Conntrack; s.EarlyDrop+s.Drop > 0 {
		so += fmt.Sprintf("; since the start %d were thrown out early and %d packets lost because it was full", s.EarlyDrop, s.Drop)
	}
	if count*100 >= most*fullShare {
		return []Finding{{
			check, Warn, so + ": new ones are refused when it is full",
			fmt.Sprintf("sysctl -w net.netfilter.nf_conntrack_max=%d", most*2),
		}}
	}
	return good(check, "%s", so)
}

// offloads take packets past nftables.
func offloads(m Machine) []Finding {
	const check = "offload"
	if m.FoundErr != nil {
		return []Finding{{check, Warn, "could not be found out: " + m.FoundErr.Error(), "run netpol doctor as root"}}
	}
	var list []Finding
	for _, f := range m.Found.Flowtables {
		if f.Family == "inet" && f.Table == "netpol" {
			continue // the policies say so, and lint says what it means
		}
		how := "in software"
		if f.Hardware {
			how = "by hardware"
		}
		list = append(list, Finding{
			check, Warn,
			fmt.Sprintf("connections in flowtable %s of table %s %s pass %s without nftables: code points, verdicts, rates and quotas do not reach their packets", f.Name, f.Family, f.Table, how),
			"take the connections that policies are about out of its \"flow add\" rule, or remove the flowtable (OpenWrt: option flow_offloading '0' in /etc/config/firewall)",
		})
	}
	for _, name := range []string{"shortcut_fe", "fast_classifier", "qca_nss_ecm", "mtkhnat", "xt_FLOWOFFLOAD", "ctf"} {
		if slices.Contains(m.modules(), name) {
			list = append(list, Finding{check, Warn, "the module " + name + " takes connections past nftables", "unload it: rmmod " + name})
		}
	}
	if len(list) == 0 {
		return good(check, "nothing takes packets past nftables")
	}
	return list
}

// legacyTables are rules of iptables-legacy, which nft does not show.
func legacyTables(m Machine) []Finding {
	const check = "iptables-legacy"
	tables := strings.Fields(m.read("/proc/net/ip_tables_names") + " " + m.read("/proc/net/ip6_tables_names"))
	if len(tables) == 0 {
		return good(check, "not in use")
	}
	slices.Sort(tables)
	return []Finding{{
		check, Warn, "tables " + strings.Join(slices.Compact(tables), ", ") + " are loaded: their rules stand beside nftables and nft does not list them",
		"nothing, if you know them (iptables-legacy-save lists them); otherwise move them with iptables-legacy-save | iptables-nft-restore",
	}}
}
