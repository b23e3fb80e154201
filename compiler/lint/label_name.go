package lint

import (
	"fmt"
	"slices"
	"strings"

	"github.com/netpol/netpol/lang/diag"
)

func labelName() Rule {
	return Rule{ID: "NP0510", Slug: "label-name", Category: Style, Severity: diag.Warning, Summary: "Unfortunate label name", check: checkLabelName}
}

// nftWords are words of nft's language (src/scanner.l) that can stand where a
// label's name stands: "ct label set drop" is a syntax error there.
func nftWords() []string {
	return []string{
		"accept", "chain", "comment", "continue", "counter", "ct", "daddr", "define", "delete", "drop", "dscp", "dup", "element", "exthdr",
		"fib", "flow", "fwd", "goto", "handle", "ip", "jump", "length", "limit", "log", "map", "mark", "masquerade", "meta", "notrack", "numgen",
		"packets", "ports", "priority", "protocol", "quota", "queue", "redirect", "reject", "return", "rule", "saddr", "set", "snat", "dnat", "socket",
		"state", "synproxy", "table", "tproxy", "type", "vlan", "vmap",
	}
}

// checkLabelName reports labels that nft rules cannot name, and labels that
// differ in case only, which conntrack tells apart and people do not.
func checkLabelName(p *pass) {
	first := map[string]string{} // lower case -> as first written
	told := map[string]bool{}
	for _, b := range p.in.Policy.Policies {
		for _, l := range b.Labels {
			lower := strings.ToLower(l.Value)
			other, known := first[lower]
			if !known {
				first[lower] = l.Value
			}
			switch {
			case told[l.Value]:
			case known && other != l.Value:
				told[l.Value] = true
				p.report(Finding{
					Subject: l.Range, Policy: b.Name,
					Detail: fmt.Sprintf("The labels %q and %q differ in case only, and are two bits.", l.Value, other),
					Hint:   fmt.Sprintf("write %q", other),
				})
			case slices.Contains(nftWords(), l.Value):
				told[l.Value] = true
				p.report(Finding{
					Subject: l.Range, Policy: b.Name,
					Detail: fmt.Sprintf("%q is a word of nft's own language, so a rule of your own such as \"ct label %s\" is a syntax error.", l.Value, l.Value),
					Hint:   fmt.Sprintf("write %q", l.Value+"-flows"),
				})
			}
		}
	}
}
