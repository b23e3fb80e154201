package lint

import (
	"net/netip"
	"slices"
	"time"

	"github.com/netpol/netpol/compiler/ir"
	"github.com/netpol/netpol/lang"
	"github.com/netpol/netpol/lang/diag"
	"github.com/netpol/netpol/lang/lintconfig"
	"github.com/netpol/netpol/lang/outline"
)

// Input is one policy set that parsed and resolved without an error.
type Input struct {
	Policy *lang.Policy
	Set    *ir.Set // as compiler/resolve leaves it, not optimised
	// Files are the outlines of the set's policy files, in any order.
	Files []*outline.File
	// Tests is the text of the set's test files.
	Tests  []string
	Config *lintconfig.Config // nil: nothing is configured
	// Only names the rules to run, by id or slug; empty for all that are on.
	Only []string
	// Session is the connection that the operator works through; zero when
	// there is none.
	Session Session
	// Now is when the run takes place; zero if that does not matter.
	Now time.Time
}

// Session is a remote login, as sshd tells it in SSH_CONNECTION.
type Session struct {
	Client, Router netip.Addr
	Port           int // on the router
}

// Result is what a run found.
type Result struct {
	Findings []Finding
	// Unproven are the policies that were too complex to reason about.
	Unproven []string
	// Pairs is how many pairs of policies were not held against each other,
	// because the set takes too much work; 0 for all but hostile sets.
	Pairs int
}

// Run runs the rules over a policy set. The diagnostics are mistakes in the
// configuration.
func Run(in Input) (Result, diag.List) {
	plan, diags := newPlan(in)
	if diags.HasErrors() {
		return Result{}, diags
	}
	in.Set = authored(in.Set)
	p := &pass{in: in, plan: plan}
	var result Result
	for i := range plan.rules {
		p.rule = &plan.rules[i]
		if p.analysis != nil {
			p.analysis.space.Grant(p.analysis.work())
		}
		if p.rule.check != nil {
			p.rule.check(p)
		}
	}
	result.Findings = p.withoutIgnored()
	sortFindings(result.Findings)
	result.Findings = withoutRepeats(result.Findings)
	if p.analysis != nil {
		result.Unproven = slices.Compact(p.analysis.unproven)
		result.Pairs = p.analysis.skipped
	}
	return result, diags
}

// authored is the set without the policies that arguments of the netpol block
// stand for: nobody wrote them, so there is nothing to improve in them.
func authored(in *ir.Set) *ir.Set {
	set := *in
	set.Policies = nil
	for _, p := range in.Policies {
		if p.From == "" {
			p.ID = len(set.Policies)
			set.Policies = append(set.Policies, p)
		}
	}
	return &set
}

// pass is one run.
type pass struct {
	in       Input
	plan     *plan
	rule     *Rule // that is being run
	findings []Finding
	analysis *analysis           // made when the first rule asks
	parts    map[int]*policyCase // by policy
	blocks   map[string]*lang.PolicyBlock
	ranges   map[diag.Range]*lang.PolicyBlock
	halting  map[ir.Expr]*ir.Policy // by the first part of the condition; nil until it is asked
	sources  *sources               // of all criteria; nil until it is asked
	exempt   *sources               // of the set's exemptions, likewise
}

// report adds a finding of the current rule. Severity is the rule's.
func (p *pass) report(f Finding) {
	f.Rule = *p.rule
	f.Severity = p.rule.Severity
	p.findings = append(p.findings, f)
}

// reportAt is report with a severity that is not the rule's own, unless the
// configuration gives one.
func (p *pass) reportAt(s diag.Severity, f Finding) {
	p.report(f)
	if !p.plan.configured[p.rule.ID] {
		p.findings[len(p.findings)-1].Severity = s
	}
}

// block is the source block of a policy.
func (p *pass) block(policy *ir.Policy) *lang.PolicyBlock {
	if p.blocks == nil {
		p.blocks, p.ranges = map[string]*lang.PolicyBlock{}, map[diag.Range]*lang.PolicyBlock{}
		for _, b := range slices.Backward(p.in.Policy.Policies) {
			p.blocks[b.Name], p.ranges[b.Range] = b, b
		}
	}
	if b := p.blocks[policy.Name]; b != nil {
		return b
	}
	if b := p.ranges[policy.Range]; b != nil {
		return b
	}
	return &lang.PolicyBlock{Name: policy.Name, Range: policy.Range, Enabled: true}
}
