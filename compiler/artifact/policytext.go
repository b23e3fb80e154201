package artifact

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Does is what the policy does, in one line: "label zoom, dscp cs5", with what it
// asks of packets and how it fails.
func (p Policy) Does() string {
	var out []string
	for _, l := range p.Labels {
		out = append(out, "label "+l)
	}
	if p.Mark != nil {
		out = append(out, fmt.Sprintf("mark %#x/%#x", p.Mark.Value, p.Mark.Mask))
	}
	if p.DSCP != "" {
		out = append(out, "dscp "+p.DSCP)
	}
	if p.Verdict != "" {
		out = append(out, p.Verdict)
	}
	out = append(out, p.Also...)
	text := strings.Join(out, ", ")
	if p.When != "" {
		text = strings.TrimSpace(text + " for packets with " + p.When)
	}
	if p.Audit {
		text = strings.TrimSpace("only counted: " + text)
	}
	parts := append([]string{text}, p.until()...)
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), ", ")
}

// until is what becomes of connections while the policy is not decided.
func (p Policy) until() []string {
	var out []string
	if p.Hold {
		out = append(out, "holds packets until it is decided")
	}
	if p.OnFail != "" {
		out = append(out, "fails "+p.OnFail)
	}
	if p.OnFail+p.OnOverload != "" {
		out = append(out, cmp.Or(p.OnOverload, "open")+" on overload")
	}
	return out
}
