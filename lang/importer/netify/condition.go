package netify

import (
	"strings"
)

// maxNesting bounds the parentheses of what is written; netpol reads 64.
const maxNesting = 60

// shape says what a condition looks like from outside.
type shape uint8

const (
	shapeAtom shape = iota
	shapeAnd
	shapeOr
	shapeNever  // false for every flow
	shapeAlways // true for every flow
)

// condition is a criterion of netpol.
type condition struct {
	text  string
	shape shape
	depth int // of parentheses
}

func atom(text string) condition { return condition{text: text} }

func never() condition { return condition{text: "false", shape: shapeNever} }

func always() condition { return condition{text: "true", shape: shapeAlways} }

// fixed is always or never.
func fixed(v bool) condition {
	if v {
		return always()
	}
	return never()
}

func allOf(list ...condition) condition { return join(list, shapeAnd, " && ") }

func anyOf(list ...condition) condition { return join(list, shapeOr, " || ") }

// join joins conditions by one operator. Parts of the other operator get
// parentheses; parts that are always the same are folded away.
func join(list []condition, as shape, sep string) condition {
	decides, vanishes := shapeNever, shapeAlways
	if as == shapeOr {
		decides, vanishes = shapeAlways, shapeNever
	}
	var parts []condition
	for _, c := range list {
		switch c.shape {
		case decides:
			return c
		case vanishes:
			continue
		case shapeAtom, shapeAnd, shapeOr, shapeNever, shapeAlways:
		}
		parts = append(parts, c)
	}
	switch len(parts) {
	case 0:
		return fixed(as == shapeAnd)
	case 1:
		return parts[0]
	}
	texts := make([]string, len(parts))
	depth := 0
	for i, c := range parts {
		texts[i] = c.text
		if c.shape != as && c.shape != shapeAtom {
			texts[i] = "(" + c.text + ")"
			c.depth++
		}
		depth = max(depth, c.depth)
	}
	return condition{text: strings.Join(texts, sep), shape: as, depth: depth}
}

// negation is the opposite of a condition.
func negation(c condition) condition {
	switch c.shape {
	case shapeNever:
		return always()
	case shapeAlways:
		return never()
	case shapeAtom, shapeAnd, shapeOr:
	}
	return condition{text: "!(" + c.text + ")", depth: c.depth + 1}
}
