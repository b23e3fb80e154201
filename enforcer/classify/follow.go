package classify

import (
	"github.com/netpol/netpol/lang/fact"
)

// tunnelProtocol is the catalogue's tag of GTP's user plane.
const tunnelProtocol = "gtp-u"

// follow fills what follows from other facts, and what its ends' networks tell.
func (c *Classifier) follow(f *fact.Facts, o *owners) {
	f.TunnelType = Tunnel(f.Protocol)
	f.TLSProcHello, f.TLSProcCertificate = f.JA4 != "", f.TLSCertFingerprint != ""
	f.RiskScore, f.RiskClient, f.RiskServer = fact.RiskScores(f.Risks)
	f.SrcNetworkCategory, f.DstNetworkCategory = c.category(o.src), c.category(o.dst)
	f.LocalNetworkCategory, f.OtherNetworkCategory = c.category(c.ownerOf(f.LocalIP, f, o)), c.category(c.ownerOf(f.OtherIP, f, o))
}

// Tunnel is the value of the attribute "tunnel_type" for a protocol.
func Tunnel(protocol string) string {
	if protocol == tunnelProtocol {
		return fact.TunnelGTP
	}
	return fact.TunnelNone
}

// Telling says whether an attribute says more of a flow than others do. Lists of
// what is known leave out the rest: that there is no tunnel, where replies come
// from when nothing is translated, and the brand that an application is itself.
func Telling(f *fact.Facts, attribute string) bool {
	switch attribute {
	case "brand":
		return f.Brand != f.Application
	case "tunnel_type":
		return f.TunnelType != fact.TunnelNone
	case "ct_reply_src_ip":
		return f.CTReplySrcIP != f.DstIP
	case "ct_reply_dst_ip":
		return f.CTReplyDstIP != f.SrcIP
	}
	return true
}
