package probe

import (
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/kernel/capture"
	"github.com/netpol/netpol/enforcer/kernel/nft"
)

// probeTable is the table of every probe; it never comes to be.
const probeTable = "np_probe"

// All runs every probe that an apply depends on, in a fixed order.
func All() []Result {
	return []Result{
		{"nftables inet tables", HaveInet()},
		{"conntrack labels", HaveCTLabels()},
		{"conntrack packet counts", HaveCTPackets()},
		{"NFLOG", HaveNFLog()},
		{"DSCP rewriting", HaveDSCP()},
		{"reject", HaveReject()},
	}
}

// HaveInet reports whether tables for both families exist.
func HaveInet() error {
	return try("nftables inet tables", "3.14", "nf_tables", artifact.Rule{Do: do(artifact.DoReturn)})
}

// HaveCTLabels reports whether rules can set and test conntrack labels
// (CONFIG_NF_CONNTRACK_LABELS, CONFIG_NFT_CT).
func HaveCTLabels() error {
	return try("conntrack labels", "4.10", "nft_ct", artifact.Rule{
		Match: []artifact.Match{{Kind: artifact.MatchCTLabel, Bit: 127}},
		Do:    []artifact.Statement{{Kind: artifact.DoSetCTLabel, Bit: 127}},
	})
}

// HaveCTPackets reports whether rules can count a connection's packets.
func HaveCTPackets() error {
	return try("conntrack packet counts", "4.5", "nft_ct", artifact.Rule{
		Match: []artifact.Match{{Kind: artifact.MatchCTPackets, Limit: 1}}, Do: do(artifact.DoReturn),
	})
}

// HaveNFLog reports whether rules can log to a group.
func HaveNFLog() error {
	return try("NFLOG", "3.17", "nft_log and nfnetlink_log", artifact.Rule{
		Do: []artifact.Statement{{Kind: artifact.DoLog, Name: "o", Group: 1, Snaplen: 64}},
	})
}

// HaveDSCP reports whether rules can rewrite headers.
func HaveDSCP() error {
	return try("DSCP rewriting", "4.5", "nf_tables", artifact.Rule{
		Match: []artifact.Match{{Kind: artifact.MatchFamily, Value: 4}},
		Do:    []artifact.Statement{{Kind: artifact.DoSetDSCP4, Value: 1}},
	})
}

// HaveReject reports whether rules can reject with a reset and with ICMP.
func HaveReject() error {
	return errors.Join(
		try("reject", "3.18", "nft_reject_inet", artifact.Rule{Do: do(artifact.DoRejectAdmin)}),
		try("reject with tcp reset", "3.18", "nft_reject_inet", artifact.Rule{
			Match: []artifact.Match{{Kind: artifact.MatchL4Proto, Value: unix.IPPROTO_TCP}}, Do: do(artifact.DoRejectTCPReset),
		}))
}

// HaveFlowtable reports whether connections can be offloaded to a flowtable, which
// only policies with offload = true need.
func HaveFlowtable() error {
	const feature = "flow offload"
	err := nft.Check(&artifact.Ruleset{
		Family: "inet", Table: probeTable,
		Flowtables: []artifact.Flowtable{{Name: "np_probe", Devices: []string{"lo"}}},
	})
	if err == nil || !lacking(err) {
		return err
	}
	return &UnsupportedError{
		Feature: feature, Since: "4.16", Err: err,
		Module: "nf_flow_table_inet, nft_flow_offload (CONFIG_NF_FLOW_TABLE, CONFIG_NF_FLOW_TABLE_INET, CONFIG_NFT_FLOW_OFFLOAD)",
	}
}

// HavePersist reports whether a table can outlive the process that owns it, which
// only table_owner = true needs.
func HavePersist() error {
	err := nft.Check(&artifact.Ruleset{Family: "inet", Table: probeTable, Persist: true})
	if err == nil || !lacking(err) {
		return err
	}
	return &UnsupportedError{Feature: "a table that outlives its owner", Since: "6.9", Module: "nf_tables", Err: err}
}

// HaveQueue finds out how rules hold packets, which only policies with hold = true
// need, and whether there is somebody to hold them for.
func HaveQueue() (nft.QueueForm, error) {
	form, err := nft.Queue()
	module := "nft_queue (CONFIG_NFT_QUEUE), or nft_compat and xt_NFQUEUE (CONFIG_NFT_COMPAT, CONFIG_NETFILTER_XT_TARGET_NFQUEUE)"
	if err == nil {
		module = "nfnetlink_queue (CONFIG_NETFILTER_NETLINK_QUEUE)"
		err = capture.CanQueue()
	}
	if err == nil || !lacking(err) {
		return form, err
	}
	return "", &UnsupportedError{Feature: "holding packets", Since: "3.14", Module: module, Err: err}
}

func do(kind artifact.StatementKind) []artifact.Statement {
	return []artifact.Statement{{Kind: kind}}
}

// try has the kernel check a table with one rule.
func try(feature, since, module string, r artifact.Rule) error {
	r.ID = "probe"
	err := nft.Check(&artifact.Ruleset{Family: "inet", Table: probeTable, Chains: []artifact.Chain{{
		Name: "np_probe", Hook: "output", Type: "filter", Rules: []artifact.Rule{r},
	}}})
	if err == nil {
		return nil
	}
	if lacking(err) {
		return &UnsupportedError{Feature: feature, Since: since, Module: module, Err: err}
	}
	return fmt.Errorf("probe %s: %w", feature, err)
}

// lacking says that an error is the kernel's word for what it does not have.
func lacking(err error) bool {
	lacks := []error{unix.ENOENT, unix.EOPNOTSUPP, unix.EPROTONOSUPPORT, unix.EAFNOSUPPORT, unix.EINVAL}
	return slices.ContainsFunc(lacks, func(e error) bool { return errors.Is(err, e) })
}
