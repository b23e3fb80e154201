package lang

import (
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/netpol/netpol/lang/diag"
	"github.com/netpol/netpol/lang/fact"
	"github.com/netpol/netpol/lang/suggest"
)

// Words of test files. What expect asks of a flow besides its attributes is in
// outcomes.
var (
	testArguments = []string{"count", "flow", "netpold", "pcap", "where"}
	testBlocks    = []string{"expect", "flow", "step"}
	outcomes      = []string{"audited", "dscp", "labels", "mark", "policies", "priority", "route", "verdict"}
	testVerdicts  = append(slices.Clone(verdicts), "none")
)

// maxTestCount bounds count: more flows than that are no test.
const maxTestCount = 1 << 20

// decodeTest decodes one block of a test file; nil if it is no test.
func (d *decoder) decodeTest(b *hclsyntax.Block) *Test {
	if b.Type != "test" {
		d.diags.Add(diag.New(diag.UnknownBlock, toRange(b.TypeRange),
			fmt.Sprintf("A test file holds test blocks only, not %q. Policies stand in files whose name ends in %s.", b.Type, PolicySuffix)).
			WithHint(suggest.Hint(b.Type, []string{"test"})))
		return nil
	}
	if !d.checkNames(b, blockSchema{kind: "test", names: 1}) {
		return nil
	}
	t := &Test{Name: b.Labels[0], Range: headerRange(b)}
	if strings.TrimSpace(t.Name) == "" || len(t.Name) > MaxNameBytes {
		d.diags.Add(diag.New(diag.InvalidName, nameRange(b), fmt.Sprintf("A test's name is 1 to %d bytes long.", MaxNameBytes)))
		return nil
	}
	d.define("test "+t.Name, fmt.Sprintf("test %q", t.Name), t.Range)
	d.testArguments(b, t)
	d.testBlocks(b, t)
	d.checkTest(b, t)
	return t
}

// testArguments reads the arguments of a test that takes its flows from a
// capture.
func (d *decoder) testArguments(b *hclsyntax.Block, t *Test) {
	for _, a := range sortedAttributes(b.Body) {
		switch a.Name {
		case "pcap":
			t.PCAP = d.plainText(a.Expr, `"call.pcap"`)
		case "flow":
			t.Tuple = d.plainText(a.Expr, `"tcp 192.0.2.1:40000 198.51.100.1:443"`)
		case "where":
			if d.plain(a.Expr) {
				t.Where = d.criteria(a)
			}
		case "netpold":
			t.Netpold = d.netpoldState(a)
		case "count":
			if n, ok := d.testCount(a); ok {
				t.Count = &n
			}
		default:
			hint := suggest.Hint(a.Name, slices.Concat(testArguments, testBlocks))
			if _, ok := fact.Lookup(a.Name); ok {
				hint = "attributes of a flow stand in a flow { } or expect { } block"
			}
			d.diags.Add(diag.New(diag.UnknownArgument, toRange(a.NameRange),
				fmt.Sprintf("A test block has no argument %q. It has %s, and the blocks %s.", a.Name, strings.Join(testArguments, ", "), strings.Join(testBlocks, ", "))).
				WithHint(hint))
		}
	}
}

func (d *decoder) testCount(a *hclsyntax.Attribute) (int, bool) {
	if !d.plain(a.Expr) {
		return 0, false
	}
	v, ok := d.argument(a.Expr, cty.Number, "1")
	if !ok {
		return 0, false
	}
	n, accuracy := v.AsBigFloat().Int64()
	if accuracy != big.Exact || n < 0 || n > maxTestCount {
		d.diags.Add(diag.New(diag.NumberOutOfRange, toRange(a.Expr.Range()), fmt.Sprintf("count is a whole number from 0 to %d.", maxTestCount)))
		return 0, false
	}
	return int(n), true
}

// testBlocks reads a test's flow blocks and its expect block.
func (d *decoder) testBlocks(b *hclsyntax.Block, t *Test) {
	for _, inner := range b.Body.Blocks {
		switch inner.Type {
		case "flow":
			if d.checkNames(inner, blockSchema{kind: "flow"}) {
				t.Flows = append(t.Flows, d.decodeTestFlow(inner))
			}
		case "expect":
			if !d.checkNames(inner, blockSchema{kind: "expect"}) {
				continue
			}
			if t.Expect != nil {
				d.diags.Add(diag.New(diag.Duplicate, headerRange(inner), fmt.Sprintf("The test has an expect block already, at %s. Write both into one.", t.Expect.Range)))
				continue
			}
			t.Expect = d.decodeExpect(inner)
		case "step":
			if d.checkNames(inner, blockSchema{kind: "step"}) {
				t.Steps = append(t.Steps, d.decodeTestStep(inner))
			}
		default:
			d.diags.Add(diag.New(diag.UnknownBlock, toRange(inner.TypeRange),
				fmt.Sprintf("A test block holds no %q block. It holds %s.", inner.Type, strings.Join(testBlocks, ", "))).
				WithHint(suggest.Hint(inner.Type, testBlocks)))
		}
	}
}

// checkTest reports what does not go together.
func (d *decoder) checkTest(b *hclsyntax.Block, t *Test) {
	capture := b.Body.Attributes["pcap"]
	switch {
	case capture != nil && len(t.Flows) > 0:
		d.diags.Add(diag.New(diag.ConflictingArguments, t.Flows[0].Range, `A test takes its flows from a capture or from flow blocks. To pick a connection of the capture write flow = "tcp 192.0.2.1:40000 198.51.100.1:443".`))
	case capture == nil && len(t.Flows) == 0:
		d.diags.Add(diag.New(diag.MissingArgument, t.Range, "The test has no flow. Write a flow { } block with attributes, or pcap = \"FILE\"."))
	case capture == nil:
		for _, name := range []string{"flow", "where", "count"} {
			if a, ok := b.Body.Attributes[name]; ok {
				d.diags.Add(diag.New(diag.ConflictingArguments, toRange(a.NameRange), name+" chooses among the flows of a capture, so it stands beside pcap."))
			}
		}
	}
	if capture != nil {
		d.checkCaptureTest(b, t)
	}
	if t.Expect == nil && len(t.Steps) == 0 && (t.Count == nil || capture == nil) {
		d.diags.Add(diag.New(diag.MissingArgument, t.Range, "The test expects nothing. Write an expect { } block, or count = N beside pcap."))
	}
}

// decodeTestFlow reads the attributes of a flow block.
func (d *decoder) decodeTestFlow(b *hclsyntax.Block) *TestFlow {
	f := &TestFlow{Range: headerRange(b)}
	d.noBlocks(b)
	seen := map[string]diag.Range{}
	for _, a := range sortedAttributes(b.Body) {
		if a.Name == testTime {
			f.Time = d.plainText(a.Expr, `"2026-01-05T18:30:00+01:00"`)
		} else if v, ok := d.assignment(a, "flow", []string{testTime}, seen); ok {
			f.Values = append(f.Values, v)
		}
	}
	return f
}

func (d *decoder) decodeExpect(b *hclsyntax.Block) *Expectation {
	e := &Expectation{Range: headerRange(b)}
	d.noBlocks(b)
	seen := map[string]diag.Range{}
	for _, a := range sortedAttributes(b.Body) {
		if slices.Contains(outcomes, a.Name) {
			d.outcome(e, a)
		} else if v, ok := d.assignment(a, "expect", outcomes, seen); ok {
			e.Facts = append(e.Facts, v)
		}
	}
	if len(b.Body.Attributes) == 0 {
		d.diags.Add(diag.New(diag.MissingArgument, e.Range, "The expect block is empty, so the test cannot fail. Write what must come out, such as policies = [\"zoom\"]."))
	}
	return e
}

func (d *decoder) noBlocks(b *hclsyntax.Block) {
	for _, inner := range b.Body.Blocks {
		d.diags.Add(diag.New(diag.UnknownBlock, toRange(inner.TypeRange), fmt.Sprintf("A block of type %s holds no blocks.", b.Type)))
	}
}

// outcome reads what must become of a flow.
func (d *decoder) outcome(e *Expectation, a *hclsyntax.Attribute) {
	if !d.plain(a.Expr) {
		return
	}
	switch a.Name {
	case "policies":
		e.Policies = d.textList(a)
	case "audited":
		e.Audited = d.textList(a)
	case "labels":
		e.Labels = d.textList(a)
	case "dscp":
		if v, ok := d.argument(a.Expr, cty.String, `"cs5"`); ok && v.AsString() == "none" {
			e.NoDSCP = true
			return
		}
		e.DSCP = d.dscp(a)
	case "mark":
		e.Mark = d.mark(a)
	case "priority":
		if e.Priority = d.plainText(a.Expr, `"1:10"`); e.Priority.Value != "none" && !e.Priority.Range.IsZero() {
			e.Priority = Text{}
			if p := d.priority(a); p != nil {
				e.Priority = Text{p.Text, p.Range}
			}
		}
	case "route":
		e.Route = d.testRoute(a)
	case "verdict":
		e.Verdict = d.plainText(a.Expr, `"drop"`)
		if word := e.Verdict.Value; !e.Verdict.Range.IsZero() && !slices.Contains(testVerdicts, word) {
			d.diags.Add(diag.New(diag.InvalidVerdict, e.Verdict.Range, fmt.Sprintf("%q is not a verdict. It is %s.", word, strings.Join(testVerdicts, ", "))).
				WithHint(suggest.Hint(word, testVerdicts)))
		}
	}
}

// testRoute reads the number of a routing table, or "none".
func (d *decoder) testRoute(a *hclsyntax.Attribute) Text {
	t := d.plainText(a.Expr, "100")
	if t.Range.IsZero() || t.Value == "none" {
		return t
	}
	if n, err := strconv.ParseUint(t.Value, 10, 32); err != nil || n == 0 || n > maxTable || n == tableLocal {
		d.diags.Add(diag.New(diag.NumberOutOfRange, t.Range, fmt.Sprintf("%q is no routing table that a policy can name: it is a number from 1 to %d but for %d, or \"none\".", t.Value, maxTable, tableLocal)))
		return Text{}
	}
	return t
}

func (d *decoder) textList(a *hclsyntax.Attribute) *TextList {
	list := &TextList{Range: toRange(a.Expr.Range())}
	elements, _ := d.elements(a.Expr, `"zoom"`)
	for _, e := range elements {
		if v, ok := d.argument(e.expr, cty.String, `"zoom"`); ok {
			list.Items = append(list.Items, Text{v.AsString(), toRange(e.expr.Range())})
		}
	}
	return list
}

// assignment reads attribute = value. An attribute may be written once, under
// whichever of its names.
func (d *decoder) assignment(a *hclsyntax.Attribute, block string, also []string, seen map[string]diag.Range) (Assignment, bool) {
	at := toRange(a.NameRange)
	attr, ok := fact.Lookup(a.Name)
	if !ok {
		known := slices.Clone(also)
		for _, f := range fact.Attributes {
			known = append(append(known, f.Name), f.Aliases...)
		}
		detail := fmt.Sprintf("No attribute is named %s.", a.Name)
		if len(also) > 0 {
			detail = fmt.Sprintf("No attribute is named %s. Besides attributes, %s has %s.", a.Name, block, strings.Join(also, ", "))
		}
		d.diags.Add(diag.New(diag.UnknownAttribute, at, detail).WithHint(suggest.Hint(a.Name, known)))
		return Assignment{}, false
	}
	if first, ok := seen[attr.Name]; ok {
		d.diags.Add(diag.New(diag.Duplicate, at, fmt.Sprintf("%s has a value already, at %s.", attr.Name, first)))
		return Assignment{}, false
	}
	seen[attr.Name] = at
	value, ok := d.assigned(a.Expr, attr)
	return Assignment{Name: Text{a.Name, at}, Value: value}, ok
}

// assigned reads a value of any simple type as the text that criteria would
// write; a list becomes its elements joined by commas.
func (d *decoder) assigned(expr hclsyntax.Expression, attr fact.Attribute) (Text, bool) {
	if !d.plain(expr) {
		return Text{}, false
	}
	v := d.value(expr)
	if !v.IsWhollyKnown() {
		return Text{}, false
	}
	if attr.Type == fact.TextList && !v.IsNull() && (v.Type().IsTupleType() || v.Type().IsListType()) {
		var parts []string
		for it := v.ElementIterator(); it.Next(); {
			_, e := it.Element()
			if s, err := convert.Convert(e, cty.String); err == nil && s.IsKnown() && !s.IsNull() {
				parts = append(parts, s.AsString())
			}
		}
		return Text{strings.Join(parts, ","), toRange(expr.Range())}, true
	}
	s, err := convert.Convert(v, cty.String)
	if err != nil || s.IsNull() {
		d.diags.Add(diag.New(diag.WrongValueType, toRange(expr.Range()), fmt.Sprintf("%s is a %s: write one value.", attr.Name, attr.Type)))
		return Text{}, false
	}
	return Text{s.AsString(), toRange(expr.Range())}, true
}

// plainText reads a string.
func (d *decoder) plainText(expr hclsyntax.Expression, example string) Text {
	if !d.plain(expr) {
		return Text{}
	}
	v, ok := d.argument(expr, cty.String, example)
	if !ok {
		return Text{}
	}
	return Text{Value: v.AsString(), Range: toRange(expr.Range())}
}

// plain reports references: a test that computed its expectation from the
// policies' own values would prove nothing.
func (d *decoder) plain(expr hclsyntax.Expression) bool {
	for _, t := range expr.Variables() {
		d.diags.Add(diag.New(diag.InvalidExpression, toRange(t.SourceRange()),
			fmt.Sprintf("There is nothing called %q in a test file: tests hold plain values, not the policies' variables. Plain text stands in double quotes.", t.RootName())))
		return false
	}
	return true
}
