package router

import (
	"errors"
	"fmt"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/kernel/flowset"
	"github.com/netpol/netpol/enforcer/kernel/nft"
	"github.com/netpol/netpol/enforcer/reconcile"
)

// kindFlowSet are the sets that policies add flows to, of those that netpol
// creates: what is in the others is told by the policies.
const kindFlowSet = "flow set"

// flowSetObjects are the managed sets of a bundle as they should be.
func flowSetObjects(b *artifact.Bundle) []reconcile.Object {
	var objects []reconcile.Object
	for i := range b.FlowSets {
		if s := &b.FlowSets[i]; s.Managed {
			objects = append(objects, reconcile.Object{Kind: kindFlowSet, ID: s.ID(), Body: s.Declaration()})
		}
	}
	return objects
}

// readFlowSets are the managed sets of the applied bundle as they are.
func readFlowSets(b *artifact.Bundle) ([]reconcile.Object, error) {
	if b == nil {
		return nil, nil
	}
	var objects []reconcile.Object
	for i := range b.FlowSets {
		s := &b.FlowSets[i]
		if !s.Managed {
			continue
		}
		found, err := flowset.Describe(s)
		if err != nil {
			return nil, err
		}
		if found != "" {
			objects = append(objects, reconcile.Object{Kind: kindFlowSet, ID: s.ID(), Body: found})
		}
	}
	return objects, nil
}

// prepareSets creates what the bundle's policies add flows to. Sets stand
// outside of the transaction: they are there before the rules, and until then
// nothing is in them.
func (r Router) prepareSets(b *artifact.Bundle, step func(string)) (undo func() error, err error) {
	remove, err := flowset.Prepare(b.FlowSets, func(s *artifact.FlowSet) { step("Created the set " + s.ID()) })
	undo = func() error {
		if err := remove(); err != nil {
			return err
		}
		dropEmptyTable()
		return nil
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("nothing was changed: %w", err), undo())
	}
	return undo, nil
}

// dropEmptyTable removes netpol's table of sets if nothing is in it, neither
// netpol's nor the administrator's.
func dropEmptyTable() (dropped bool) {
	left, err := nft.Read("inet", artifact.SetTable, nil)
	if err != nil || !left.Present || len(left.Sets)+len(left.Chains)+len(left.Strangers) > 0 {
		return false
	}
	return nft.Delete("inet", artifact.SetTable) == nil
}

// collectSets removes what the policies no longer add flows to. What rules of
// others still use stays, which is told: the apply has happened.
func (r Router) collectSets(live *Live, now []artifact.FlowSet, step func(string)) {
	if live.Bundle == nil {
		return
	}
	if err := flowset.Collect(live.Bundle.FlowSets, now, func(s *artifact.FlowSet) { step("Removed the set " + s.ID()) }); err != nil {
		step(fmt.Sprintf("Left a set behind: %v", err))
	}
	if dropEmptyTable() {
		step("Removed the empty table inet " + artifact.SetTable)
	}
}
