package cli

import (
	"strings"

	"github.com/netpol/netpol/compiler"
	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/control"
	"github.com/netpol/netpol/enforcer/telemetry"
	"github.com/netpol/netpol/lang"
	"github.com/netpol/netpol/lang/diag"
	"github.com/netpol/netpol/policies"
)

// filterFile is what diagnostics call criteria of the command line.
const filterFile = "criteria"

// flowFilter compiles criteria that were typed into a program that netpold runs on
// its flows, as if they were a sink's; without criteria it holds for all. Names are
// those of the applied catalogue, and groups those of --policy.
func (t *tool) flowFilter(criteria string) (*artifact.Program, error) {
	if strings.TrimSpace(criteria) == "" {
		return &artifact.Program{
			Engine: artifact.Engine, Effects: make([]artifact.Effect, 1),
			Clauses: []artifact.Clause{{Access: artifact.NoAccess}},
		}, nil
	}
	program, diags, err := t.compileFilter(criteria)
	if err != nil {
		return nil, err
	}
	source := func(string) []byte { return []byte(criteria) }
	return program, t.report(diags, source)
}

func (t *tool) compileFilter(criteria string) (*artifact.Program, diag.List, error) {
	set, diags := lang.Parse(nil, lang.Options{})
	if t.flags.policy != "" {
		opts, err := t.variables()
		if err != nil {
			return nil, nil, err
		}
		set, diags = lang.ParseDir(t.flags.policy, opts)
	}
	if diags.HasErrors() {
		return nil, diags, nil
	}
	catalogue, err := policies.Catalogue()
	if err != nil {
		return nil, nil, err
	}
	if b, err := readBundle(t.router().BundlePath()); err == nil {
		catalogue = &b.Catalogue
	}
	alone := *set
	alone.Exempt, alone.Policies, alone.Aggregates, alone.Lock = nil, nil, nil, &lang.Lock{}
	alone.Sinks = []*lang.Sink{{
		Name: "filter", Type: "stdout", Records: []string{"flow"}, Addresses: "plain", Names: "plain",
		When: []lang.Criteria{lang.NewCriteria(filterFile, criteria)},
	}}
	b, diags := compiler.Compile(&alone, compiler.Options{Catalogue: catalogue})
	if b == nil {
		return nil, diags, nil
	}
	return &b.SinkProgram, diags, nil
}

// flowQuery is what is asked of netpold's flows.
type flowQuery struct {
	where  *artifact.Program
	policy string // that matches them; empty for any
}

// ask lists all flows of the query, or as many as an answer has room for.
func (q *flowQuery) ask(client *control.Client) ([]telemetry.Flow, error) {
	flows, err := client.Select(control.MaxFlows, q.where)
	if q.policy == "" || err != nil {
		return flows, err
	}
	kept := flows[:0]
	for _, f := range flows {
		for _, p := range f.Policies {
			if p == q.policy {
				kept = append(kept, f)
				break
			}
		}
	}
	return kept, nil
}
