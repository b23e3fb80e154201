package flowspace

import (
	"cmp"
	"slices"

	"github.com/netpol/netpol/compiler/artifact"
)

// names are the tags of a closed vocabulary, class by class. Class 0 is "not
// known"; tags of one category stand together, so that a category is one
// interval.
type names struct {
	tags       []string
	categories []string // of the tag at the same index
	brands     []string // of the tag at the same index; empty for protocols
	index      map[string]int
}

type named struct{ tag, category, brand string }

func applicationNames(cat *artifact.Catalogue) *names {
	list := make([]named, len(cat.Applications))
	for i, a := range cat.Applications {
		list[i] = named{a.Tag, a.Category, a.BrandTag()}
	}
	return newNames(list)
}

func protocolNames(cat *artifact.Catalogue) *names {
	list := make([]named, len(cat.Protocols))
	for i, p := range cat.Protocols {
		list[i] = named{p.Tag, p.Category, ""}
	}
	return newNames(list)
}

func newNames(list []named) *names {
	slices.SortFunc(list, func(a, b named) int {
		return cmp.Or(cmp.Compare(a.category, b.category), cmp.Compare(a.tag, b.tag))
	})
	n := &names{tags: []string{""}, categories: []string{""}, brands: []string{""}, index: map[string]int{"": 0}}
	for _, x := range list {
		if x.tag == "" {
			continue
		}
		n.index[x.tag] = len(n.tags)
		n.tags = append(n.tags, x.tag)
		n.categories = append(n.categories, x.category)
		n.brands = append(n.brands, x.brand)
	}
	return n
}

// tagged lists the classes of some tags.
func (n *names) tagged(tags []string) []int {
	var out []int
	for _, t := range tags {
		if i, ok := n.index[t]; ok {
			out = append(out, i)
		}
	}
	return out
}

// categorised lists the classes whose category is one of some.
func (n *names) categorised(categories []string) []int {
	var out []int
	for i, c := range n.categories {
		if slices.Contains(categories, c) {
			out = append(out, i)
		}
	}
	return out
}

// branded lists the classes whose brand is one of some.
func (n *names) branded(brands []string) []int {
	var out []int
	for i, b := range n.brands {
		if slices.Contains(brands, b) {
			out = append(out, i)
		}
	}
	return out
}
