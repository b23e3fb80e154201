package lang

import (
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/netpol/netpol/lang/diag"
)

// bypassedArguments are those that act on each packet of a flow, which rules do
// not see once it is offloaded.
func bypassedArguments() []string {
	return []string{"dscp", "priority", "route", "rate", "count", "log"}
}

// offload reads whether the policy's flows are offloaded once they are decided.
func (d *decoder) offload(b *hclsyntax.Block, p *PolicyBlock) Text {
	if !d.flag(b, "offload", false) {
		return Text{}
	}
	for _, name := range bypassedArguments() {
		if a, ok := b.Body.Attributes[name]; ok {
			d.diags.Add(diag.New(diag.ConflictingArguments, toRange(a.NameRange), fmt.Sprintf("%s acts on each packet, and the packets of an offloaded connection pass by no rule. Leave one of the two out.", name)))
		}
	}
	if v := p.Verdict; v.Value == "drop" || v.Value == "reject" {
		d.diags.Add(diag.New(diag.ConflictingArguments, v.Range, fmt.Sprintf("verdict = %q stops the connection, so there is nothing to offload. Leave one of the two out.", v.Value)))
	}
	return Text{Value: "true", Range: toRange(b.Body.Attributes["offload"].Expr.Range())}
}

// maxOffloadDevices is what the kernel takes of one flowtable
// (NFT_NETDEVICE_MAX, net/netfilter/nf_tables_api.c).
const maxOffloadDevices = 256

// offloadDevices reads the interfaces between which flows may be offloaded.
func (d *decoder) offloadDevices(b *hclsyntax.Block) []string {
	var out []string
	for _, t := range d.texts(b, "offload_devices", `"lan0"`) {
		switch {
		case !safeDevice(t.Value):
			d.diags.Add(diag.New(diag.InvalidInterface, t.Range, fmt.Sprintf("%q cannot be the name of an interface here: it has 1 to 15 letters, digits and the signs _ . @ + -, without the * of a pattern.", t.Value)))
		case slices.Contains(out, t.Value):
			d.diags.Add(diag.New(diag.Duplicate, t.Range, fmt.Sprintf("The interface %q stands in the list already.", t.Value)))
		default:
			out = append(out, t.Value)
		}
	}
	if len(out) > maxOffloadDevices {
		d.diags.Add(diag.New(diag.TooLarge, toRange(b.Body.Attributes["offload_devices"].Expr.Range()), fmt.Sprintf("A flowtable has at most %d interfaces.", maxOffloadDevices)))
		return nil
	}
	slices.Sort(out)
	return out
}

// safeDevice says that a name may stand in a rule (IFNAMSIZ 16, linux/if.h, with
// the final NUL).
func safeDevice(s string) bool {
	const most = 15
	if s == "" || len(s) > most {
		return false
	}
	for i := range len(s) {
		if c := s[i]; !isLetter(c) && !isDigit(c) && !slices.Contains([]byte("_.@+-"), c) {
			return false
		}
	}
	return true
}
