package cli

import (
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/netpol/netpol/cmd/netpol/internal/doctor"
	"github.com/netpol/netpol/compiler/artifact"
)

// warnInterfaces tells of interfaces that policies name and that are not on this
// router: a name that is mistyped, renamed or not there yet matches nothing.
func (t *tool) warnInterfaces(b *artifact.Bundle) error {
	links, err := net.Interfaces()
	if err != nil {
		return fmt.Errorf("list interfaces: %w", err)
	}
	there := make([]string, 0, len(links))
	for _, l := range links {
		there = append(there, l.Name)
	}
	named := func(criteria, name string) bool { // conditions compare in lower case
		criteria = strings.ToLower(criteria)
		return strings.Contains(criteria, "'"+name+"'") || strings.Contains(criteria, `"`+name+`"`)
	}
	for _, name := range namedInterfaces(&b.Program) {
		if slices.ContainsFunc(there, func(l string) bool { return strings.EqualFold(l, name) }) {
			continue
		}
		by := ""
		for _, p := range b.Policies {
			if p.Part == 0 && named(p.Criteria, name) {
				by = fmt.Sprintf(" (policy %s, %s:%d)", p.Name, p.File, p.Line)
				break
			}
		}
		if err := t.progress("No interface of this router is named %s%s: what asks for it holds for nothing until there is one; there are %s", name, by, strings.Join(there, ", ")); err != nil {
			return err
		}
	}
	return t.warnInputs(b, there)
}

// warnInputs tells of inputs that show nothing now, and of those that show what
// something else shows as well.
func (t *tool) warnInputs(b *artifact.Bundle, there []string) error {
	for _, in := range b.Inputs {
		if slices.Contains(there, in.Interface) {
			continue
		}
		if err := t.progress("No interface of this router is named %s (input %s): it is read once there is one", in.Interface, in.Name); err != nil {
			return err
		}
	}
	for _, f := range doctor.SeenTwice(doctor.Machine{Bundle: b}) {
		if err := t.progress("The %s: %s; %s", f.Check, f.Detail, f.Fix); err != nil {
			return err
		}
	}
	return nil
}

// namedInterfaces are the names that conditions ask for, in order.
func namedInterfaces(p *artifact.Program) []string {
	var names []string
	for _, test := range p.Tests {
		if test.Attribute == "interface" && test.Op == artifact.TestEqual {
			names = append(names, test.Text...)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
