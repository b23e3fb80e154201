package nft

import "github.com/netpol/netpol/compiler/artifact"

// Chains that choose a routing table: for packets that arrive, before they are
// routed, and for the router's own, which a chain of type route sends through
// the tables again.
const (
	chainRoute    = "np_route"
	chainRouteOut = "np_route_out"
)

// routeChains mark the packets on their way to the other side. Those to the
// inside stay with the main table: the other tables lead outwards.
func routeChains(effects []Effect, t *packetTests, q *quiet) []artifact.Chain {
	var rules []artifact.Rule
	seen := ruled{}
	for _, e := range effects {
		if e.Route == nil || seen.again(e) {
			continue
		}
		for _, f := range []struct {
			version uint32
			id      string
			daddr   artifact.MatchKind
			typ     artifact.SetType
		}{{4, "route4", artifact.MatchDaddr4, artifact.SetAddr4}, {6, "route6", artifact.MatchDaddr6, artifact.SetAddr6}} {
			rules = append(rules, t.rules(e, f.id, []artifact.Match{
				{Kind: artifact.MatchFamily, Value: f.version}, {Kind: f.daddr, Set: t.inside(f.typ), Not: true},
			}, artifact.Statement{Kind: artifact.DoSetMark, Mask: e.Route.Mask, Value: e.Route.Mark}, artifact.Statement{Kind: artifact.DoAccept})...)
		}
	}
	if len(rules) == 0 {
		return nil
	}
	afterCapture := t.settings.CapturePriority + 1
	return append(
		q.before(rules, dispatch(artifact.Chain{Name: chainRoute, Hook: "prerouting", Type: "filter", Priority: afterCapture, Rules: rules})),
		q.before(rules, dispatch(artifact.Chain{Name: chainRouteOut, Hook: "output", Type: "route", Priority: afterCapture, Rules: rules}))...)
}
