package importer

import (
	"slices"
	"strings"
)

// MaxNesting bounds the parentheses of a condition; the language reads 64.
const MaxNesting = 60

// Shape says what a condition looks like from outside.
type Shape uint8

// Shapes.
const (
	Atom   Shape = iota // binds tightly enough to stand anywhere
	And                 // parts joined by &&
	Or                  // parts joined by ||
	Never               // false for every flow
	Always              // true for every flow
)

// Condition is a criterion of netpol in the making. The zero Condition is empty
// and stands for none.
type Condition struct {
	Text  string
	Shape Shape
	Depth int      // of parentheses
	parts []string // of And and Or, with their parentheses
}

// NewAtom is a condition that binds tightly.
func NewAtom(text string) Condition { return Condition{Text: text} }

// Fixed is the condition that holds for every flow, or for none.
func Fixed(v bool) Condition {
	if v {
		return Condition{Text: "true", Shape: Always}
	}
	return Condition{Text: "false", Shape: Never}
}

// AllOf joins conditions by &&.
func AllOf(list ...Condition) Condition { return join(list, And) }

// AnyOf joins conditions by ||.
func AnyOf(list ...Condition) Condition { return join(list, Or) }

// join joins conditions by one operator. Parts of the other operator get
// parentheses, those of the same are taken in; a part that stands twice, or is
// always the same, is folded away.
func join(list []Condition, as Shape) Condition {
	sep, decides, vanishes := " && ", Never, Always
	if as == Or {
		sep, decides, vanishes = " || ", Always, Never
	}
	out := Condition{Shape: as}
	seen := map[string]bool{}
	var last Condition
	for _, c := range list {
		if c.Shape == decides {
			return c
		}
		if c.Shape == vanishes {
			continue
		}
		depth := c.Depth
		parts := c.parts
		switch {
		case c.Shape == Atom:
			parts = []string{c.Text}
		case c.Shape != as:
			parts = []string{"(" + c.Text + ")"}
			depth++
		}
		for _, p := range parts {
			if !seen[p] {
				seen[p] = true
				out.parts, last = append(out.parts, p), c
			}
		}
		out.Depth = max(out.Depth, depth)
	}
	switch len(out.parts) {
	case 0:
		return Fixed(as == And)
	case 1:
		return last
	}
	out.Text = strings.Join(out.parts, sep)
	return out
}

// Not is the opposite of a condition.
func Not(c Condition) Condition {
	switch c.Shape {
	case Never, Always:
		return Fixed(c.Shape == Never)
	case Atom:
		if text, ok := opposite(c.Text); ok {
			return NewAtom(text)
		}
	case And, Or:
	}
	return Condition{Text: "!(" + c.Text + ")", Depth: c.Depth + 1}
}

// opposite is the opposite of a simple comparison: of one attribute with one
// text or number.
func opposite(text string) (string, bool) {
	words := strings.Fields(text)
	if inner, ok := strings.CutPrefix(text, "!("); ok && strings.HasSuffix(inner, ")") && strings.Count(inner, "(") == 0 {
		return strings.TrimSuffix(inner, ")"), strings.Count(inner, ")") == 1 && !strings.ContainsAny(inner, "|&")
	}
	if len(words) != 3 || !slices.Contains([]string{"==", "!="}, words[1]) {
		return "", false
	}
	return words[0] + " " + map[string]string{"==": "!=", "!=": "=="}[words[1]] + " " + words[2], true
}
