package cli

import (
	"strings"
	"time"

	"github.com/netpol/netpol/compiler"
	"github.com/netpol/netpol/compiler/artifact"
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
		return everyFlow(), nil
	}
	c, diags, err := t.filterCompiler()
	if err != nil {
		return nil, err
	}
	source := func(string) []byte { return []byte(criteria) }
	if diags.HasErrors() {
		return nil, t.report(diags, source)
	}
	program, diags := c.compile(criteria)
	return program, t.report(diags, source)
}

// everyFlow is a program that holds for all.
func everyFlow() *artifact.Program {
	return &artifact.Program{
		Engine: artifact.Engine, Effects: make([]artifact.Effect, 1),
		Clauses: []artifact.Clause{{Access: artifact.NoAccess}},
	}
}

// filterCompiler is what criteria of the command line are compiled with. It may be used by
// several goroutines at once.
type filterCompiler struct {
	set       lang.Policy // without policies
	catalogue *artifact.Catalogue
	applied   []artifact.AggregateGroup // those that applied aggregates tell apart
}

func (t *tool) filterCompiler() (*filterCompiler, diag.List, error) {
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
	c := &filterCompiler{set: *set, catalogue: catalogue}
	if b, err := readBundle(t.router().BundlePath()); err == nil {
		c.catalogue = &b.Catalogue
		for _, a := range b.Aggregates {
			if c.applied = a.Groups; c.applied != nil {
				break
			}
		}
	}
	c.set.Exempt, c.set.Policies, c.set.Aggregates, c.set.Lock = nil, nil, nil, &lang.Lock{}
	return c, nil, nil
}

func (c *filterCompiler) compile(criteria string) (*artifact.Program, diag.List) {
	alone := c.set
	alone.Sinks = []*lang.Sink{{
		Name: "filter", Type: "stdout", Records: []string{"flow"}, Addresses: "plain", Names: "plain",
		When: []lang.Criteria{lang.NewCriteria(filterFile, criteria)},
	}}
	b, diags := compiler.Compile(&alone, compiler.Options{Catalogue: c.catalogue})
	if b == nil {
		return nil, diags
	}
	return &b.SinkProgram, diags
}

// groups are the address groups of the policy set with all that is in them; without one, the
// applied ones.
func (c *filterCompiler) groups() ([]artifact.AggregateGroup, diag.List) {
	if len(c.set.Groups) == 0 {
		return c.applied, nil
	}
	alone := c.set
	all := &lang.Aggregate{Name: "groups", By: []string{"address_group"}, Interval: time.Minute, Top: 1, Keys: 1}
	for _, g := range alone.Groups {
		all.Groups = append(all.Groups, lang.Text{Value: g.Name})
	}
	alone.Sinks = []*lang.Sink{{Name: "filter", Type: "stdout", Addresses: "plain", Names: "plain"}}
	all.Sinks = []lang.Text{{Value: "filter"}}
	alone.Aggregates = []*lang.Aggregate{all}
	b, diags := compiler.Compile(&alone, compiler.Options{Catalogue: c.catalogue})
	if b == nil {
		return nil, diags
	}
	return b.Aggregates[0].Groups, nil
}

// flowQuery is what is asked of netpold's flows.
type flowQuery struct {
	where    *artifact.Program
	question telemetry.Question
}

// askFlows has netpold answer a query. Each has a connection of its own: a netpold that
// is started anew meanwhile answers the next one.
func (t *tool) askFlows(q *flowQuery) (telemetry.Overview, error) {
	client, err := t.dial()
	if err != nil {
		return telemetry.Overview{}, err
	}
	defer client.Close()
	seen, err := client.Within(lookLimit).Overview(q.question, q.where)
	return seen, t.silence(err)
}
