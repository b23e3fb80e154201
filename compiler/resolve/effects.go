package resolve

import (
	"fmt"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/compiler/ir"
	"github.com/netpol/netpol/lang"
	"github.com/netpol/netpol/lang/diag"
)

// maxPrefixBytes is what the kernel takes (NF_LOG_PREFIXLEN without its last
// byte, linux/netfilter/nf_log.h).
const maxPrefixBytes = 127

// effects fills in what a policy does.
func (r *resolver) effects(out *ir.Policy, b *lang.PolicyBlock) {
	for _, l := range b.Labels {
		out.Labels = append(out.Labels, l.Value)
	}
	if b.DSCP != nil {
		out.DSCP = &ir.DSCP{Name: b.DSCP.Name, Value: b.DSCP.Value, IfUnset: b.DSCP.IfUnset}
	}
	if b.Mark != nil {
		r.checkMark(b.Mark)
		out.Mark = &artifact.Mark{Value: b.Mark.Value, Mask: b.Mark.Mask}
	}
	out.Verdict, out.RejectWith, out.Audit = verdict(b.Verdict.Value), b.RejectWith.Value, b.Audit
	out.NoTrack = b.NoTrack && !b.Audit
	if b.Offload.Value != "" {
		r.checkOffload(b.Offload)
		out.Offload = true
	}
	out.Hold = b.Hold != nil
	if b.OnFail.Value == ir.FailClosed.String() {
		out.OnFail = ir.FailClosed
	}
	switch out.OnOverload = out.OnFail; b.OnOverload.Value {
	case ir.FailClosed.String():
		out.OnOverload = ir.FailClosed
	case ir.FailOpen.String():
		out.OnOverload = ir.FailOpen
	}
	if b.Priority != nil {
		out.Priority = &ir.Priority{Text: b.Priority.Text, Value: b.Priority.Value}
	}
	if b.Route != nil {
		r.checkRoute(b.Route)
		out.Route = &ir.Route{Table: b.Route.Table}
	}
	if b.Log != nil {
		out.Log = &ir.Log{Prefix: prefix(b), Limit: limit(b.Log.Limit)}
	}
	if b.Count != nil {
		out.Count = &ir.Count{Per: per(b.Count.Per)}
	}
	if b.Quota != nil {
		out.Quota = &ir.Quota{Bytes: b.Quota.Bytes, Per: per(b.Quota.Per)}
	}
	if b.Rate != nil {
		out.Rate = &ir.Rate{Limit: *limit(&b.Rate.Limit), Per: per(b.Rate.Per)}
	}
}

// prefix is what the policy's lines in the log begin with, empty for all of its
// name.
func prefix(b *lang.PolicyBlock) string {
	const end = ": "
	if b.Log.Prefix != "" || len(b.Name)+len(end) <= maxPrefixBytes {
		return b.Log.Prefix
	}
	return b.Name[:maxPrefixBytes-len(end)] + end
}

func limit(l *lang.Limit) *artifact.Limit {
	if l == nil {
		return nil
	}
	return &artifact.Limit{Rate: l.Rate, Unit: l.Unit, Burst: l.Burst, Bytes: l.Bytes}
}

func per(p lang.Per) ir.Per {
	for _, known := range []ir.Per{ir.PerHost, ir.PerFlow} {
		if known.String() == string(p) {
			return known
		}
	}
	return ir.PerPolicy
}

func verdict(word string) ir.Verdict {
	for _, v := range []ir.Verdict{ir.Accept, ir.Drop, ir.Reject} {
		if v.String() == word {
			return v
		}
	}
	return ir.NoVerdict
}

// checkRoute reports a table for which no mark is left.
func (r *resolver) checkRoute(route *lang.Route) {
	if r.tables == nil {
		r.tables = map[uint32]bool{}
	}
	mask := r.policy.Settings.RouteMark
	if r.tables[route.Table] = true; len(r.tables) == artifact.MaxRoutes(mask)+1 {
		r.diags.Add(diag.New(diag.NumberOutOfRange, route.Range, fmt.Sprintf("The policies of a set can choose among %d routing tables, because each needs a mark of its own in the bits %#x (route_mark in the netpol block). This one is one too many.", artifact.MaxRoutes(mask), mask)))
	}
}

// checkOffload reports offload where no interfaces are named for it.
func (r *resolver) checkOffload(t lang.Text) {
	if len(r.policy.Settings.OffloadDevices) == 0 {
		r.diags.Add(diag.New(diag.MissingArgument, t.Range, "Flows are offloaded between interfaces that the netpol block names: netpol { offload_devices = [\"lan0\", \"wan0\"] }."))
	}
}
