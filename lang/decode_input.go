package lang

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/netpol/netpol/lang/diag"
	"github.com/netpol/netpol/lang/suggest"
)

// maxInputs bounds inputs: each has a thread, a ring and a table of flows.
const maxInputs = 16

// maxFirstPackets bounds first_packets short of all; what needs more is a count
// of bytes, which conntrack keeps.
const maxFirstPackets = 1_000_000

func inputArguments() []string {
	return []string{"bypass", "description", "filter", "first_packets", "incoming", "interface", "promiscuous", "role", "unwrap"}
}

// TunnelWords are the encapsulations that an input can look into
// (enforcer/packet), and "all".
func TunnelWords() []string {
	return []string{"all", "ip", "gre", "gtpu", "vxlan", "geneve"}
}

func (d *decoder) decodeInput(b *hclsyntax.Block) {
	in := &Input{Name: b.Labels[0], Range: headerRange(b)}
	if !d.checkGroupName(b, "an input") {
		return
	}
	before := len(d.diags)
	in.Description = d.text(b, "description", `"The switch's mirror port"`).Value
	if d.require(b, "interface", `interface = "eth1"`) != nil {
		in.Interface = d.text(b, "interface", `"eth1"`)
	}
	in.FirstPackets = d.number(b, "first_packets", 0, maxFirstPackets, -1)
	in.Incoming = d.flag(b, "incoming", false)
	in.Promiscuous = d.flag(b, "promiscuous", true)
	in.Role = d.word(diag.InvalidInput, b, "role", []string{"lan", "wan"}, "")
	in.Unwrap = d.tunnels(b)
	in.Filter = d.criteria(b.Body.Attributes["filter"])
	in.Bypass = d.textOrList(b, "bypass", `"192.168.1.20"`)
	if !d.define("input "+in.Name, fmt.Sprintf("input %q", in.Name), in.Range) || len(d.diags) > before {
		return
	}
	if len(d.out.Inputs) == maxInputs {
		d.diags.Add(diag.New(diag.TooLarge, in.Range, fmt.Sprintf("A policy set has at most %d inputs. Join interfaces to a bridge or bond, and read that.", maxInputs)))
	}
	d.out.Inputs = append(d.out.Inputs, in)
}

// tunnels reads which encapsulations are looked into.
func (d *decoder) tunnels(b *hclsyntax.Block) []Text {
	list := d.textOrList(b, "unwrap", `"vxlan"`)
	for _, t := range list {
		if !slices.Contains(TunnelWords(), t.Value) {
			d.diags.Add(diag.New(diag.UnknownTunnel, t.Range, fmt.Sprintf("%q is not an encapsulation that netpold looks into. These are %s.", t.Value, strings.Join(TunnelWords(), ", "))).
				WithHint(suggest.Hint(strings.ToLower(t.Value), TunnelWords())))
		}
	}
	return list
}
