package enforcer

import (
	"net/netip"

	"github.com/netpol/netpol/enforcer/flow"
	"github.com/netpol/netpol/enforcer/program"
	"github.com/netpol/netpol/lang/fact"
)

// audit logs the audit policies that match the flow, each once in the flow's
// life: their labels come and go with what they ask.
func (w *worker) audit(r *flow.Record, f *fact.Facts, v *program.Verdict) {
	if len(w.policy.audits) == 0 {
		return
	}
	logged := w.audited[r]
	for _, id := range v.Policies {
		bit, ok := w.policy.audits[id]
		if !ok || logged[bit/8]&(1<<(bit%8)) != 0 {
			continue
		}
		logged[bit/8] |= 1 << (bit % 8)
		w.audited[r] = logged
		w.stats.Audited++
		p := &w.policy.bundle.Policies[id]
		w.config.Logger.Info("policy matched", "policy", p.Name, "file", p.File, "line", p.Line, "audit", true,
			"flow", flowText(f), "application", f.Application, "protocol", f.Protocol, "hostname", f.Hostname, "by", f.By)
	}
}

// flowText names a flow in a log line.
func flowText(f *fact.Facts) string {
	src := netip.AddrPortFrom(f.SrcIP, uint16(f.SrcPort))
	dst := netip.AddrPortFrom(f.DstIP, uint16(f.DstPort))
	return src.String() + " > " + dst.String()
}
