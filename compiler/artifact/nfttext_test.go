package artifact

import (
	"strings"
	"testing"
)

func TestRuleText(t *testing.T) {
	label := Match{Kind: MatchCTLabel, Name: "zoom", Bit: 5}
	cases := []struct {
		name          string
		in            Rule
		text, summary string
	}{
		{
			"dscp",
			Rule{Match: []Match{label, {Kind: MatchFamily, Value: 4}}, Do: []Statement{{Kind: DoCounter}, {Kind: DoSetDSCP4, Value: 40}, {Kind: DoReturn}}},
			"ct label 5 meta nfproto ipv4 counter ip dscp set cs5 return",
			"ct label zoom ip dscp set cs5",
		},
		{
			"inverted",
			Rule{Match: []Match{
				{Kind: MatchCTLabel, Bit: 5, Not: true},
				{Kind: MatchCTState, Name: "new", Not: true},
				{Kind: MatchCTMark, Mask: 0xff, Value: 1, Not: true},
				{Kind: MatchCTPackets, Limit: 9, Not: true},
				{Kind: MatchL4Proto, Value: 17, Not: true},
				{Kind: MatchOIFName, Name: "eth0", Not: true},
			}, Do: []Statement{{Kind: DoDrop}}},
			`ct label ! 5 ct state ! new ct mark & 0xff != 0x1 ct packets >= 9 meta l4proto != 17 oifname != "eth0" drop`,
			`ct label ! 5 ct state ! new ct mark & 0xff != 0x1 ct packets >= 9 meta l4proto != udp oifname != "eth0" drop`,
		},
		{
			"names cannot end a string",
			Rule{Match: []Match{{Kind: MatchIIFName, Name: "a\" drop; \n"}}, Do: []Statement{{Kind: DoLog, Name: "o\"", Group: 1, Snaplen: 2}, {Kind: DoJump, Name: "c }"}}},
			`iifname "a__drop___" log prefix "o_" group 1 snaplen 2 jump c__`,
			`iifname "a__drop___" log prefix "o_" group 1 snaplen 2 jump c__`,
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := c.in.Text(); got != c.text {
				t.Errorf("Text\n got %s\nwant %s", got, c.text)
			}
			if got := c.in.Summary(); got != c.summary {
				t.Errorf("Summary\n got %s\nwant %s", got, c.summary)
			}
		})
	}
}

func TestUserComment(t *testing.T) {
	cases := []struct{ name, id, comment, want string }{
		{"both", "dscp4/zoom", "a.netpol.hcl:3 calls", "dscp4/zoom a.netpol.hcl:3 calls"},
		{"no comment", "verdict/input", "", "verdict/input"},
		{"hostile", "a b", "x\"; }\n\\", "a_b x_; ___"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := (Rule{ID: c.id, Comment: c.comment}).UserComment(); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
	long := Rule{ID: "dscp4/zoom", Comment: strings.Repeat("x", 300)}.UserComment()
	if len(long) != maxComment {
		t.Errorf("long comment has %d bytes, want %d", len(long), maxComment)
	}
}

func TestDSCPName(t *testing.T) {
	for v, want := range map[uint8]string{0: "cs0", 40: "cs5", 46: "ef", 10: "af11", 38: "af43", 44: "44", 63: "63", 42: "42", 2: "2", 64: "64"} {
		if got := DSCPName(v); got != want {
			t.Errorf("DSCPName(%d) = %q, want %q", v, got, want)
		}
	}
}
