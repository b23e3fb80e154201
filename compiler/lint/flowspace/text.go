package flowspace

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"github.com/netpol/netpol/compiler/ir"
	"github.com/netpol/netpol/compiler/lint/bdd"
	"github.com/netpol/netpol/compiler/lint/pattern"
	"github.com/netpol/netpol/lang/fact"
)

// text cuts the values of a text into classes: each constant, and for each
// suffix what ends in it but in no longer one. Prefixes are a column of their
// own, and what is left is true or false by itself.
type text struct {
	attr     fact.Attribute
	group    groups
	classes  []textClass // sorted by reversed text: what ends alike stands together
	index    map[textClass]int
	prefixes []string // sorted; class 0 of starts is none of them
	starts   column
	patterns []textPattern
	spend    func(steps int)
	tried    map[string][]int // patterns that texts made up for witnesses hold
}

// textClass is one constant, or what ends in a suffix.
type textClass struct {
	value    string
	constant bool
}

// textPattern is a test with a variable of its own.
type textPattern struct {
	op    ir.Op // OpContains or OpMatches
	value string
	re    *regexp.Regexp // of OpMatches
	// cased says that it minds case where classes do not, so that the class of
	// a value does not decide it.
	cased bool
	level int
}

func (p *textPattern) key() string { return p.op.String() + " " + p.value }

func (p *textPattern) holds(s string) bool {
	if p.re != nil {
		return p.re.MatchString(s)
	}
	return strings.Contains(s, p.value)
}

func newText(a fact.Attribute, g groups, spend func(int)) *text {
	t := &text{attr: a, group: g, spend: spend, index: map[textClass]int{}}
	t.class("", true) // not known
	t.class("", false)
	return t
}

func (t *text) class(value string, constant bool) {
	c := textClass{value, constant}
	if _, ok := t.index[c]; !ok {
		t.index[c] = 0
		t.classes = append(t.classes, c)
	}
}

// add notes the constants of a comparison.
func (t *text) add(c *ir.Compare) {
	for _, s := range c.Strings {
		op, value := plain(t.attr, c.Op, s)
		switch op {
		case ir.OpEqual:
			t.class(value, true)
		case ir.OpDomain:
			t.class(value, true)
			t.class("."+value, false)
		case ir.OpEndsWith:
			t.class(value, false)
		case ir.OpStartsWith:
			if value != "" {
				t.prefixes = append(t.prefixes, value)
			}
		default:
			t.addPattern(op, value)
		}
	}
}

// plain turns a regular expression that only says what another operator says
// into that operator.
func plain(a fact.Attribute, op ir.Op, s string) (ir.Op, string) {
	if op != ir.OpMatches || !folded(a, s) {
		return op, s
	}
	p, ok := pattern.Plain(s)
	if !ok {
		return op, s
	}
	switch p.Kind {
	case pattern.Equal:
		return ir.OpEqual, p.Text
	case pattern.Prefix:
		return ir.OpStartsWith, p.Text
	case pattern.Suffix:
		return ir.OpEndsWith, p.Text
	case pattern.Contains:
		return ir.OpContains, p.Text
	case pattern.Domain:
		return ir.OpDomain, p.Text
	}
	return op, s
}

// folded says that an expression minds case where plain operators on the
// attribute do.
func folded(a fact.Attribute, re string) bool {
	return !ir.FoldsCase(a) || strings.HasPrefix(re, "(?i)")
}

func (t *text) addPattern(op ir.Op, value string) {
	p := textPattern{op: op, value: value}
	if slices.ContainsFunc(t.patterns, func(q textPattern) bool { return q.op == op && q.value == value }) {
		return
	}
	if op == ir.OpMatches {
		re, err := regexp.Compile(value)
		if err != nil {
			return
		}
		p.re, p.cased = re, !folded(t.attr, value)
	}
	t.patterns = append(t.patterns, p)
}

func (t *text) build() {
	keys := make(map[textClass]string, len(t.classes))
	for _, c := range t.classes {
		keys[c] = reversed(c.value)
	}
	slices.SortFunc(t.classes, func(a, b textClass) int {
		return cmp.Or(cmp.Compare(keys[a], keys[b]), rank(a)-rank(b))
	})
	for i, c := range t.classes {
		t.index[c] = i
	}
	slices.Sort(t.prefixes)
	t.prefixes = slices.Compact(t.prefixes)
}

// rank puts a suffix before the constant of the same text, so that all that
// ends in it follows; only "not known" stands before everything.
func rank(c textClass) int {
	switch {
	case c.value == "" && c.constant:
		return 0
	case c.constant:
		return 2
	}
	return 1
}

func reversed(s string) string {
	b := []byte(s)
	slices.Reverse(b)
	return string(b)
}

// in is the classes that a comparison with one constant holds for; ok is false
// for comparisons that classes do not decide.
func (t *text) in(op ir.Op, value string) (in []bdd.Interval, ok bool) {
	switch op {
	case ir.OpEqual:
		i := t.index[textClass{value, true}]
		return []bdd.Interval{{Low: i, High: i}}, true
	case ir.OpEndsWith:
		return []bdd.Interval{t.under(value)}, true
	case ir.OpDomain:
		i := t.index[textClass{value, true}]
		return merge([]bdd.Interval{{Low: i, High: i}, t.under("." + value)}), true
	default:
		return nil, false
	}
}

// under is the classes of values that end in a suffix.
func (t *text) under(suffix string) bdd.Interval {
	if suffix == "" {
		return bdd.Interval{Low: 0, High: len(t.classes) - 1}
	}
	low := t.index[textClass{suffix, false}]
	high := low
	for high+1 < len(t.classes) && strings.HasSuffix(t.classes[high+1].value, suffix) {
		high++
	}
	return bdd.Interval{Low: low, High: high}
}

// startingWith is the classes of the column starts for a prefix.
func (t *text) startingWith(prefix string) bdd.Interval {
	low, _ := slices.BinarySearch(t.prefixes, prefix)
	high := low
	for high+1 < len(t.prefixes) && strings.HasPrefix(t.prefixes[high+1], prefix) {
		high++
	}
	return bdd.Interval{Low: low + 1, High: high + 1}
}

// classOf is the class of a value.
func (t *text) classOf(s string) int {
	if i, ok := t.index[textClass{s, true}]; ok {
		return i
	}
	for from := range s {
		if i, ok := t.index[textClass{s[from:], false}]; ok {
			return i
		}
	}
	return t.index[textClass{"", false}]
}

// startOf is the class of a value in the column starts.
func (t *text) startOf(s string) int {
	for to := len(s); to > 0; to-- {
		if i, ok := slices.BinarySearch(t.prefixes, s[:to]); ok {
			return i + 1
		}
	}
	return 0
}
