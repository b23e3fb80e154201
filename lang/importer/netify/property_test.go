package netify_test

import (
	"encoding/json"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/program"
	"github.com/netpol/netpol/lang/fact"
	"github.com/netpol/netpol/lang/importer"
	"github.com/netpol/netpol/lang/importer/importertest"
	"github.com/netpol/netpol/lang/importer/netify"
)

// chain is criteria as Netify's grammar sees them: terms and the operators
// between them. It evaluates by the rule of the reference and not by the
// importer's tree: an operator takes its term and all that follows.
type chain struct {
	terms []term
	and   []bool
}

// term is an atom, or a chain in parentheses.
type term struct {
	text  string
	holds func(*fact.Facts) bool
	inner *chain
}

func (c *chain) eval(f *fact.Facts) bool {
	first := c.terms[0].eval(f)
	if len(c.and) == 0 {
		return first
	}
	rest := (&chain{c.terms[1:], c.and[1:]}).eval(f)
	if c.and[0] {
		return first && rest
	}
	return first || rest
}

func (t term) eval(f *fact.Facts) bool {
	if t.inner != nil {
		return t.inner.eval(f)
	}
	return t.holds(f)
}

// write is the criteria's text, with operators spelled in all the ways.
func (c *chain) write(t *rapid.T) string {
	var b strings.Builder
	for i, term := range c.terms {
		if i > 0 {
			ops := []string{" || ", " or ", "||", " OR "}
			if c.and[i-1] {
				ops = []string{" && ", " and ", "&&", "\tAND  "}
			}
			b.WriteString(rapid.SampledFrom(ops).Draw(t, "op"))
		}
		if term.inner != nil {
			b.WriteString("( " + term.inner.write(t) + ")")
		} else {
			b.WriteString(term.text)
		}
	}
	return b.String()
}

func drawChain(t *rapid.T, depth int) *chain {
	c := &chain{}
	for i := range rapid.IntRange(1, 5).Draw(t, "terms") {
		if i > 0 {
			c.and = append(c.and, rapid.Bool().Draw(t, "and"))
		}
		if depth > 0 && rapid.IntRange(0, 3).Draw(t, "nested") == 0 {
			c.terms = append(c.terms, term{inner: drawChain(t, depth-1)})
		} else {
			c.terms = append(c.terms, drawAtom(t))
		}
	}
	return c
}

// importFile imports a file of flow actions and loads the program.
func importFile(t *rapid.T, tb testing.TB, file map[string]any) (*artifact.Bundle, *program.Machine) {
	source, err := json.Marshal(file)
	if err != nil {
		t.Fatal(err)
	}
	result := netify.Import(importer.Input{Name: "in.json", Source: source, Names: importertest.Vocabulary()})
	if result.Report.Findings.HasErrors() {
		t.Fatalf("%s\n%v", source, result.Report.Findings)
	}
	for _, i := range result.Report.Items {
		if i.State == importer.Disabled && !strings.Contains(result.Report.Findings.Error(), "it never matches") {
			t.Fatalf("%s was disabled: %s\n%v", i.Name, source, result.Report.Findings)
		}
	}
	bundle := importertest.CheckCompiles(tb, result)
	p, err := program.Load(bundle)
	if err != nil {
		t.Fatal(err)
	}
	return bundle, p.NewMachine()
}

// TestCriteriaKeepTheirMeaning compares what random criteria mean in Netify
// with what their import does, compiled and run.
func TestCriteriaKeepTheirMeaning(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		c := drawChain(rt, 3)
		text := c.write(rt) + rapid.SampledFrom([]string{";", " ;", "; "}).Draw(rt, "end")
		_, m := importFile(rt, t, map[string]any{
			"targets": map[string]any{"l": map[string]any{"target_type": "ctlabel", "labels": []string{"l"}}},
			"actions": map[string]any{"a": map[string]any{"criteria": text, "targets": []string{"l"}}},
		})
		for range 20 {
			f := drawFacts(rt)
			if got, want := len(m.Eval(f).Policies) > 0, c.eval(f); got != want {
				rt.Fatalf("%s\non %+v: got %v, want %v", text, *f, got, want)
			}
		}
	})
}

// drawnAction is an action and what it means.
type drawnAction struct {
	criteria, exempt []*chain
	addresses        []string
	enabled, halt    bool
	iface            string
}

func (a *drawnAction) matches(f *fact.Facts, global []*chain) bool {
	holds := func(c *chain) bool { return c.eval(f) }
	for _, addr := range a.addresses {
		if ip := netip.MustParseAddr(addr); f.LocalIP == ip || f.OtherIP == ip {
			return false
		}
	}
	return a.enabled && (a.iface == "*" || a.iface == f.Interface) && slices.ContainsFunc(a.criteria, holds) &&
		!slices.ContainsFunc(a.exempt, holds) && !slices.ContainsFunc(global, holds)
}

func (a *drawnAction) object(t *rapid.T, label string) map[string]any {
	list := func(chains []*chain) []string {
		out := []string{}
		for _, c := range chains {
			out = append(out, c.write(t)+";")
		}
		return out
	}
	return map[string]any{
		"criteria": list(a.criteria), "exemptions": append(list(a.exempt), a.addresses...), "enabled": a.enabled,
		"halt_on_match": a.halt, "interface": a.iface, "targets": []string{label},
	}
}

func drawChains(t *rapid.T, low, high int) (out []*chain) {
	for range rapid.IntRange(low, high).Draw(t, "chains") {
		out = append(out, drawChain(t, 1))
	}
	return out
}

// TestActionsKeepTheirMeaning does the same for whole files: exemptions, the
// interface, disabled actions, and actions that halt.
func TestActionsKeepTheirMeaning(t *testing.T) {
	names := []string{"a", "b", "c", "d"}
	rapid.Check(t, func(rt *rapid.T) {
		targets, objects := map[string]any{}, map[string]any{}
		actions := map[string]*drawnAction{}
		for _, name := range names {
			actions[name] = &drawnAction{
				criteria: drawChains(rt, 1, 2), exempt: drawChains(rt, 0, 1), enabled: rapid.IntRange(0, 3).Draw(rt, "on") > 0,
				halt: rapid.Bool().Draw(rt, "halt"), iface: rapid.SampledFrom([]string{"*", "*", "br-lan"}).Draw(rt, "iface"),
				addresses: rapid.SliceOfN(rapid.SampledFrom(worldAddrs), 0, 2).Draw(rt, "addresses"),
			}
			objects[name] = actions[name].object(rt, name)
			targets[name] = map[string]any{"target_type": "ctlabel", "labels": []string{name}}
		}
		global := drawChains(rt, 0, 1)
		texts := []string{}
		for _, c := range global {
			texts = append(texts, c.write(rt)+";")
		}
		bundle, m := importFile(rt, t, map[string]any{"targets": targets, "actions": objects, "exemptions": texts})
		for range 20 {
			f := drawFacts(rt)
			var want []string
			for _, name := range names {
				if actions[name].matches(f, global) {
					want = append(want, name)
					if actions[name].halt {
						break
					}
				}
			}
			var got []string
			for _, id := range m.Eval(f).Policies {
				got = append(got, bundle.Policies[id].Name)
			}
			slices.Sort(got)
			if !slices.Equal(got, want) {
				rt.Fatalf("%v\non %+v: got %v, want %v", objects, *f, got, want)
			}
		}
	})
}
