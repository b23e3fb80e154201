package netify

import "strings"

// node is a condition of criteria: *logic, *bare or *compare.
type node interface {
	// span is the bytes of the criteria it stands in, without its own
	// parentheses.
	span() (from, to int)
}

// logic joins conditions by && or ||. A run of one operator is one node, the
// last of which may be a logic of the other: a && b || c is and(a, or(b, c)).
type logic struct {
	and  bool
	list []node // two or more
}

// bare is an attribute alone, or after a !.
type bare struct {
	attr     attribute
	not      bool
	from, to int
}

// compare is an attribute, an operator and a value.
type compare struct {
	attr     attribute
	op       string
	value    token
	from, to int
}

func (n *logic) span() (from, to int) {
	from, _ = n.list[0].span()
	_, to = n.list[len(n.list)-1].span()
	return from, to
}

func (n *bare) span() (from, to int)    { return n.from, n.to }
func (n *compare) span() (from, to int) { return n.from, n.to }

// statement is one string of criteria.
type statement struct {
	text string
	all  bool // *
	// empty is "", which no flow matches.
	empty bool
	// compact is the short form: one comparison of a tag, perhaps an id.
	root node
	// earlier counts the expressions before the last, which have no effect.
	earlier int
	mixed   []*logic // where && met || without parentheses
	found   []found  // spellings that were put right
}

// found is something to tell about a stretch of the criteria.
type found struct {
	from, to int
	was, is  string
}

// canonical is a condition in Netify's syntax with the parentheses that it
// means.
func canonical(n node, text string) string {
	l, ok := n.(*logic)
	if !ok {
		from, to := n.span()
		return text[from:to]
	}
	sep := " || "
	if l.and {
		sep = " && "
	}
	parts := make([]string, len(l.list))
	for i, e := range l.list {
		parts[i] = canonical(e, text)
		if inner, ok := e.(*logic); ok && inner.and != l.and {
			parts[i] = "(" + parts[i] + ")"
		}
	}
	return strings.Join(parts, sep)
}
