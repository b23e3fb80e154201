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
)

// overlay returns the catalogue with the set's own categories and applications
// in it. What an author says of a domain or network counts more than what the
// catalogue says, so the same domain is taken away from other applications.
func (r *resolver) overlay(base *artifact.Catalogue) *artifact.Catalogue {
	out := *base
	if len(r.policy.Applications) == 0 && len(r.policy.Categories) == 0 {
		return &out
	}
	o := overlay{r: r, out: &out, categories: map[string]bool{}, at: map[string]int{}}
	o.addCategories(base)
	r.checkOwners()
	o.addApplications(base)
	o.takeFromOthers()
	o.checkBrands()
	out.Digest = digest(&out)
	return &out
}

// overlay is a catalogue in the making. Its lists are copies, but the lists
// inside of its applications are the base catalogue's until they change.
type overlay struct {
	r          *resolver
	out        *artifact.Catalogue
	categories map[string]bool
	at         map[string]int // of an application, by tag
}

func (o *overlay) addCategories(base *artifact.Catalogue) {
	o.out.Categories = slices.Clone(base.Categories)
	for _, c := range base.Categories {
		o.categories[c.Tag] = true
	}
	for _, c := range o.r.policy.Categories {
		if o.categories[c.Tag.Value] {
			o.r.diags.Add(diag.New(diag.ExistingInCatalogue, c.Tag.Range, fmt.Sprintf("The catalogue has a category %q already. Use it as it is, or choose another tag.", c.Tag.Value)))
			continue
		}
		o.categories[c.Tag.Value] = true
		o.out.Categories = append(o.out.Categories, artifact.Category{Tag: c.Tag.Value, Description: c.Description})
	}
	slices.SortFunc(o.out.Categories, func(a, b artifact.Category) int { return strings.Compare(a.Tag, b.Tag) })
}

func (o *overlay) addApplications(base *artifact.Catalogue) {
	o.out.Applications = slices.Clone(base.Applications)
	for i, a := range base.Applications {
		o.at[a.Tag] = i
	}
	for _, a := range o.r.policy.Applications {
		o.addApplication(a)
	}
	slices.SortFunc(o.out.Applications, func(a, b artifact.Application) int { return strings.Compare(a.Tag, b.Tag) })
}

// addApplication adds to an application of the catalogue, replaces it, or puts
// a new one in.
func (o *overlay) addApplication(a *lang.Application) {
	app := artifact.Application{Tag: a.Tag.Value, Name: a.Tag.Value}
	i, found := o.at[a.Tag.Value]
	if found {
		old := o.out.Applications[i]
		app.Name, app.Category, app.Brand = old.Name, old.Category, old.Brand
		if !a.Override {
			app.Domains, app.Networks, app.Ports = slices.Clone(old.Domains), slices.Clone(old.Networks), slices.Clone(old.Ports)
			app.Signatures = slices.Clone(old.Signatures)
		}
	} else {
		i = len(o.out.Applications)
		o.at[a.Tag.Value] = i
		o.out.Applications = append(o.out.Applications, app)
	}
	if a.Name != "" {
		app.Name = a.Name
	}
	app.Category = o.category(a, app.Category)
	if a.Brand.Value != "" {
		app.Brand = a.Brand.Value
	}
	if app.Brand == app.Tag { // its own brand, whatever the catalogue says
		app.Brand = ""
	}
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
	app.Signatures = o.signatures(a, &app)
	o.out.Applications[i] = app
}

// category checks the category an application is given; one that the catalogue
// does not have needs to be given.
func (o *overlay) category(a *lang.Application, old string) string {
	if a.Category.Value == "" {
		if old == "" {
			o.r.diags.Add(diag.New(diag.MissingArgument, a.Range, fmt.Sprintf("The catalogue has no application %q, so this block makes a new one, and that needs a category.", a.Tag.Value)))
		}
		return old
	}
	if !o.categories[a.Category.Value] {
		tags := make([]string, len(o.out.Categories))
		for i, c := range o.out.Categories {
			tags[i] = c.Tag
		}
		o.r.addUnknown(diag.New(diag.UnknownCategory, a.Category.Range, fmt.Sprintf("No category is tagged %q. A new one is made with a category block.", a.Category.Value)).
			WithHint(o.r.hints.Hint(a.Category.Value, tags)))
	}
	return a.Category.Value
}

// checkBrands holds the brands of the set's applications to be applications that
// are part of none: with one level, every application has one brand.
func (o *overlay) checkBrands() {
	brands := map[string]string{}
	tags := make([]string, 0, len(o.out.Applications))
	for _, a := range o.out.Applications {
		brands[a.Tag] = a.Brand
		tags = append(tags, a.Tag)
	}
	parts := map[string]string{} // of a brand, one
	for _, a := range o.out.Applications {
		if a.Brand != "" && parts[a.Brand] == "" {
			parts[a.Brand] = a.Tag
		}
	}
	for _, a := range o.r.policy.Applications {
		brand, at := brands[a.Tag.Value], a.Brand.Range
		if a.Brand.Value == "" || brand == "" {
			continue
		}
		above, known := brands[brand]
		switch {
		case !known:
			o.r.addUnknown(diag.New(diag.UnknownBrand, at, fmt.Sprintf("No application is tagged %q. A brand is an application of the catalogue, or of a block of its own.", brand)).
				WithHint(o.r.hints.Hint(brand, tags)))
		case above != "":
			o.r.diags.Add(diag.New(diag.InvalidBrand, at, fmt.Sprintf("%q is itself part of %q, and parts have no parts.", brand, above)).
				WithHint(fmt.Sprintf("write brand = %q", above)))
		case parts[a.Tag.Value] != "":
			o.r.diags.Add(diag.New(diag.InvalidBrand, at, fmt.Sprintf("%q is a brand: %q is part of it, and a brand is part of none.", a.Tag.Value, parts[a.Tag.Value])))
		}
	}
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
		for _, s := range a.Signatures {
			claim("The signature "+signatureKey(signatureOf(s)), s.Range)
		}
	}
}

// takeFromOthers removes the domains, networks and signatures that a block claims from every
// application but the block's.
func (o *overlay) takeFromOthers() {
	domains, networks, signatures := map[string]string{}, map[netip.Prefix]string{}, map[string]string{} // -> tag of the owner
	for _, a := range o.r.policy.Applications {
		for _, d := range a.Domains {
			domains[d.Value] = a.Tag.Value
		}
		for _, n := range a.Networks {
			networks[n.Prefix] = a.Tag.Value
		}
		for _, s := range a.Signatures {
			signatures[signatureKey(signatureOf(s))] = a.Tag.Value
		}
	}
	for i := range o.out.Applications {
		app := &o.out.Applications[i]
		app.Domains = without(app.Domains, func(d string) bool { owner, ok := domains[d]; return ok && owner != app.Tag })
		app.Networks = without(app.Networks, func(p netip.Prefix) bool { owner, ok := networks[p]; return ok && owner != app.Tag })
		app.Signatures = without(app.Signatures, func(s artifact.Signature) bool {
			owner, ok := signatures[signatureKey(s)]
			return ok && owner != app.Tag
		})
	}
}

// without is slices.DeleteFunc on a copy; the list itself if nothing goes.
func without[T any](list []T, gone func(T) bool) []T {
	if !slices.ContainsFunc(list, gone) {
		return list
	}
	return slices.DeleteFunc(slices.Clone(list), gone)
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
