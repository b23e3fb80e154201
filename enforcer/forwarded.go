package enforcer

import (
	"github.com/netpol/netpol/enforcer/flow"
	"github.com/netpol/netpol/enforcer/packet"
	"github.com/netpol/netpol/lang/fact"
)

// fillForwarded corrects the local end of a connection that a port forwarding
// leads to an inside host: the router's outside address, which it was opened
// to, is nobody's. The replies carry the host's. Where the kernel translates,
// it also fills the ends of the replies.
func (w *worker) fillForwarded(f *fact.Facts, r *flow.Record) {
	a := w.table.AliasOf(r)
	if a == nil {
		return
	}
	client, server := a.Key.Ends(a.ClientIsB)
	f.CTReplySrcIP, f.CTReplyDstIP = server.Addr(), client.Addr()
	if w.policy.isLocal(f.SrcIP) {
		return
	}
	if server.Addr() == f.DstIP || !w.policy.isLocal(server.Addr()) {
		return
	}
	f.LocalIP, f.LocalMAC = server.Addr(), f.DstMAC
	f.OtherIP, f.OtherPort, f.OtherMAC = f.SrcIP, f.SrcPort, f.SrcMAC
	f.Origin = fact.OriginOther
	if f.LocalPort = int(server.Port()); r.Key.Proto == packet.ProtoICMP || r.Key.Proto == packet.ProtoICMPv6 {
		f.LocalPort = 0
	}
}
