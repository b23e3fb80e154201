package program

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"

	"github.com/gaissmai/bart"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/lang/fact"
)

// attribute is an attribute's place in fact.Attributes.
type attribute uint8

// test is a loaded artifact.Test.
type test struct {
	op   operator
	attr attribute
	fold bool // the value may hold capitals
	list bool // the value is several, joined by commas
	memo bool // dear enough to remember within one evaluation

	text   []string
	set    map[string]struct{} // text again, when it is long
	ranges []artifact.Range
	nets   []netip.Prefix
	tree   *bart.Lite // nets again, when they are many
	res    []*regexp.Regexp
	of     []artifact.Literal
	code   int
}

// operator is artifact.TestOp as a number.
type operator uint8

const (
	opEqual operator = iota
	opUnder
	opPrefix
	opSuffix
	opContains
	opMatches
	opRange
	opNetwork
	opFlag
	opAll
	opAny
	opCode
)

// shortList is the longest list that is compared one by one; a longer one
// gets a hash or a prefix tree. Measured: a hash look-up costs about as much
// as eight comparisons of short strings.
const shortList = 8

func (p *Program) loadTests(b *artifact.Bundle) error {
	attrs := make(map[string]attribute, len(fact.Attributes))
	for i, a := range fact.Attributes {
		attrs[a.Name] = attribute(i)
	}
	p.tests = make([]test, len(b.Program.Tests))
	for i, in := range b.Program.Tests {
		t, err := p.loadTest(i, in, attrs)
		if err != nil {
			return fmt.Errorf("test %d: %w", i, err)
		}
		p.tests[i] = t
	}
	return nil
}

func (p *Program) loadTest(i int, in artifact.Test, attrs map[string]attribute) (test, error) {
	switch in.Op {
	case artifact.TestAll, artifact.TestAny:
		return loadGroup(i, in)
	case artifact.TestCode:
		if in.Code < 0 || in.Code >= len(p.codes) {
			return test{}, fmt.Errorf("code %d of %d: %w", in.Code, len(p.codes), errInvalid)
		}
		return test{op: opCode, code: in.Code, memo: true}, nil
	case artifact.TestEqual, artifact.TestUnder, artifact.TestPrefix, artifact.TestSuffix, artifact.TestContains,
		artifact.TestMatches, artifact.TestRange, artifact.TestNetwork, artifact.TestFlag:
	default:
		return test{}, fmt.Errorf("operator %q: %w", in.Op, errInvalid)
	}
	attr, ok := attrs[in.Attribute]
	if !ok {
		return test{}, fmt.Errorf("attribute %q: %w", in.Attribute, errInvalid)
	}
	t, err := loadAtom(in, fact.Attributes[attr])
	t.attr = attr
	return t, err
}

// loadGroup loads all and any. They may refer to earlier tests only, so that
// evaluation ends.
func loadGroup(i int, in artifact.Test) (test, error) {
	for _, l := range in.Of {
		if l.Test() >= i {
			return test{}, fmt.Errorf("refers to test %d: %w", l.Test(), errInvalid)
		}
	}
	t := test{op: opAll, of: in.Of, memo: true}
	if in.Op == artifact.TestAny {
		t.op = opAny
	}
	return t, nil
}

// valueKind is the Go type an attribute's value has in fact.Facts.
type valueKind uint8

const (
	kindText valueKind = iota
	kindNumber
	kindAddr
	kindFlag
)

func kindOf(t fact.Type) valueKind {
	switch t {
	case fact.Number, fact.Port, fact.TLSVersion, fact.TimeOfDay:
		return kindNumber
	case fact.Address:
		return kindAddr
	case fact.Flag:
		return kindFlag
	case fact.Text, fact.ApplicationName, fact.ProtocolName, fact.CategoryName, fact.Hostname, fact.TextList, fact.EvidenceName,
		fact.MAC, fact.EnumName, fact.ScheduleName, fact.InterfaceName, fact.BrandName:
		return kindText
	}
	return kindText
}

// folds says that the attribute's values may hold capitals that comparisons
// must not see. Names and host names are lower case in Facts already; the
// kernel compares interface names byte by byte, and so must we.
func folds(a fact.Attribute) bool {
	return a.Type == fact.TextList || a.Type == fact.Text && a.Decided != fact.Kernel
}

// loadAtom loads a test of one attribute, which must be of a kind that the
// operator can read.
func loadAtom(in artifact.Test, a fact.Attribute) (test, error) {
	kind := kindOf(a.Type)
	t := test{fold: folds(a), list: a.Type.IsList()}
	fits := true
	switch in.Op {
	case artifact.TestFlag:
		fits = kind == kindFlag
		t.op = opFlag
	case artifact.TestRange:
		fits = kind == kindNumber
		t.op, t.ranges = opRange, in.Ranges
	case artifact.TestNetwork:
		fits = kind == kindAddr
		t.op, t.nets = opNetwork, in.Networks
		if len(t.nets) > shortList {
			t.tree = new(bart.Lite)
			for _, n := range t.nets {
				t.tree.Insert(n)
			}
		}
	default:
		fits = kind == kindText
		if err := t.loadText(in); err != nil {
			return test{}, err
		}
	}
	if !fits {
		return test{}, fmt.Errorf("operator %q on attribute %q: %w", in.Op, in.Attribute, errInvalid)
	}
	return t, nil
}

// loadText loads the operators on text.
func (t *test) loadText(in artifact.Test) error {
	t.text = in.Text
	switch in.Op {
	case artifact.TestEqual, artifact.TestUnder:
		t.op = opEqual
		if in.Op == artifact.TestUnder {
			t.op = opUnder
			if slices.Contains(t.text, "") {
				return fmt.Errorf("empty domain: %w", errInvalid)
			}
		}
		if len(t.text) > shortList {
			t.set = make(map[string]struct{}, len(t.text))
			for _, s := range t.text {
				t.set[s] = struct{}{}
			}
		}
	case artifact.TestPrefix:
		t.op = opPrefix
	case artifact.TestSuffix:
		t.op = opSuffix
	case artifact.TestContains:
		t.op, t.memo = opContains, true
	case artifact.TestMatches:
		t.op, t.memo = opMatches, true
		for _, s := range t.text {
			re, err := regexp.Compile(s)
			if err != nil {
				return fmt.Errorf("regular expression %q: %w", s, err)
			}
			t.res = append(t.res, re)
		}
	default:
		return fmt.Errorf("operator %q: %w", in.Op, errInvalid)
	}
	return nil
}
