package policydiff

import (
	"math/rand/v2"
	"reflect"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/lang/fact"
)

// byClauses aims: for each clause of a changed policy it tries what the clause
// tells apart, on a plain flow and with the other attributes at random.
func (c *comparison) byClauses(axes []axis) error {
	rng := rand.New(rand.NewPCG(3, 4))
	type target struct {
		bundle *artifact.Bundle
		clause artifact.Clause
	}
	var targets []target
	for _, s := range []*side{c.before, c.after} {
		for _, clause := range s.bundle.Program.Clauses {
			if c.suspects[s.bundle.Policies[clause.Policy].Name] {
				targets = append(targets, target{s.bundle, clause})
			}
		}
	}
	if len(targets) == 0 {
		return nil
	}
	flows := min(max(clauseFlows/len(targets), minClauseFlows), maxClauseFlows)
	for _, t := range targets {
		if c.ctx.Err() != nil {
			return c.ctx.Err()
		}
		if err := c.byClause(axes, t.bundle, t.clause, flows, rng); err != nil {
			return err
		}
	}
	return nil
}

func (c *comparison) byClause(axes []axis, b *artifact.Bundle, clause artifact.Clause, flows int, rng *rand.Rand) error {
	alone := artifact.Bundle{Program: b.Program, Settings: b.Settings}
	alone.Program.Clauses = []artifact.Clause{clause}
	var v vocabulary
	v.add(&alone, nil)
	own := v.axes(&c.before.bundle.Catalogue, &c.after.bundle.Catalogue)
	size, _ := productSize(own)
	at := make([]int, len(axes))
	for n := range flows {
		clear(at)
		if n%2 == 1 {
			for i := range axes {
				if rng.IntN(3) == 0 {
					at[i] = rng.IntN(len(axes[i].values))
				}
			}
		}
		f := assemble(axes, at)
		combination := n / 2
		if size > flows/2 {
			combination = rng.IntN(size)
		}
		overlay(f, own, combination)
		if err := c.judge(axes, f); err != nil {
			return err
		}
	}
	return nil
}

// overlay writes one numbered combination of an axis' values into a flow.
func overlay(f *fact.Facts, axes []axis, combination int) {
	v := reflect.ValueOf(f).Elem()
	for i := range axes {
		n := len(axes[i].values)
		v.Field(axes[i].field).Set(axes[i].values[combination%n])
		combination /= n
	}
}
