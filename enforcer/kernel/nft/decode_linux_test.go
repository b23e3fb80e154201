package nft

import (
	"testing"

	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"

	"github.com/netpol/netpol/enforcer/kernel/internal/nfnl"
)

// FuzzDecodeRule: live rules are other people's bytes too. Every expression
// must leave something in the text, and nothing may panic.
func FuzzDecodeRule(f *testing.F) {
	for _, rs := range rulesets() {
		for _, c := range rs.Chains {
			for _, r := range c.Rules {
				exprs, err := encode(r)
				if err != nil {
					f.Fatal(err)
				}
				f.Add(ruleMessage(f, exprs))
			}
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		a := splitAttrs(data)
		r := decodeRule(a, nil)
		if list := a.by[unix.NFTA_RULE_EXPRESSIONS]; r.Text == "" {
			if _, _, ok := nfnl.NextAttr(list); ok {
				t.Fatalf("an expression left no text: %x", list)
			}
		}
		decodeChain(a)
	})
}

func ruleMessage(tb testing.TB, exprs []expr.Any) []byte {
	b, list := nfnl.Nest(nil, unix.NFTA_RULE_EXPRESSIONS)
	for _, e := range exprs {
		data, err := marshal(unix.NFPROTO_INET, e)
		if err != nil {
			tb.Fatal(err)
		}
		var elem int
		b, elem = nfnl.Nest(b, unix.NFTA_LIST_ELEM)
		b = nfnl.Unnest(append(b, data...), elem)
	}
	return nfnl.Bytes(nfnl.Unnest(b, list), unix.NFTA_RULE_USERDATA, []byte{0, 3, 'a', '\n', 0})
}

func TestCommentIsMadeVisible(t *testing.T) {
	cases := []struct {
		name string
		in   []byte
		want string
	}{
		{"plain", []byte("\x00\x04a b\x00"), "a b"},
		{"behind another field", []byte("\x01\x01\x00\x00\x02x\x00"), "x"},
		{"control characters", []byte("\x00\x05\x1b[2\n\x00"), `\x1b[2\n`},
		{"length beyond the end", []byte("\x00\xffabc"), ""},
		{"none", nil, ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := comment(c.in); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
