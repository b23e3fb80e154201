package resolve

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/lang"
	"github.com/netpol/netpol/lang/diag"
	"github.com/netpol/netpol/lang/suggest"
)

// overlay returns the catalogue with the set's own categories and applications
// in it. What an author says of a domain or network counts more than what the
// catalogue says, so the same domain is taken away from other applications.
func (r *resolver) overlay(base *artifact.Catalogue) *artifact.Catalogue {
	out := *base
	if len(r.policy.Applications) == 0 && len(r.policy.Categories) == 0 {
		return &out
	}
	out.Categories = slices.Clone(base.Categories)
	out.Applications = slices.Clone(base.Applications)
	for _, c := range r.policy.Categories {
		r.addCategory(&out, c)
	}
	r.checkOwners()
	for _, a := range r.policy.Applications {
		r.addApplication(&out, a)
	}
	out.Digest = digest(&out)
	return &out
}

func (r *resolver) addCategory(cat *artifact.Catalogue, c *lang.Category) {
	i, found := slices.BinarySearchFunc(cat.Categories, c.Tag.Value, func(c artifact.Category, tag string) int {
		return strings.Compare(c.Tag, tag)
	})
	if found {
		r.diags.Add(diag.New(diag.ExistingInCatalogue, c.Tag.Range, fmt.Sprintf("The catalogue has a category %q already. Use it as it is, or choose another tag.", c.Tag.Value)))
		return
	}
	cat.Categories = slices.Insert(cat.Categories, i, artifact.Category{Tag: c.Tag.Value, Description: c.Description})
}

// addApplication adds to an application of the catalogue, replaces it, or puts
// a new one in.
func (r *resolver) addApplication(cat *artifact.Catalogue, a *lang.Application) {
	i, found := slices.BinarySearchFunc(cat.Applications, a.Tag.Value, func(a artifact.Application, tag string) int {
		return strings.Compare(a.Tag, tag)
	})
	app := artifact.Application{Tag: a.Tag.Value, Name: a.Tag.Value}
	if found {
		old := cat.Applications[i]
		app.Name, app.Category = old.Name, old.Category
		if !a.Override {
			app.Domains, app.Networks, app.Ports = slices.Clone(old.Domains), slices.Clone(old.Networks), slices.Clone(old.Ports)
		}
	} else {
		cat.Applications = slices.Insert(cat.Applications, i, app)
	}
	if a.Name != "" {
		app.Name = a.Name
	}
	app.Category = r.applicationCategory(cat, a, app.Category)
	for _, d := range a.Domains {
		app.Domains = append(app.Domains, d.Value)
	}
	for _, n := range a.Networks {
		app.Networks = append(app.Networks, n.Prefix)
	}
	for _, p := range a.Ports {
		app.Ports = append(app.Ports, artifact.PortRange{Transport: p.Transport, Low: p.Low, High: p.High})
	}
	slices.Sort(app.Domains)
	app.Domains = slices.Compact(app.Domains)
	slices.SortFunc(app.Networks, comparePrefixes)
	app.Networks = slices.Compact(app.Networks)
	cat.Applications[i] = app
	takeFromOthers(cat, i, a)
}

// applicationCategory checks the category an application is given; one that the
// catalogue does not have needs to be given.
func (r *resolver) applicationCategory(cat *artifact.Catalogue, a *lang.Application, old string) string {
	if a.Category.Value == "" {
		if old == "" {
			r.diags.Add(diag.New(diag.MissingArgument, a.Range, fmt.Sprintf("The catalogue has no application %q, so this block makes a new one, and that needs a category.", a.Tag.Value)))
		}
		return old
	}
	tags := make([]string, len(cat.Categories))
	for i, c := range cat.Categories {
		tags[i] = c.Tag
	}
	if !slices.Contains(tags, a.Category.Value) {
		r.diags.Add(diag.New(diag.UnknownCategory, a.Category.Range, fmt.Sprintf("No category is tagged %q. A new one is made with a category block.", a.Category.Value)).
			WithHint(suggest.Hint(a.Category.Value, tags)))
	}
	return a.Category.Value
}

// checkOwners reports domains and networks that two blocks claim: which of the
// two applications a flow belongs to could not be said.
func (r *resolver) checkOwners() {
	owner := map[string]diag.Range{}
	claim := func(what string, at diag.Range) {
		if first, ok := owner[what]; ok {
			r.diags.Add(diag.New(diag.Duplicate, at, fmt.Sprintf("%s is claimed at %s already. It can belong to one application only.", what, first)))
			return
		}
		owner[what] = at
	}
	for _, a := range r.policy.Applications {
		for _, d := range a.Domains {
			claim("The domain "+d.Value, d.Range)
		}
		for _, n := range a.Networks {
			claim("The network "+n.Prefix.String(), n.Range)
		}
	}
}

// takeFromOthers removes the domains and networks of a from every application
// but the one at index own.
func takeFromOthers(cat *artifact.Catalogue, own int, a *lang.Application) {
	domains, networks := map[string]bool{}, map[netip.Prefix]bool{}
	for _, d := range a.Domains {
		domains[d.Value] = true
	}
	for _, n := range a.Networks {
		networks[n.Prefix] = true
	}
	for i := range cat.Applications {
		other := &cat.Applications[i]
		if i == own {
			continue
		}
		// The slices may be the base catalogue's: copy before deleting.
		if slices.ContainsFunc(other.Domains, func(d string) bool { return domains[d] }) {
			other.Domains = slices.DeleteFunc(slices.Clone(other.Domains), func(d string) bool { return domains[d] })
		}
		if slices.ContainsFunc(other.Networks, func(p netip.Prefix) bool { return networks[p] }) {
			other.Networks = slices.DeleteFunc(slices.Clone(other.Networks), func(p netip.Prefix) bool { return networks[p] })
		}
	}
}

// digest is the hex sha256 of the catalogue's JSON without the digest itself.
func digest(cat *artifact.Catalogue) string {
	plain := *cat
	plain.Digest = ""
	data, err := json.Marshal(&plain)
	if err != nil {
		panic("resolve: catalogue does not marshal: " + err.Error()) // strings, numbers and prefixes always do
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
