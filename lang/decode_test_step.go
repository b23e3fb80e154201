package lang

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/netpol/netpol/lang/diag"
	"github.com/netpol/netpol/lang/suggest"
)

// testTime is what a flow or step block has besides attributes: when its
// packets are sent.
const testTime = "time"

// Words for how netpold does in a test.
const (
	NetpoldUp         = "up"         // it answers, and decides the flow
	NetpoldDown       = "down"       // it does not run
	NetpoldUndecided  = "undecided"  // it answers, and does not know the flow
	NetpoldOverloaded = "overloaded" // it answers, and has given the flow up for lack of room
)

var (
	netpoldStates = []string{NetpoldUp, NetpoldDown, NetpoldUndecided, NetpoldOverloaded}
	stepArguments = []string{"netpold", testTime}
)

// decodeTestStep reads a step block: attributes that have another value from
// there on, and what is expected then.
func (d *decoder) decodeTestStep(b *hclsyntax.Block) *TestStep {
	s := &TestStep{Range: headerRange(b)}
	s.Flow.Range = s.Range
	seen := map[string]diag.Range{}
	for _, a := range sortedAttributes(b.Body) {
		switch a.Name {
		case testTime:
			s.Flow.Time = d.plainText(a.Expr, `"2026-01-05T18:30:00+01:00"`)
		case "netpold":
			s.Netpold = d.netpoldState(a)
		default:
			if v, ok := d.assignment(a, "step", stepArguments, seen); ok {
				s.Flow.Values = append(s.Flow.Values, v)
			}
		}
	}
	for _, inner := range b.Body.Blocks {
		switch {
		case inner.Type != "expect":
			d.diags.Add(diag.New(diag.UnknownBlock, toRange(inner.TypeRange), fmt.Sprintf("A step holds no %q block. It holds expect, and attributes.", inner.Type)).
				WithHint(suggest.Hint(inner.Type, []string{"expect"})))
		case !d.checkNames(inner, blockSchema{kind: "expect"}):
		case s.Expect != nil:
			d.diags.Add(diag.New(diag.Duplicate, headerRange(inner), fmt.Sprintf("The step has an expect block already, at %s. Write both into one.", s.Expect.Range)))
		default:
			s.Expect = d.decodeExpect(inner)
		}
	}
	if s.Expect == nil {
		d.diags.Add(diag.New(diag.MissingArgument, s.Range, "The step expects nothing. Write an expect { } block into it."))
	}
	return s
}

// netpoldState reads how netpold does.
func (d *decoder) netpoldState(a *hclsyntax.Attribute) Text {
	t := d.plainText(a.Expr, `"down"`)
	if !t.Range.IsZero() && !slices.Contains(netpoldStates, t.Value) {
		d.diags.Add(diag.New(diag.WrongConstant, t.Range, fmt.Sprintf("netpold is %s, not %q.", strings.Join(netpoldStates, ", "), t.Value)).
			WithHint(suggest.Hint(t.Value, netpoldStates)))
	}
	return t
}

// checkCaptureTest reports what a flow out of a capture cannot have: it is as
// it was recorded.
func (d *decoder) checkCaptureTest(b *hclsyntax.Block, t *Test) {
	if len(t.Steps) > 0 {
		d.diags.Add(diag.New(diag.ConflictingArguments, t.Steps[0].Range, "Steps belong to flow blocks: a flow of a capture is as it was recorded."))
	}
	if a, ok := b.Body.Attributes["netpold"]; ok {
		d.diags.Add(diag.New(diag.ConflictingArguments, toRange(a.NameRange), "netpold belongs to flow blocks: a capture goes through netpold's engine."))
	}
}
