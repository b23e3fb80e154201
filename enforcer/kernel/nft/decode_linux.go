package nft

import (
	"fmt"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/kernel/internal/nfnl"
)

// attrs are the attributes of one message or nest by type; a type that is not
// there is nil. No type that matters here is over 15.
type attrs struct {
	by      [16][]byte
	unknown bool // an attribute beyond the table was there
}

func splitAttrs(b []byte) attrs {
	var out attrs
	for a, rest, ok := nfnl.NextAttr(b); ok; a, rest, ok = nfnl.NextAttr(rest) {
		if int(a.Type) >= len(out.by) {
			out.unknown = true
			continue
		}
		out.by[a.Type] = a.Data
	}
	return out
}

func (a attrs) text(typ int) string { return nfnl.Attr{Data: a.by[typ]}.String() }
func (a attrs) u32(typ int) uint32  { return nfnl.Attr{Data: a.by[typ]}.Uint32() }
func (a attrs) u64(typ int) uint64  { return nfnl.Attr{Data: a.by[typ]}.Uint64() }

// only reports whether no other than the given attributes are there.
func (a attrs) only(types ...int) bool {
	if a.unknown {
		return false
	}
	for _, t := range types {
		a.by[t] = nil
	}
	for _, data := range a.by {
		if data != nil {
			return false
		}
	}
	return true
}

func decodeChain(a attrs) Chain {
	c := Chain{Name: a.text(unix.NFTA_CHAIN_NAME)}
	if a.by[unix.NFTA_CHAIN_HOOK] == nil {
		return c
	}
	hook := splitAttrs(a.by[unix.NFTA_CHAIN_HOOK])
	c.Type = a.text(unix.NFTA_CHAIN_TYPE)
	c.Hook = fmt.Sprintf("hook%d", hook.u32(unix.NFTA_HOOK_HOOKNUM))
	for name, number := range hookNumbers() {
		if number == hook.u32(unix.NFTA_HOOK_HOOKNUM) {
			c.Hook = name
		}
	}
	c.Priority = int(int32(hook.u32(unix.NFTA_HOOK_PRIORITY)))
	if c.Policy = "drop"; a.u32(unix.NFTA_CHAIN_POLICY) == policyAccept {
		c.Policy = "accept"
	}
	return c
}

// decodeRule words a live rule. It never fails: what it does not understand
// stands in the text in hex.
func decodeRule(a attrs, names map[int]string) Rule {
	r := Rule{Comment: comment(a.by[unix.NFTA_RULE_USERDATA]), Known: true}
	r.ID, _, _ = strings.Cut(r.Comment, " ")
	var ops []op
	for elem, rest, ok := nfnl.NextAttr(a.by[unix.NFTA_RULE_EXPRESSIONS]); ok; elem, rest, ok = nfnl.NextAttr(rest) {
		ops = append(ops, decodeOp(elem.Data))
	}
	var words []string
	var whole artifact.Rule
	ordered := true // all matches stand before all statements, as in ours
	for len(ops) > 0 {
		part, n := nextPart(ops, names)
		if part.counter != nil {
			r.Counted, r.Packets, r.Bytes = true, part.counter.packets, part.counter.bytes
		}
		ordered = ordered && (len(part.rule.Match) == 0 || len(whole.Do) == 0)
		whole.Match = append(whole.Match, part.rule.Match...)
		whole.Do = append(whole.Do, part.rule.Do...)
		r.Known = r.Known && part.raw == ""
		words = append(words, part.text())
		ops = ops[n:]
	}
	r.Text = strings.Join(words, " ")
	if r.Summary = r.Text; r.Known && ordered {
		r.Summary = whole.Summary()
	}
	return r
}

// comment finds the comment in a rule's user data: type, length, text, NUL
// (libnftnl udata.h, NFTNL_UDATA_RULE_COMMENT = 0). User data is whatever
// somebody wrote, so lengths are checked and control characters made visible.
func comment(b []byte) string {
	for len(b) >= 2 && int(b[1]) <= len(b)-2 {
		typ, data := b[0], b[2:2+int(b[1])]
		if typ == 0 {
			text, _, _ := strings.Cut(string(data), "\x00")
			quoted := fmt.Sprintf("%q", text)
			return strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`)
		}
		b = b[2+len(data):]
	}
	return ""
}

// part is the smallest piece of a rule that means something: a match, a
// statement, or one expression that is not understood.
type part struct {
	rule    artifact.Rule // one Match or one Do, unless raw
	raw     string
	counter *counter
}

func (p part) text() string {
	if p.raw != "" {
		return p.raw
	}
	return p.rule.Text()
}

// nextPart takes the first part off a rule's expressions and says how many it
// took.
func nextPart(ops []op, names map[int]string) (part, int) {
	if m, n := takeMatch(ops, names); n > 0 {
		return part{rule: artifact.Rule{Match: []artifact.Match{m}}}, n
	}
	if s, n := takeStatement(ops, names); n > 0 {
		return part{rule: artifact.Rule{Do: []artifact.Statement{s}}, counter: ops[0].counter}, n
	}
	return part{raw: ops[0].raw}, 1
}
