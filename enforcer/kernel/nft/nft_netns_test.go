//go:build linux

package nft

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/netpol/netpol/compiler/artifact"
	emit "github.com/netpol/netpol/compiler/emit/nft"
	"github.com/netpol/netpol/compiler/ir"
	"github.com/netpol/netpol/enforcer/kernel/kerneltest"
	"github.com/netpol/netpol/lang/fact"
)

// rulesets are what the tests load: a real one, and one with every kind of
// match, plain and inverted, and every kind of statement.
func rulesets() map[string]artifact.Ruleset {
	cs5, ef := uint8(40), uint8(46)
	zoom := artifact.Label{Name: "zoom", Bit: 1}
	bulk := artifact.Label{Name: "bulk", Bit: 127}
	policy := artifact.Policy{Name: "calls", File: "main.netpol.hcl", Line: 3}
	port, _ := fact.Lookup("dst_port")
	local, _ := fact.Lookup("local_ip")
	decided := []ir.Conjunction{{
		{Test: &ir.Compare{Attr: port, Op: ir.OpRange, Ranges: []ir.Interval{{Low: 22, High: 22}, {Low: 8000, High: 8100}}}},
		{Test: &ir.Compare{Attr: local, Op: ir.OpPrefix, Prefixes: []netip.Prefix{netip.MustParsePrefix("192.168.50.0/24"), netip.MustParsePrefix("fd00::/64")}}, Not: true},
	}}
	return map[string]artifact.Ruleset{
		"decided": emit.Emit(emit.Input{
			Settings:  artifact.Settings{LogGroup: 4788, InspectPacket: 32, DoneMark: 0x80000000, Priority: 10},
			InitLabel: zoom, NoCapture: true, Labels: []artifact.Label{zoom},
			Effects: []emit.Effect{{Policy: policy, Label: zoom, Verdict: "drop"}},
			Decisions: []emit.Decision{{Policy: policy, Any: decided, Effect: artifact.Effect{
				Labels: []int{1}, Mark: &artifact.Mark{Value: 1, Mask: 3}, Verdict: artifact.Claim{Kind: artifact.ClaimOwn},
			}}},
		}),
		"emitted": emit.Emit(emit.Input{
			Settings:  artifact.Settings{LogGroup: 4788, InspectPacket: 32, DoneMark: 0x80000000, Priority: 10},
			InitLabel: artifact.Label{Name: "np-seen", Bit: 0},
			Effects: []emit.Effect{
				{Policy: policy, Label: zoom, DSCP: &cs5, Verdict: "accept"},
				{Policy: policy, Label: bulk, DSCP: &ef, Verdict: "reject"},
				{Policy: policy, Label: artifact.Label{Name: "np-drop", Bit: 64}, Verdict: "drop"},
			},
		}),
		"every kind": everyKind(),
	}
}

func everyKind() artifact.Ruleset {
	udp := artifact.Match{Kind: artifact.MatchL4Proto, Value: 17}
	chain := artifact.Chain{Name: "np_all", Hook: "prerouting", Type: "filter", Priority: -42}
	add := func(id string, do []artifact.Statement, match ...artifact.Match) {
		chain.Rules = append(chain.Rules, artifact.Rule{ID: id, Comment: "a/b.hcl:1 x (y)", Match: match, Do: do})
	}
	drop := []artifact.Statement{{Kind: artifact.DoDrop}}
	for _, not := range []bool{false, true} {
		id := map[bool]string{false: "is/", true: "not/"}[not]
		add(id+"label0", drop, artifact.Match{Kind: artifact.MatchCTLabel, Bit: 0, Not: not})
		add(id+"label127", drop, artifact.Match{Kind: artifact.MatchCTLabel, Bit: 127, Not: not})
		add(id+"labels", drop, artifact.Match{Kind: artifact.MatchCTLabel, Bits: []int{0, 9, 64, 127}, Not: not})
		add(id+"mark", drop, artifact.Match{Kind: artifact.MatchCTMark, Mask: 0xff00, Value: 0x100, Not: not})
		add(id+"id", drop, artifact.Match{Kind: artifact.MatchCTID, Mask: 7, Value: 5, Not: not})
		for _, side := range []string{"", "original", "reply"} {
			add(id+"packets"+side, drop, artifact.Match{Kind: artifact.MatchCTPackets, Name: side, Limit: 33, Not: not})
			add(id+"bytes"+side, drop, artifact.Match{Kind: artifact.MatchCTBytes, Name: side, Limit: 1 << 40, Not: not})
		}
		add(id+"dscp4", drop, artifact.Match{Kind: artifact.MatchFamily, Value: 4}, artifact.Match{Kind: artifact.MatchDSCP4, Value: 46, Not: not})
		add(id+"dscp6", drop, artifact.Match{Kind: artifact.MatchFamily, Value: 6}, artifact.Match{Kind: artifact.MatchDSCP6, Value: 0, Not: not})
		add(id+"time", drop, artifact.Match{Kind: artifact.MatchTime, Set: "np_time", Not: not})
		add(id+"alive", drop, artifact.Match{Kind: artifact.MatchAlive, Set: "np_alive", Not: not})
		for _, name := range []string{"original", "reply"} {
			add(id+name, drop, artifact.Match{Kind: artifact.MatchCTDirection, Name: name, Not: not})
		}
		for name := range stateBits() {
			add(id+name, drop, artifact.Match{Kind: artifact.MatchCTState, Name: name, Not: not})
		}
		add(id+"l4proto", drop, artifact.Match{Kind: artifact.MatchL4Proto, Value: 132, Not: not})
		add(id+"nfproto", drop, artifact.Match{Kind: artifact.MatchFamily, Value: 6, Not: not})
		add(id+"iifname", drop, artifact.Match{Kind: artifact.MatchIIFName, Name: "abcdefghijklmno", Not: not})
		add(id+"sport", drop, udp, artifact.Match{Kind: artifact.MatchSport, Value: 53, Not: not})
		add(id+"dport", drop, udp, artifact.Match{Kind: artifact.MatchDport, Value: 65535, Not: not})
		add(id+"status", drop, artifact.Match{Kind: artifact.MatchCTStatus, Name: "confirmed", Not: not})
		for kind, set := range map[artifact.MatchKind]string{
			artifact.MatchL4Proto: "np_proto", artifact.MatchIIFName: "np_dev", artifact.MatchSport: "np_port", artifact.MatchDport: "np_port",
		} {
			add(id+string(kind), drop, artifact.Match{Kind: kind, Set: set, Not: not})
		}
		for _, v := range []uint32{4, 6} {
			kinds := map[uint32][2]artifact.MatchKind{4: {artifact.MatchSaddr4, artifact.MatchDaddr4}, 6: {artifact.MatchSaddr6, artifact.MatchDaddr6}}[v]
			for _, kind := range kinds {
				add(id+string(kind), drop, artifact.Match{Kind: artifact.MatchFamily, Value: v},
					artifact.Match{Kind: kind, Set: fmt.Sprintf("np_ip%d", v), Not: not})
			}
		}
	}
	add("notrack", []artifact.Statement{{Kind: artifact.DoCounter}, {Kind: artifact.DoNoTrack}, {Kind: artifact.DoAccept}})
	chain.Rules = append(chain.Rules, rangesAndMaps()...)
	for i, do := range everyAccount() {
		match := []artifact.Match{{Kind: artifact.MatchFamily, Value: 4}}
		chain.Rules = append(chain.Rules, artifact.Rule{ID: fmt.Sprintf("account/%02d", i), Match: match, Do: []artifact.Statement{{Kind: artifact.DoCounter}, do}})
	}
	slices.SortFunc(chain.Rules, func(a, b artifact.Rule) int { return strings.Compare(a.ID, b.ID) })
	last := artifact.Chain{Name: "np_last", Hook: "output", Type: "route", Priority: 0, Rules: []artifact.Rule{
		{ID: "oifname", Match: []artifact.Match{{Kind: artifact.MatchOIFName, Name: "lo"}}, Do: []artifact.Statement{{Kind: artifact.DoCounter}, {Kind: artifact.DoAccept}}},
		{ID: "oifset", Match: []artifact.Match{{Kind: artifact.MatchOIFName, Set: "np_dev"}}, Do: []artifact.Statement{{Kind: artifact.DoGoto, Name: "np_plain"}}},
		{ID: "setmark", Do: []artifact.Statement{{Kind: artifact.DoSetCTMark, Mask: 0xff00, Value: 0x100}}},
		{ID: "clearmark", Do: []artifact.Statement{{Kind: artifact.DoSetCTMark, Mask: 0xff00}, {Kind: artifact.DoAccept}}},
		{ID: "setlabel", Do: []artifact.Statement{{Kind: artifact.DoSetCTLabel, Bit: 77}, {Kind: artifact.DoReturn}}},
	}}
	for v := uint32(0); v < 64; v += 21 {
		last.Rules = append(last.Rules,
			artifact.Rule{ID: "dscp4", Match: []artifact.Match{{Kind: artifact.MatchCTLabel, Bit: int(v)}, {Kind: artifact.MatchFamily, Value: 4}}, Do: []artifact.Statement{{Kind: artifact.DoSetDSCP4, Value: v}}},
			artifact.Rule{ID: "dscp6", Match: []artifact.Match{{Kind: artifact.MatchCTLabel, Bit: int(v)}, {Kind: artifact.MatchFamily, Value: 6}}, Do: []artifact.Statement{{Kind: artifact.DoSetDSCP6, Value: v}}})
	}
	plain := artifact.Chain{Name: "np_plain", Rules: []artifact.Rule{{ID: "end", Do: []artifact.Statement{{Kind: artifact.DoReturn}}}}}
	plain2 := plain
	plain2.Name = "np_plain2"
	return artifact.Ruleset{Family: "inet", Table: "netpol", Sets: everySet(), Objects: everyObject(), Chains: []artifact.Chain{chain, last, plain, plain2}}
}

func everyObject() []artifact.Object {
	return []artifact.Object{{Name: "np_count_a", Kind: artifact.ObjectCounter}, {Name: "np_quota_a", Kind: artifact.ObjectQuota, Bytes: 5_000_000_000}}
}

func everyAccount() []artifact.Statement {
	bytes := artifact.Limit{Rate: 1_250_000, Unit: time.Second, Burst: 65_536, Bytes: true}
	packets := artifact.Limit{Rate: 100, Unit: time.Minute, Burst: 7}
	return []artifact.Statement{
		{Kind: artifact.DoCountIn, Name: "np_count_a"},
		{Kind: artifact.DoOverQuota, Name: "np_quota_a"},
		{Kind: artifact.DoOverLimit, Limit: bytes},
		{Kind: artifact.DoOverLimit, Limit: packets},
		{Kind: artifact.DoWithinLimit, Limit: packets},
		{Kind: artifact.DoWithinLimit, Limit: artifact.Limit{Rate: 3, Unit: 7 * 24 * time.Hour, Burst: 5}},
		{Kind: artifact.DoUpdate, Name: "np_rate4_a", Key: artifact.MatchSaddr4, Limit: bytes},
		{Kind: artifact.DoUpdate, Name: "np_rate4_a", Key: artifact.MatchDaddr4, Limit: packets},
		{Kind: artifact.DoUpdate, Name: "np_quota4_a", Key: artifact.MatchSaddr4, Bytes: 123_456},
		{Kind: artifact.DoUpdate, Name: "np_quota4_a", Key: artifact.MatchDaddr4},
		{Kind: artifact.DoUpdate, Name: "np_ratef_a", Key: artifact.MatchCTID, Limit: packets},
		{Kind: artifact.DoSyslog, Name: "np a (b): "},
		{Kind: artifact.DoSetPriority, Value: 0x1_0010},
		{Kind: artifact.DoSetMark, Mask: 0x7f000000, Value: 0x01000000},
		{Kind: artifact.DoRejectICMP, Name: "port-unreachable"},
		{Kind: artifact.DoRejectICMP, Name: "no-route"},
		{Kind: artifact.DoRejectICMP, Name: "host-unreachable"},
	}
}

// everySet is a set of each type, with points, ranges and both ends of what
// the type holds.
func everySet() []artifact.Set {
	set := func(name string, typ artifact.SetType, bounds ...string) artifact.Set {
		s := artifact.Set{Name: name, Type: typ}
		for i := 0; i < len(bounds); i += 2 {
			s.Elements = append(s.Elements, artifact.Element{Low: []byte(bounds[i]), High: []byte(bounds[i+1])})
		}
		return s
	}
	name := func(s string) string { return s + strings.Repeat("\x00", 16-len(s)) }
	fill := func(c string) string { return strings.Repeat(c, 14) }
	return []artifact.Set{
		set("np_dev", artifact.SetDevice, name("abcdefghijklmno"), name("abcdefghijklmno")), // one: nft lists them unsorted
		set("np_ip4", artifact.SetAddr4, "\x00\x00\x00\x00", "\x00\x00\x00\x09", "\x0a\x00\x00\x00", "\x0a\xff\xff\xff",
			"\xc0\x00\x02\x01", "\xc0\x00\x02\x01", "\xff\x00\x00\x00", "\xff\xff\xff\xff"),
		set("np_ip6", artifact.SetAddr6, "\x20\x01"+fill("\x00"), "\x20\x01"+fill("\xff"), "\xfe\x80"+fill("\x00"), "\xfe\x80"+fill("\x11")),
		set("np_port", artifact.SetService, "\x00\x00", "\x00\x00", "\x00\x50", "\x00\x50", "\x1f\x40", "\xff\xff"),
		set("np_proto", artifact.SetProto, "\x06", "\x06", "\x84", "\x88"),
		{Name: "np_alive", Type: artifact.SetFamily, Heartbeat: 10 * time.Second},
		{Name: "np_quota4_a", Type: artifact.SetAddr4, Accounts: artifact.AccountQuota},
		{Name: "np_rate4_a", Type: artifact.SetAddr4, Accounts: artifact.AccountLimit, Lives: time.Minute},
		{Name: "np_ratef_a", Type: artifact.SetFlow, Accounts: artifact.AccountLimit, Lives: time.Minute},
		{Name: "np_time", Type: artifact.SetTime},
		everyMap(set("np_vdev", artifact.SetDevice, name("abcdefghijklmno"), name("abcdefghijklmno"))),
		everyMap(set("np_vip4", artifact.SetAddr4, "\x00\x00\x00\x00", "\x00\x00\x00\x09", "\x00\x00\x00\x0a", "\x0a\xff\xff\xff", "\xff\x00\x00\x00", "\xff\xff\xff\xff")),
		everyMap(set("np_vip6", artifact.SetAddr6, "\x20\x01"+fill("\x00"), "\x20\x01"+fill("\xff"), "\xfe\x80"+fill("\x00"), "\xff\xff"+fill("\xff"))),
		everyMap(set("np_vport", artifact.SetService, "\x00\x00", "\x00\x00", "\x00\x50", "\x00\x50", "\x00\x51", "\x00\x52")),
		everyMap(set("np_vproto", artifact.SetProto, "\x06", "\x06", "\x84", "\x88")),
	}
}

// load applies a ruleset by hand of the real nft.
func load(t *testing.T, ns *kerneltest.NS, rs artifact.Ruleset) {
	t.Helper()
	file := t.TempDir() + "/ruleset.nft"
	if err := os.WriteFile(file, emit.Text(rs, nil), 0o644); err != nil {
		t.Fatal(err)
	}
	ns.Run("nft", "-f", file)
}

// TestApplyEqualsNft: the batch and the text file leave the same ruleset, and
// both read back as what was wanted.
func TestApplyEqualsNft(t *testing.T) {
	for name, rs := range rulesets() {
		t.Run(name, func(t *testing.T) {
			ns := kerneltest.NewNS(t)
			want := Canonical(&rs).Lines()
			if err := Apply(&rs); err != nil {
				t.Fatal(err)
			}
			byApply := ns.Run("nft", "list", "ruleset")
			compare(t, "after Apply", want)
			load(t, ns, rs)
			byNft := ns.Run("nft", "list", "ruleset")
			compare(t, "after nft -f", want)
			if diff := cmp.Diff(byNft, byApply); diff != "" {
				t.Errorf("nft list ruleset (-nft -f, +Apply):\n%s", diff)
			}
		})
	}
}

// compare reads the live table and wants the given lines.
func compare(t *testing.T, when string, want []string) {
	t.Helper()
	live, err := Read("inet", "netpol", nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, live.Lines()); diff != "" {
		t.Errorf("%s (-want +live):\n%s", when, diff)
	}
	for _, c := range live.Chains {
		for _, r := range c.Rules {
			if !r.Known {
				t.Errorf("%s: rule %s of %s is not understood: %s", when, r.ID, c.Name, r.Text)
			}
		}
	}
}

func TestDriftIsSeen(t *testing.T) {
	rs := rulesets()["emitted"]
	cases := []struct {
		name, want string
		cmd        []string
	}{
		{"rule we could have written", `+np_dscp: ct label 5 drop # `, []string{"add rule inet netpol np_dscp ct label 5 drop"}},
		{"rule with unknown expressions", `["numgen" `, []string{"add rule inet netpol np_dscp ip saddr 192.0.2.1 numgen inc mod 3 == 1"}},
		{"order", `+np_verdict: ct label 7 drop`, []string{"insert rule inet netpol np_verdict ct label 7 drop"}},
		{"chain", `+chain np_mine`, []string{"add chain inet netpol np_mine"}},
		{"set we could have made", `+set "s" type ipv4_addr; flags interval; elements 192.0.2.1`, []string{"add set inet netpol s { type ipv4_addr; flags interval; elements = { 192.0.2.1 }; }"}},
		{"map", `+set "m"`, []string{"add map inet netpol m { type ipv4_addr : verdict; }"}},
		{"set that forgets", `+set "t"`, []string{"add set inet netpol t { type ipv4_addr; flags timeout; }"}},
		{"set", `+set "s"`, []string{"add set inet netpol s { type ipv4_addr; }"}},
		{"counter object", `+counter c { }`, []string{"add counter inet netpol c"}},
		{"comment", `# somebody else`, []string{`add rule inet netpol np_dscp accept comment "somebody else"`}},
		{"rule gone", `-np_dscp: `, []string{"flush chain inet netpol np_dscp"}},
		{"policy", `+chain np_forward type filter hook forward priority 10 policy drop`, []string{"chain inet netpol np_forward { policy drop; }"}},
		{"table gone", `-table inet netpol`, []string{"flush ruleset"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			ns := kerneltest.NewNS(t)
			if err := Apply(&rs); err != nil {
				t.Fatal(err)
			}
			ns.Run("nft", c.cmd...)
			live, err := Read("inet", "netpol", nil)
			if err != nil {
				t.Fatal(err)
			}
			if got := lineDiff(Canonical(&rs).Lines(), live.Lines()); !strings.Contains(got, c.want) {
				t.Errorf("difference\n%s\nwants %s", got, c.want)
			}
			if err := Apply(&rs); err != nil {
				t.Fatal(err)
			}
			compare(t, "after healing", Canonical(&rs).Lines())
		})
	}
}

// lineDiff lists lines only one side has, with their side.
func lineDiff(want, live []string) string {
	var out []string
	for _, l := range want {
		if !slices.Contains(live, l) {
			out = append(out, "-"+l)
		}
	}
	for _, l := range live {
		if !slices.Contains(want, l) {
			out = append(out, "+"+l)
		}
	}
	return strings.Join(out, "\n")
}

func TestForeignTablesStay(t *testing.T) {
	ns := kerneltest.NewNS(t)
	ns.Run("nft", "table inet other { chain c { type filter hook input priority 0; ct label 9 drop; }; }; table ip netpol { chain mine { counter; }; }")
	before := ns.Run("nft", "list ruleset")
	rs := rulesets()["emitted"]
	for range 2 {
		if err := Apply(&rs); err != nil {
			t.Fatal(err)
		}
	}
	if live, err := Read("inet", "netpol", nil); err != nil || !slices.Equal(live.Lines(), Canonical(&rs).Lines()) {
		t.Errorf("a table of the same name in another family disturbs: %v %v", live, err)
	}
	for range 2 {
		if err := Delete("inet", "netpol"); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(before, ns.Run("nft", "list ruleset")); diff != "" {
		t.Errorf("ruleset before Apply and after Delete:\n%s", diff)
	}
	if live, err := Read("inet", "netpol", nil); err != nil || live.Present {
		t.Errorf("after Delete: %+v %v", live, err)
	}
}

func TestApplyRefusesAStaleGeneration(t *testing.T) {
	ns := kerneltest.NewNS(t)
	rs := rulesets()["emitted"]
	live, err := Read("inet", "netpol", nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := Replace(&rs, live); err != nil {
		t.Fatal(err)
	}
	ns.Run("nft", "add table ip somebody")
	if live, err = Read("inet", "netpol", nil); err != nil {
		t.Fatal(err)
	}
	ns.Run("nft", "delete table ip somebody")
	before := ns.Run("nft", "list ruleset")
	if err := Replace(&artifact.Ruleset{Family: "inet", Table: "netpol"}, live); !errors.Is(err, ErrStale) {
		t.Errorf("got %v, want ErrStale", err)
	}
	if diff := cmp.Diff(before, ns.Run("nft", "list ruleset")); diff != "" {
		t.Errorf("a refused batch changed the ruleset:\n%s", diff)
	}
}

func TestApplyIsAllOrNothing(t *testing.T) {
	ns := kerneltest.NewNS(t)
	good := rulesets()["emitted"]
	if err := Apply(&good); err != nil {
		t.Fatal(err)
	}
	before := ns.Run("nft", "list ruleset")
	bad := rulesets()["every kind"]
	bad.Chains[1].Rules = append(bad.Chains[1].Rules, artifact.Rule{
		ID: "lost/jump", Do: []artifact.Statement{{Kind: artifact.DoJump, Name: "np_nowhere"}},
	})
	err := Apply(&bad)
	if err == nil || !strings.Contains(err.Error(), "lost/jump") || !strings.Contains(err.Error(), "np_last") {
		t.Errorf("error %v does not name the rule and its chain", err)
	}
	if diff := cmp.Diff(before, ns.Run("nft", "list ruleset")); diff != "" {
		t.Errorf("a failed batch changed the ruleset:\n%s", diff)
	}
}

func TestCheckChangesNothing(t *testing.T) {
	ns := kerneltest.NewNS(t)
	ns.Run("nft", "add table inet other")
	before, err := Read("inet", "netpol", nil)
	if err != nil {
		t.Fatal(err)
	}
	good := rulesets()["every kind"]
	if err := Check(&good); err != nil {
		t.Errorf("good table: %v", err)
	}
	bad := artifact.Ruleset{Family: "inet", Table: "netpol", Chains: []artifact.Chain{{Name: "np_x", Rules: []artifact.Rule{
		{ID: "lost/jump", Do: []artifact.Statement{{Kind: artifact.DoJump, Name: "np_nowhere"}}},
	}}}}
	if err := Check(&bad); err == nil || !strings.Contains(err.Error(), "lost/jump") {
		t.Errorf("bad table: %v, want the rule's name", err)
	}
	after, err := Read("inet", "netpol", nil)
	if err != nil || after.Present || after.Generation != before.Generation {
		t.Errorf("after Check: %+v %v, generation was %d", after, err, before.Generation)
	}
}

func TestApplyErrors(t *testing.T) {
	rule := func(m artifact.Match, s artifact.Statement) artifact.Ruleset {
		return artifact.Ruleset{Family: "inet", Table: "netpol", Chains: []artifact.Chain{{
			Name: "np_x", Rules: []artifact.Rule{{ID: "r1", Match: []artifact.Match{m}, Do: []artifact.Statement{s}}},
		}}}
	}
	ok := artifact.Match{Kind: artifact.MatchCTLabel, Bit: 1}
	drop := artifact.Statement{Kind: artifact.DoDrop}
	cases := []struct {
		name, want string
		in         artifact.Ruleset
	}{
		{"bit", "label bit 128", rule(artifact.Match{Kind: artifact.MatchCTLabel, Bit: 128}, drop)},
		{"negative bit", "label bit -1", rule(artifact.Match{Kind: artifact.MatchCTLabel, Bit: -1}, drop)},
		{"state", `unknown state "odd"`, rule(artifact.Match{Kind: artifact.MatchCTState, Name: "odd"}, drop)},
		{"direction", "unknown direction", rule(artifact.Match{Kind: artifact.MatchCTDirection}, drop)},
		{"kind", "unknown kind", rule(artifact.Match{Kind: "tcp flags"}, drop)},
		{"family", "neither 4 nor 6", rule(artifact.Match{Kind: artifact.MatchFamily, Value: 2}, drop)},
		{"protocol", "protocol 256", rule(artifact.Match{Kind: artifact.MatchL4Proto, Value: 256}, drop)},
		{"port", "port 65536", rule(artifact.Match{Kind: artifact.MatchSport, Value: 65536}, drop)},
		{"interface", "bad interface name", rule(artifact.Match{Kind: artifact.MatchIIFName, Name: "a\nb"}, drop)},
		{"long interface", "bad interface name", rule(artifact.Match{Kind: artifact.MatchIIFName, Name: "abcdefghijklmnop"}, drop)},
		{"dscp", "dscp 64", rule(ok, artifact.Statement{Kind: artifact.DoSetDSCP4, Value: 64})},
		{"prefix", "bad log prefix", rule(ok, artifact.Statement{Kind: artifact.DoLog})},
		{"jump", "bad chain name", rule(ok, artifact.Statement{Kind: artifact.DoJump, Name: "a b"})},
		{"statement", "unknown kind", rule(ok, artifact.Statement{Kind: "teleport"})},
		{"set label", "label bit 500", rule(ok, artifact.Statement{Kind: artifact.DoSetCTLabel, Bit: 500})},
		{"table", "bad name", artifact.Ruleset{Family: "inet", Table: "x; flush ruleset"}},
		{"table family", "unknown family", artifact.Ruleset{Family: "arp", Table: "netpol"}},
		{"chain", "bad name", artifact.Ruleset{Family: "inet", Table: "netpol", Chains: []artifact.Chain{{Name: "}"}}}},
		{"hook", "unknown hook", artifact.Ruleset{Family: "inet", Table: "netpol", Chains: []artifact.Chain{{Name: "a", Hook: "ingress"}}}},
		{"type", "unknown type", artifact.Ruleset{Family: "inet", Table: "netpol", Chains: []artifact.Chain{{Name: "a", Hook: "input", Type: "nat"}}}},
	}
	ns := kerneltest.NewNS(t)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			err := Apply(&c.in)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q in it", err, c.want)
			}
		})
	}
	if out := ns.Run("nft", "list ruleset"); out != "" {
		t.Errorf("ruleset after refused input:\n%s", out)
	}
}

func TestMissingCapabilityIsNamed(t *testing.T) {
	ns := kerneltest.NewNS(t)
	rs := rulesets()["emitted"]
	var apply, read error
	ns.DoUnprivileged(func() {
		apply = Apply(&rs)
		_, read = Read("inet", "netpol", nil)
	})
	for what, err := range map[string]error{"Apply": apply, "Read": read} {
		if err == nil || !strings.Contains(err.Error(), "CAP_NET_ADMIN") {
			t.Errorf("%s: got %v, want CAP_NET_ADMIN in it", what, err)
		}
	}
}

func TestCounters(t *testing.T) {
	kerneltest.NewNS(t)
	rs := artifact.Ruleset{Family: "inet", Table: "netpol", Chains: []artifact.Chain{{
		Name: "np_out", Hook: "output", Type: "filter", Rules: []artifact.Rule{
			{ID: "count/lo", Match: []artifact.Match{{Kind: artifact.MatchOIFName, Name: "lo"}}, Do: []artifact.Statement{{Kind: artifact.DoCounter}}},
			{ID: "plain", Do: []artifact.Statement{{Kind: artifact.DoAccept}}},
		},
	}}}
	if err := Apply(&rs); err != nil {
		t.Fatal(err)
	}
	in, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = in.Close() }()
	for range 2 {
		if _, err := in.WriteTo([]byte("hello"), in.LocalAddr()); err != nil {
			t.Fatal(err)
		}
	}
	counts, err := Counters("inet", "netpol", nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(counts) != 1 || counts[0].ID != "count/lo" || counts[0].Packets != 2 || counts[0].Bytes != 2*33 {
		t.Errorf("got %+v, want 2 packets of 33 bytes at count/lo", counts)
	}
	compare(t, "counters are no drift", Canonical(&rs).Lines())
}

// A set with more elements than fit one message, and one element too many.
func TestSetsOfAnySize(t *testing.T) {
	ns := kerneltest.NewNS(t)
	big := artifact.Set{Name: "np_big", Type: artifact.SetAddr4}
	for i := range 20000 {
		a := []byte{10, byte(i >> 8), byte(i), 1}
		big.Elements = append(big.Elements, artifact.Element{Low: a, High: a})
	}
	rs := artifact.Ruleset{Family: "inet", Table: "netpol", Sets: []artifact.Set{big}}
	if err := Apply(&rs); err != nil {
		t.Fatal(err)
	}
	compare(t, "big set", Canonical(&rs).Lines())
	ns.Run("nft", "add element inet netpol np_big { 192.0.2.1 }")
	live, err := Read("inet", "netpol", nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := lineDiff(Canonical(&rs).Lines(), live.Lines()); !strings.Contains(got, "192.0.2.1") {
		t.Error("an element that was added by hand goes unseen")
	}
}

// A big table goes in one batch too.
func TestApplyManyRules(t *testing.T) {
	kerneltest.NewNS(t)
	rs := artifact.Ruleset{Family: "inet", Table: "netpol", Chains: []artifact.Chain{{Name: "np_many"}}}
	for i := range 3000 {
		rs.Chains[0].Rules = append(rs.Chains[0].Rules, artifact.Rule{
			ID:    "many/" + string(rune('a'+i%26)),
			Match: []artifact.Match{{Kind: artifact.MatchCTLabel, Bit: i % 128}}, Do: []artifact.Statement{{Kind: artifact.DoDrop}},
		})
	}
	if err := Apply(&rs); err != nil {
		t.Fatal(err)
	}
	compare(t, "many rules", Canonical(&rs).Lines())
}
