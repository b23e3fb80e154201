package nft

import (
	"slices"

	"github.com/netpol/netpol/compiler/artifact"
)

// uninspected sets the done mark on each new connection, and takes it back from
// those that the enforcer must see; nothing where it must see all.
func (d *decider) uninspected(in Input) list {
	if in.NoCapture || !in.Narrow {
		return list{}
	}
	boxes := d.merge(d.boxesOf(in.Interest))
	if slices.Contains(boxes, box{}) {
		return list{}
	}
	done := artifact.Mark{Value: in.Settings.DoneMark, Mask: in.Settings.DoneMark}
	out := list{first: []artifact.Rule{{
		ID: "uninspected", Comment: "no policy asks for more of the connection than is known now",
		Do: []artifact.Statement{setMark(done)},
	}}}
	if len(boxes) > 0 {
		out.outcomes = []outcome{{id: "inspect", policy: -1, boxes: boxes, do: []artifact.Statement{setMark(artifact.Mark{Mask: done.Mask})}}}
	}
	return out
}
