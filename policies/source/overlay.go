package source

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/policies"
)

// Addition is what a list has over a catalogue.
type Addition struct {
	Applications []artifact.Application // only what is new of each
	Known        int                    // rows the catalogue has already
	Others       []Other                // rows it gives to another application
}

// Other is a domain or network that a catalogue gives to another application
// than the list does.
type Other struct {
	Row, List, Catalogue string
}

// Add compares a list with a catalogue. A row that the catalogue gives to
// another application stays there, unless take is set. A domain below one of
// the same application says nothing new, and neither does a network within.
func Add(cat *artifact.Catalogue, list *List, take bool) Addition {
	domains, networks := make(map[string]string), make(map[netip.Prefix]string)
	for _, a := range cat.Applications {
		for _, d := range a.Domains {
			domains[d] = a.Tag
		}
		for _, p := range a.Networks {
			networks[p] = a.Tag
		}
	}
	tags := make(map[string]bool, len(cat.Applications))
	for _, a := range cat.Applications {
		tags[a.Tag] = true
	}
	var out Addition
	for _, a := range list.Applications {
		add := artifact.Application{Tag: a.Tag, Name: a.Name, Category: a.Category}
		if !tags[a.Tag] {
			add.Ports = a.Ports
		}
		for _, d := range a.Domains {
			owner, exact := ownerOf(domains, d)
			if out.keep(d, a.Tag, owner, exact, take) {
				add.Domains = append(add.Domains, d)
				domains[d] = a.Tag
			}
		}
		for _, p := range a.Networks {
			owner, exact := networkOwner(networks, p)
			if out.keep(p.String(), a.Tag, owner, exact, take) {
				add.Networks = append(add.Networks, p)
				networks[p] = a.Tag
			}
		}
		if len(add.Domains)+len(add.Networks)+len(add.Ports) > 0 {
			out.Applications = append(out.Applications, add)
		}
	}
	return out
}

// keep says that a row is new, and counts it otherwise.
func (a *Addition) keep(row, tag, owner string, exact, take bool) bool {
	switch {
	case owner == tag:
		a.Known++
		return false
	case exact && !take:
		a.Others = append(a.Others, Other{row, tag, owner})
		return false
	}
	return true
}

// ownerOf finds who owns the longest suffix of a name.
func ownerOf(domains map[string]string, name string) (owner string, exact bool) {
	for rest, more := name, true; more; _, rest, more = strings.Cut(rest, ".") {
		if owner, ok := domains[rest]; ok {
			return owner, rest == name
		}
	}
	return "", false
}

func networkOwner(networks map[netip.Prefix]string, p netip.Prefix) (owner string, exact bool) {
	for bits := p.Bits(); bits > 0; bits-- {
		outer, err := p.Addr().Prefix(bits)
		if err != nil {
			return "", false // not reached: bits come from the prefix
		}
		if owner, ok := networks[outer]; ok {
			return owner, bits == p.Bits()
		}
	}
	return "", false
}

// HCL writes applications as blocks for a policy directory. known says which
// tags the catalogue has; others get a name and the category, or their own.
func HCL(apps []artifact.Application, known func(tag string) bool, category, comment string) []byte {
	var b strings.Builder
	for line := range strings.Lines(comment) {
		b.WriteString("# " + strings.TrimRight(line, "\n") + "\n")
	}
	for _, a := range apps {
		fmt.Fprintf(&b, "\napplication %s {\n", quote(a.Tag))
		if !known(a.Tag) {
			if a.Name != "" {
				fmt.Fprintf(&b, "  name = %s\n", quote(a.Name))
			}
			fmt.Fprintf(&b, "  category = %s\n", quote(firstOf(a.Category, category)))
		}
		texts(&b, "domains", a.Domains)
		networks := make([]string, len(a.Networks))
		for i, p := range a.Networks {
			networks[i] = p.String()
		}
		texts(&b, "networks", networks)
		var ports []string
		for _, r := range a.Ports {
			if !r.NeedsNetwork && !r.NeedsBrand { // the networks alone name the application there
				ports = append(ports, policies.PortText(r))
			}
		}
		texts(&b, "ports", ports)
		b.WriteString("}\n")
	}
	return []byte(b.String())
}

func firstOf(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func texts(b *strings.Builder, name string, list []string) {
	if len(list) == 0 {
		return
	}
	fmt.Fprintf(b, "  %s = [\n", name)
	for _, s := range list {
		fmt.Fprintf(b, "    %s,\n", quote(s))
	}
	b.WriteString("  ]\n")
}

// quote writes a string of HCL, in which "${" and "%{" begin templates.
func quote(s string) string {
	s = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\r", `\r`, "\t", `\t`, "${", "$${", "%{", "%%{").Replace(s)
	return `"` + s + `"`
}
