package doctor

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/kernel/ct"
	"github.com/netpol/netpol/enforcer/kernel/nft"
	"github.com/netpol/netpol/enforcer/kernel/probe"
	"github.com/netpol/netpol/enforcer/kernel/survey"
)

// well are the files of a machine on which all is well.
func well() map[string]string {
	return map[string]string{
		"proc/self/status":                          "Name:\tnetpol\nCapEff:\t0000000000001000\n",
		"proc/sys/net/netfilter/nf_conntrack_acct":  "1\n",
		"proc/sys/net/ipv4/ip_forward":              "1\n",
		"proc/sys/net/ipv6/conf/all/forwarding":     "1\n",
		"proc/sys/net/netfilter/nf_conntrack_count": "79\n",
		"proc/sys/net/netfilter/nf_conntrack_max":   "100\n",
		"proc/1/comm":                "init\n",
		"proc/modules":               "nf_tables 1 0 - Live 0\n",
		"etc/connlabel.conf":         "# BEGIN netpol\n1 zoom\n# END netpol\n",
		"etc/xtables/connlabel.conf": "# BEGIN netpol\n1 zoom\n# END netpol\n",
		"var/lib/netpol/bundle.npb":  "",
		"sys/class/net/eth1/ifindex": "2\n",
	}
}

func machine(t *testing.T, files map[string]string) Machine {
	t.Helper()
	m := Machine{Root: t.TempDir(), EtcDir: "/etc", StateDir: "/var/lib/netpol", Features: []probe.Result{{Feature: "NFLOG"}}, Bundle: &artifact.Bundle{
		Labels:   []artifact.Label{{Name: "zoom", Bit: 1}},
		Settings: artifact.Settings{DoneMark: 1 << 31, LogGroup: 4788, Timezone: "Europe/Berlin"},
		Policies: []artifact.Policy{{Mark: &artifact.Mark{Value: 0x100, Mask: 0xf00}}},
		Routes:   []artifact.Route{{Table: 100, Mark: 0x01000000, Mask: 0x7f000000}},
		Inputs:   []artifact.Input{{Name: "tap", Interface: "eth1"}},
	}}
	for name, text := range files {
		path := filepath.Join(m.Root, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

func TestExamine(t *testing.T) {
	file := func(name, text string) func(map[string]string, *Machine) {
		return func(f map[string]string, _ *Machine) { f[name] = text }
	}
	live := func(do func(*Machine)) func(map[string]string, *Machine) {
		return func(_ map[string]string, m *Machine) {
			if m != nil {
				do(m)
			}
		}
	}
	cases := []struct {
		name   string
		change func(map[string]string, *Machine) // called before and after the machine is made
		status Status
		want   string // in one finding's detail or fix; empty: all is well
	}{
		{"all is well", file("proc/2/comm", "sshd\n"), OK, ""},
		{"own routing rule", live(func(m *Machine) { m.Found.Marks = []survey.MarkRule{{Mark: 0x01000000, Mask: 0x7f000000}} }), OK, ""},
		{"rule of others' bits", live(func(m *Machine) { m.Found.Marks = []survey.MarkRule{{Mark: 0x40000, Mask: 0xff0000}} }), OK, ""},
		{"another's chains", live(func(m *Machine) { m.Found.Chains = []survey.Chain{{Family: "ip", Table: "nat", Name: "KUBE-SERVICES"}} }), OK, ""},
		{"no accounting", file("proc/sys/net/netfilter/nf_conntrack_acct", "0\n"), Fail, "sysctl -w net.netfilter.nf_conntrack_acct=1"},
		{"no router", file("proc/sys/net/ipv4/ip_forward", "0\n"), Warn, "forwards no IPv4"},
		{"no capability", file("proc/self/status", "CapEff:\t0000000000000fff\n"), Fail, "--cap-add NET_ADMIN"},
		{"conntrack full", file("proc/sys/net/netfilter/nf_conntrack_count", "80\n"), Warn, "nf_conntrack_max=200"},
		{"conntrack was full", func(f map[string]string, m *Machine) {
			f["proc/sys/net/netfilter/nf_conntrack_count"] = "80\n"
			if m != nil {
				m.Conntrack = ct.TableStats{EarlyDrop: 7, Drop: 5}
			}
		}, Warn, "since the start 7 were thrown out early and 5 packets lost"},
		{"flowtable", live(func(m *Machine) {
			m.Found.Flowtables = []survey.Flowtable{{Family: "inet", Table: "fw4", Name: "ft", Hardware: true}}
		}), Warn, "flowtable ft of table inet fw4 pass by hardware"},
		{"another's untracked packets", live(func(m *Machine) {
			m.Found.Untracking = []survey.Chain{{Family: "inet", Table: "netpol", Name: "np_untracked"}, {Family: "ip", Table: "raw", Name: "PREROUTING"}}
		}), Warn, "rules of chain PREROUTING in table ip raw leave packets untracked"},
		{"own untracked packets", live(func(m *Machine) {
			m.Found.Untracking = []survey.Chain{{Family: "inet", Table: "netpol", Name: "np_untracked"}}
		}), OK, ""},
		{"module of an offload", file("proc/modules", "shortcut_fe 1 0 - Live 0\n"), Warn, "rmmod shortcut_fe"},
		{"other inspection", file("proc/9/comm", "netifyd\n"), Warn, "netifyd runs"},
		{"log group taken", file("proc/net/netfilter/nfnetlink_log", " 4788  1234     0 2 65535 100 1\n"), Fail, "log_group"},
		{"label clash", file("etc/connlabel.conf", "1 theirs\n"), Fail, `names bit 1 "theirs"`},
		{"label block gone", file("etc/connlabel.conf", "7 theirs\n"), Warn, "lacks netpol's labels"},
		{"mwan3 on the same bits", file("etc/config/mwan3", ""), Warn, "mwan3 keeps something of its own in bits 0xf00"},
		{"rule on the same bits", live(func(m *Machine) {
			m.Found.Marks = []survey.MarkRule{{Family: "ip", Priority: 5, Mark: 0x100, Mask: 0x100}}
		}), Warn, "routing rule 5"},
		{"rule on the whole word", live(func(m *Machine) {
			m.Found.Marks = []survey.MarkRule{{Family: "ip", Priority: 5, Mark: 0xca6c, Mask: 0xffffffff}}
		}), Warn, "routing rule 5"},
		{"kernel feature", live(func(m *Machine) {
			m.Features[0].Err = &probe.UnsupportedError{Feature: "NFLOG", Since: "3.17", Module: "nft_log", Err: errors.New("no such file")}
		}), Fail, "modprobe nft_log"},
		{"kernel not asked", live(func(m *Machine) { m.Features[0].Err = os.ErrPermission }), Fail, "as root"},
		{"unknown zone", live(func(m *Machine) { m.Bundle.Settings.Timezone = "Mars/Olympus" }), Fail, "Mars/Olympus"},
		{"interrupted", file("var/lib/netpol/journal.json", "{}"), Warn, "interrupted"},
		{"input without an interface", live(func(m *Machine) { m.Bundle.Inputs = []artifact.Input{{Name: "mirror", Interface: "eth9"}} }), Warn, "no interface eth9"},
		{"input that is down", file("sys/class/net/eth1/flags", "0x1002\n"), Warn, "eth1 is down"},
		{"input of a routed interface", func(f map[string]string, m *Machine) {
			f["proc/net/route"] = "Iface\tDestination\neth1\t004DA8C0\n"
			if m != nil {
				m.Bundle.Ruleset.Chains = []artifact.Chain{{Name: "np_capture_pre"}}
			}
		}, Warn, "this machine has addresses on eth1"},
		{"input of a bridge's port", func(f map[string]string, m *Machine) {
			f["proc/net/if_inet6"] = "fd770000000000000000000000000001 02 40 00 80 br0\n"
			f["sys/class/net/eth1/upper_br0/ifindex"], f["sys/class/net/br0/bridge/bridge_id"] = "3\n", "8000\n"
			if m != nil {
				m.Bundle.Ruleset.Chains = []artifact.Chain{{Name: "np_capture_pre"}}
			}
		}, Warn, "this machine has addresses on br0, so the rules show"},
		{"inputs of a bridge and its port", func(f map[string]string, m *Machine) {
			f["sys/class/net/br0/ifindex"], f["sys/class/net/br0/lower_eth1/ifindex"] = "3\n", "2\n"
			if m != nil {
				m.Bundle.Inputs = append(m.Bundle.Inputs, artifact.Input{Name: "bridge", Interface: "br0"})
			}
		}, Warn, "br0 and eth1 of input tap are one above the other"},
		{"public network that is not declared", func(f map[string]string, _ *Machine) {
			f["proc/net/route"] = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n" +
				"wan0\t00000000\t0164A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n" +
				"lan0\t004DA8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"
			f["proc/net/if_inet6"] = "20010db8000100000000000000000001 02 40 00 80 lan0\nfe800000000000000000000000000001 02 40 20 80 lan0\n"
		}, Warn, "lan0 has 2001:db8:1::/64, which the policies take for outside"},
		{"legacy", file("proc/net/ip_tables_names", "filter\nnat\n"), Warn, "filter, nat"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			files := well()
			c.change(files, nil)
			m := machine(t, files)
			c.change(files, &m)
			list := Examine(m)
			if got := Worst(list); got != c.status {
				t.Errorf("worst is %s, want %s: %+v", got, c.status, list)
			}
			found := c.want == ""
			for _, f := range list {
				found = found || f.Status == c.status && strings.Contains(f.Detail+" "+f.Fix, c.want)
				if (f.Status == OK) != (f.Fix == "") {
					t.Errorf("%+v: what is wrong has a fix, what is well none", f)
				}
			}
			if !found {
				t.Errorf("nothing says %q: %+v", c.want, list)
			}
		})
	}
}

// What policies with offload need is a fault only where there are such policies.
func TestFlowtablesAreNeededOrNot(t *testing.T) {
	m := Machine{Flowtable: &probe.UnsupportedError{Feature: "flow offload", Since: "4.16", Module: "nft_flow_offload", Err: errors.New("no such file or directory")}}
	want := Finding{"kernel: flow offload", OK, "not there, and not needed: a policy with offload = true could not be applied (CONFIG_NF_FLOW_TABLE, CONFIG_NF_FLOW_TABLE_INET, CONFIG_NFT_FLOW_OFFLOAD)", ""}
	if got := flowtables(m); len(got) != 1 || got[0] != want {
		t.Errorf("got %+v", got)
	}
	m.Bundle = &artifact.Bundle{Ruleset: artifact.Ruleset{Flowtables: []artifact.Flowtable{{Name: "np_flow"}}}}
	want = Finding{
		"kernel: flow offload", Fail, "flow offload is not supported by this kernel (needs Linux 4.16 and module nft_flow_offload): no such file or directory",
		"modprobe nf_flow_table_inet nft_flow_offload, or take offload = true out of the policies",
	}
	if got := flowtables(m); len(got) != 1 || got[0] != want {
		t.Errorf("got %+v", got)
	}
}

// An nft that cannot save the table is told of where the table may be owned.
func TestTableOwnerAndOldNft(t *testing.T) {
	m := Machine{NFT: "nftables v1.0.6 (Lester Gooch #5)\n", Bundle: &artifact.Bundle{}}
	if got := tableOwner(m); got != nil {
		t.Errorf("without the option: %+v", got)
	}
	m.Bundle.Ruleset.Persist = true
	want := Finding{
		"table owner", Warn,
		`nft 1.0.6 does not know the flag persist: it lists the table as "flags " or "flags owner", and a saved "nft list ruleset" does not load again, or loads a table that goes with nft`,
		"nft 1.1, or leave the table inet netpol out of what is saved: netpol restore brings it back",
	}
	if got := tableOwner(m); len(got) != 1 || got[0] != want {
		t.Errorf("got %+v", got)
	}
	for _, version := range []string{"nftables v1.1.1 (Commodore Bullmoose #2)", "nftables v2.0", ""} {
		m.NFT = version
		if got := tableOwner(m); len(got) != 1 || got[0].Status != OK {
			t.Errorf("%q: %+v", version, got)
		}
	}
	m.Persist = errors.New("no such flag")
	if got := tableOwner(m); len(got) != 1 || got[0].Status != Fail || got[0].Detail != "no such flag" {
		t.Errorf("got %+v", got)
	}
}

// Rules of others on netpol's bits of the connection mark are named.
func TestMarkRulesClash(t *testing.T) {
	m := Machine{Bundle: &artifact.Bundle{Settings: artifact.Settings{DoneMark: 1 << 31}}}
	m.Found.MarkUses = []survey.MarkUse{
		{Family: "inet", Table: "netpol", Chain: "np_first", Writes: 1 << 31},
		{Family: "ip", Table: "mangle", Chain: "OUTPUT", Writes: 0xffffffff},
		{Family: "inet", Table: "mine", Chain: "c", Reads: 0xffffffff},
		{Family: "inet", Table: "mine", Chain: "d", Reads: 0xff, Writes: 0xff00},
	}
	const fix = "set done_mark in the netpol block to a bit that nobody uses, or give those rules a mask without them"
	want := []Finding{
		{"marks", Warn, "rules of chain OUTPUT in table ip mangle write bits 0xffffffff of the connection mark, of which netpol writes 0x80000000: each undoes the other's", fix},
		{"marks", Warn, "rules of chain c in table inet mine compare bits 0xffffffff of the connection mark, of which netpol writes 0x80000000: they do not find what they look for", fix},
	}
	if got := marks(m); !slices.Equal(got, want) {
		t.Errorf("got %+v", got)
	}
}

// What policies with hold need is a fault only where there are such policies, and
// the kernel's second way is told as what it is.
func TestQueuesAreNeededOrNot(t *testing.T) {
	const check = "kernel: holding packets"
	missing := &probe.UnsupportedError{Feature: "holding packets", Since: "3.14", Module: "nft_queue", Err: errors.New("no such file or directory")}
	holds := &artifact.Bundle{Settings: artifact.Settings{HoldPackets: 256}}
	for name, c := range map[string]struct {
		m    Machine
		want Finding
	}{
		"native":  {Machine{Queue: nft.QueueNative}, Finding{check, OK, "the kernel takes it by nft_queue", ""}},
		"target":  {Machine{Queue: nft.QueueTarget, Bundle: holds}, Finding{check, OK, "the kernel takes it by the target NFQUEUE of iptables (nft_compat), for want of nft_queue; nft lists such rules with a warning and does not load its own listing of them again", ""}},
		"idle":    {Machine{QueueErr: missing}, Finding{check, OK, "not there, and not needed: a policy with hold = true could not be applied (CONFIG_NFT_QUEUE and CONFIG_NETFILTER_NETLINK_QUEUE)", ""}},
		"needed":  {Machine{QueueErr: missing, Bundle: holds}, Finding{check, Fail, "holding packets is not supported by this kernel (needs Linux 3.14 and module nft_queue): no such file or directory", "modprobe nfnetlink_queue nft_queue (OpenWrt: install kmod-nft-queue), or take hold = true out of the policies"}},
		"unasked": {Machine{QueueErr: errors.New("permission denied")}, Finding{check, Warn, "could not be found out: permission denied", "run netpol doctor as root"}},
	} {
		if got := queues(c.m); len(got) != 1 || got[0] != c.want {
			t.Errorf("%s: got %+v\nwant %+v", name, got, c.want)
		}
	}
}
