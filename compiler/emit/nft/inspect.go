package nft

import (
	"slices"

	"github.com/netpol/netpol/compiler/artifact"
)

// uninspected sets the done mark on each new connection, and takes it back from
// those that the enforcer must see; nothing where it must see all. The analysed
// label follows the mark, and without an enforcer analysis is over at once.
func (d *decider) uninspected(in Input) list {
	if in.NoCapture {
		return list{after: d.analysed(in, nil)}
	}
	if !in.Narrow {
		return list{}
	}
	boxes := d.merge(d.boxesOf(in.Interest))
	if slices.Contains(boxes, box{}) {
		return list{}
	}
	// The quiet mark goes with it; rules that set a label take it back.
	d.hushed = d.quiet.marks()
	own := in.Settings.DoneMark | d.hushed
	out := list{first: []artifact.Rule{{
		ID: "uninspected", Comment: "no policy asks for more of the connection than is known now",
		Do: []artifact.Statement{setMark(artifact.Mark{Value: own, Mask: own})},
	}}}
	if len(boxes) > 0 {
		out.outcomes = []outcome{{id: "inspect", policy: -1, boxes: boxes, do: []artifact.Statement{setMark(artifact.Mark{Mask: own})}}}
	}
	out.after = d.analysed(in, []artifact.Match{{Kind: artifact.MatchCTMark, Mask: in.Settings.DoneMark, Value: 0, Not: true}})
	return out
}

// analysed sets the analysed label, if there is one, where some tests hold.
func (d *decider) analysed(in Input, when []artifact.Match) []artifact.Rule {
	for _, l := range in.Labels {
		if l.Name != "" && l.Name == in.Settings.AnalysedLabel {
			return []artifact.Rule{{ID: "analysed", Comment: "nothing more is to be found out", Match: when, Do: []artifact.Statement{d.setLabel(l.Bit)}}}
		}
	}
	return nil
}
