package lang

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/netpol/netpol/lang/diag"
	"github.com/netpol/netpol/lang/suggest"
)

// MaxNameBytes bounds a policy's name, which becomes part of nft comments.
const MaxNameBytes = 128

// maxPolicies bounds a set: each costs about 50 us and 6 KB before its criteria
// are looked at (measured 2026-11).
const maxPolicies = 20_000

// maxOrder bounds the order argument, for no other reason than to catch slips.
const maxOrder = 1_000_000

// verdicts are the words of the verdict argument.
var verdicts = []string{"accept", "drop", "reject"}

// decodePolicy decodes a policy under a name: the block's, with the key of
// for_each.
func (d *decoder) decodePolicy(b *hclsyntax.Block, name string) {
	if len(d.out.Policies) >= maxPolicies {
		if !d.crowded {
			d.crowded = true
			d.diags.Add(diag.New(diag.TooLarge, headerRange(b), fmt.Sprintf("There are more than %d policies. Join those of the same effect: their criteria can be a list.", maxPolicies)))
		}
		return
	}
	p := &PolicyBlock{Name: d.qualify(name), Module: d.module, Range: headerRange(b)}
	d.define("policy "+name, fmt.Sprintf("policy %q", name), p.Range)
	p.Description = d.text(b, "description", `"Video calls before bulk traffic"`).Value
	p.Enabled = d.flag(b, "enabled", true)
	p.Criteria = d.criteria(d.require(b, "criteria", `criteria = "app == 'zoom'"`))
	p.Exempt = d.criteria(b.Body.Attributes["exempt"])
	p.Interfaces = d.someOf(b, "interface", `"lan0"`)
	p.Schedules = d.someOf(b, "schedule", `"evenings"`)
	p.Order = d.number(b, "order", -maxOrder, maxOrder, 0)
	p.Halt = d.flag(b, "halt", false)
	p.Audit = d.flag(b, "audit", false)
	p.Labels = d.labels(b)
	if a, ok := b.Body.Attributes["mark"]; ok {
		p.Mark = d.mark(a)
	}
	d.decodeEffects(b, p)
	p.Adds = d.adds(b)
	p.Notify = d.notify(b)
	p.NoTrack = d.noTrack(b)
	p.Offload = d.offload(b, p)
	d.out.Policies = append(d.out.Policies, p)
	d.checkEffect(b, p)
}

// checkEffect reports a policy that would do nothing.
func (d *decoder) checkEffect(b *hclsyntax.Block, p *PolicyBlock) {
	if p.Halt || p.Audit {
		return
	}
	for _, name := range effectArguments() {
		if _, ok := b.Body.Attributes[name]; ok || d.misspelt(b, name) {
			return
		}
	}
	if p.Quota != nil {
		d.diags.Add(diag.New(diag.NoEffect, p.Quota.Range, "A quota changes nothing by itself. Give the policy what begins when it is used up: a verdict, rate, dscp, label, mark, priority, route, count or log."))
		return
	}
	d.diags.Add(diag.New(diag.NoEffect, p.Range, "The policy matches flows but changes nothing. Give it a label, mark, dscp, verdict, rate, priority or route, or count, log or notify, or notrack or offload = true, or halt = true to keep later policies off its flows, or audit = true to count and log them."))
}

// badPolicyName says what is wrong with a policy's name. Names appear in nft
// rule comments and in tables, so what could end a string or a statement there
// is not allowed in them.
func badPolicyName(s string) string {
	switch {
	case s == "":
		return "it is empty"
	case len(s) > MaxNameBytes:
		return fmt.Sprintf("it is longer than %d bytes", MaxNameBytes)
	case !isLetter(s[0]) && !isDigit(s[0]):
		return "it begins with a letter or digit"
	}
	for i := range len(s) {
		if c := s[i]; !isLetter(c) && !isDigit(c) && !strings.ContainsRune(" -_./:(),+", rune(c)) {
			return "it holds letters, digits, spaces and - _ . / : ( ) , +"
		}
	}
	return ""
}

// labels reads label or labels.
func (d *decoder) labels(b *hclsyntax.Block) []Text {
	one, many := b.Body.Attributes["label"], b.Body.Attributes["labels"]
	var list []Text
	switch {
	case one != nil && many != nil:
		d.diags.Add(diag.New(diag.ConflictingArguments, toRange(many.NameRange), "label and labels cannot stand together. Write all of them as labels = [\"a\", \"b\"]."))
		return nil
	case one != nil:
		if t := d.text(b, "label", `"zoom"`); !t.Range.IsZero() {
			list = []Text{t}
		}
	case many != nil:
		list = d.texts(b, "labels", `"zoom"`)
	}
	var out []Text
	seen := map[string]diag.Range{}
	for _, t := range list {
		if why := badLabel(t.Value); why != "" {
			d.diags.Add(diag.New(diag.InvalidLabel, t.Range, fmt.Sprintf("%q cannot be a conntrack label: %s.", t.Value, why)))
			continue
		}
		if first, ok := seen[t.Value]; ok {
			d.diags.Add(diag.New(diag.Duplicate, t.Range, fmt.Sprintf("The label %q stands in the list already, at %s.", t.Value, first)))
			continue
		}
		seen[t.Value] = t.Range
		out = append(out, t)
	}
	return out
}

// badLabel says what is wrong with a label that an author wrote. conntrack -l
// refuses what nft accepts and the other way round; this is what both take.
func badLabel(s string) string {
	if strings.HasPrefix(strings.ToLower(s), "np-") {
		return "names that begin with np- are netpol's own"
	}
	return badLabelName(s)
}

// badLabelName says what is wrong with any label's name.
func badLabelName(s string) string {
	switch {
	case s == "":
		return "it is empty"
	case len(s) > 63:
		return "it is longer than 63 characters"
	case !isLetter(s[0]):
		return "it begins with a letter"
	}
	for i := range len(s) {
		if c := s[i]; !isLetter(c) && !isDigit(c) && c != '-' {
			return "it holds letters, digits and - only"
		}
	}
	return ""
}

func (d *decoder) verdict(b *hclsyntax.Block) Text {
	t := d.text(b, "verdict", `"drop"`)
	if t.Range.IsZero() {
		return Text{}
	}
	for _, v := range verdicts {
		if t.Value == v {
			return t
		}
	}
	hint := suggest.Hint(t.Value, verdicts)
	switch strings.ToLower(t.Value) {
	case "block", "deny":
		hint = "write 'drop' to be silent, or 'reject' to answer"
	case "allow", "permit", "pass":
		hint = "did you mean 'accept'?"
	}
	d.diags.Add(diag.New(diag.InvalidVerdict, t.Range, fmt.Sprintf("%q is not a verdict. The verdicts are %s.", t.Value, strings.Join(verdicts, ", "))).WithHint(hint))
	return Text{}
}

// failures are the words of on_fail and on_overload.
var failures = []string{"open", "closed"}

// failure reads what becomes of flows that nobody can judge: pass is what
// "open" has happen.
func (d *decoder) failure(b *hclsyntax.Block, p *PolicyBlock, name, code, no, pass string) Text {
	t := d.text(b, name, `"closed"`)
	if t.Range.IsZero() {
		return Text{}
	}
	if !slices.Contains(failures, t.Value) {
		d.diags.Add(diag.New(code, t.Range, fmt.Sprintf("%q is %s. %s is \"open\", which lets %s, or \"closed\", which gives them the verdict.", t.Value, no, name, pass)).
			WithHint(suggest.Hint(strings.ToLower(t.Value), failures)))
		return Text{}
	}
	_, written := b.Body.Attributes["verdict"]
	if p.Verdict.Value == "drop" || p.Verdict.Value == "reject" || p.Verdict.Value == "" && (written || d.misspelt(b, "verdict")) {
		return t
	}
	d.diags.Add(diag.New(diag.ConflictingArguments, t.Range, fmt.Sprintf("%s says whether flows that netpold has not judged get the verdict, and only drop and reject can wait for that. Write verdict = \"drop\" or \"reject\", or leave %s out.", name, name)))
	return t
}
