package router

import (
	"errors"
	"fmt"
	"slices"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/kernel/iprule"
	"github.com/netpol/netpol/enforcer/reconcile"
)

// kindRoute are the routing rules that policies' packets go by.
const kindRoute = "ip rule"

func routeObjects(rules []iprule.Rule) []reconcile.Object {
	var objects []reconcile.Object
	for _, r := range rules {
		objects = append(objects, reconcile.Object{Kind: kindRoute, ID: r.String(), Body: fmt.Sprintf("priority %d proto %d", iprule.Priority, iprule.Protocol)})
	}
	return objects
}

// prepareRoutes installs the routing rules that are missing. They stand outside
// of the transaction: they are there before packets are marked for them. undo
// takes them away again.
func (r Router) prepareRoutes(b *artifact.Bundle, live *Live, step func(string)) (undo func() error, err error) {
	want := iprule.Of(b.Routes)
	undo = func() error { return iprule.Keep(live.routes) }
	if err := iprule.Add(want); err != nil {
		return undo, errors.Join(err, undo())
	}
	for _, rule := range want {
		if !slices.Contains(live.routes, rule) {
			step("Added the routing rule " + rule.String())
		}
	}
	return undo, nil
}

// collectRoutes removes the rules that no packet is marked for any more. One
// that stays does nothing, so that it is told and no more.
func (r Router) collectRoutes(live *Live, routes []artifact.Route, step func(string)) {
	keep := iprule.Of(routes)
	if !slices.ContainsFunc(live.routes, func(rule iprule.Rule) bool { return !slices.Contains(keep, rule) }) {
		return
	}
	if err := iprule.Keep(keep); err != nil {
		step("Could not remove routing rules: " + err.Error())
		return
	}
	step("Removed routing rules that nothing uses")
}
