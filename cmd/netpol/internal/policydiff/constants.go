package policydiff

import (
	"net/netip"
	"regexp"
	"slices"
	"strconv"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/lang/fact"
)

// atom is one test of an attribute, wherever in a program it stands.
type atom struct {
	attr fact.Attribute
	test *artifact.Test
}

// vocabulary is what a set of policies asks about.
type vocabulary struct {
	atoms []atom
	codes []string       // sources of bytecode
	local []netip.Prefix // what the sets take for local
	taken map[*artifact.Bundle]map[int]bool
}

// add takes the tests of the given policies of a bundle; nil for all.
func (v *vocabulary) add(b *artifact.Bundle, policies map[string]bool) {
	if v.taken == nil {
		v.taken = map[*artifact.Bundle]map[int]bool{}
	}
	if v.taken[b] == nil {
		v.taken[b] = map[int]bool{}
	}
	v.local = append(v.local, b.Settings.LocalNetworks...)
	for _, c := range b.Program.Clauses {
		if policies != nil && !policies[b.Policies[c.Policy].Name] {
			continue
		}
		for _, l := range c.If {
			v.addTest(b, l.Test())
		}
	}
}

func (v *vocabulary) addTest(b *artifact.Bundle, id int) {
	if v.taken[b][id] {
		return
	}
	v.taken[b][id] = true
	t := &b.Program.Tests[id]
	switch t.Op {
	case artifact.TestAll, artifact.TestAny:
		for _, l := range t.Of {
			v.addTest(b, l.Test())
		}
	case artifact.TestCode:
		v.codes = append(v.codes, b.Program.Codes[t.Code].Source)
	default:
		if a, ok := fact.Lookup(t.Attribute); ok {
			v.atoms = append(v.atoms, atom{a, t})
		}
	}
}

// of are the tests of an attribute.
func (v *vocabulary) of(names ...string) []*artifact.Test {
	var out []*artifact.Test
	for _, a := range v.atoms {
		if slices.Contains(names, a.attr.Name) {
			out = append(out, a.test)
		}
	}
	return out
}

var (
	word   = regexp.MustCompile(`[a-z_][a-z0-9_]*`)
	number = regexp.MustCompile(`\b[0-9]{1,9}\b`)
)

// inCode reports whether bytecode reads one of the attributes.
func (v *vocabulary) inCode(names ...string) bool {
	for _, source := range v.codes {
		for _, w := range word.FindAllString(source, -1) {
			if slices.Contains(names, w) {
				return true
			}
		}
	}
	return false
}

// codeNumbers are the whole numbers in bytecode, and their neighbours.
func (v *vocabulary) codeNumbers() []int {
	var out []int
	for _, source := range v.codes {
		for _, s := range number.FindAllString(source, -1) {
			if n, err := strconv.Atoi(s); err == nil {
				out = append(out, n-1, n, n+1)
			}
		}
	}
	return out
}

// reads reports whether any condition reads one of the attributes.
func (v *vocabulary) reads(names ...string) bool {
	return v.inCode(names...) || len(v.of(names...)) > 0
}
