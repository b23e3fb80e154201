package policydiff

import (
	"slices"
	"strings"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/lang/fact"
)

// named is a tag and the categories it has on the sides.
type named struct {
	tag        string
	categories []string
}

func applications(catalogues []*artifact.Catalogue) []named {
	return tagsOf(catalogues, func(c *artifact.Catalogue, add func(tag, category string)) {
		for _, a := range c.Applications {
			add(a.Tag, a.Category)
		}
	})
}

func protocols(catalogues []*artifact.Catalogue) []named {
	return tagsOf(catalogues, func(c *artifact.Catalogue, add func(tag, category string)) {
		for _, p := range c.Protocols {
			add(p.Tag, p.Category)
		}
	})
}

// tagsOf joins the tags of several catalogues. A tag that a catalogue lacks
// has no category there.
func tagsOf(catalogues []*artifact.Catalogue, each func(*artifact.Catalogue, func(tag, category string))) []named {
	index := map[string]int{}
	var out []named
	for side, c := range catalogues {
		each(c, func(tag, category string) {
			i, ok := index[tag]
			if !ok {
				i = len(out)
				index[tag] = i
				out = append(out, named{tag, make([]string, len(catalogues))})
			}
			out[i].categories[side] = category
		})
	}
	slices.SortFunc(out, func(a, b named) int { return strings.Compare(a.tag, b.tag) })
	return out
}

// tags picks one tag of each class that no test tells apart, and none. There
// are finitely many tags, so asking each test about each is exact whatever the
// tests are; a tag that the policies write themselves stands for its class.
func (v *vocabulary) tags(a fact.Attribute, all []named) []string {
	own := v.of(a.Name)
	var byCategory []*artifact.Test
	for _, c := range derivedBy[a.Name] {
		byCategory = append(byCategory, v.of(c)...)
	}
	seen := map[string]bool{}
	out := []string{""}
	pick := func(list []named) {
		for _, n := range list {
			key := signature(own, n.tag)
			for _, c := range n.categories {
				key += "/" + signature(byCategory, c)
			}
			if !seen[key] {
				seen[key] = true
				out = append(out, n.tag)
			}
		}
	}
	written := func(n named) bool {
		return slices.ContainsFunc(own, func(t *artifact.Test) bool { return slices.Contains(t.Text, n.tag) })
	}
	pick(slices.DeleteFunc(slices.Clone(all), func(n named) bool { return !written(n) }))
	pick(all)
	return out
}

// signature is how each test answers for a text.
func signature(tests []*artifact.Test, s string) string {
	b := make([]byte, len(tests))
	for i, t := range tests {
		b[i] = '0'
		if holdsFor(t, s) {
			b[i] = '1'
		}
	}
	return string(b)
}
