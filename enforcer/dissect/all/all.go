package all

import (
	"github.com/netpol/netpol/enforcer/dissect"
	"github.com/netpol/netpol/enforcer/dissect/bittorrent"
	"github.com/netpol/netpol/enforcer/dissect/dns"
	"github.com/netpol/netpol/enforcer/dissect/fixed"
	"github.com/netpol/netpol/enforcer/dissect/http"
	"github.com/netpol/netpol/enforcer/dissect/quic"
	"github.com/netpol/netpol/enforcer/dissect/raknet"
	"github.com/netpol/netpol/enforcer/dissect/rtp"
	"github.com/netpol/netpol/enforcer/dissect/stun"
	"github.com/netpol/netpol/enforcer/dissect/tls"
	"github.com/netpol/netpol/enforcer/dissect/zoom"
)

// Dissectors lists every dissector in the order in which flows on a port that
// none of them hints at are tried: strongest evidence first. Each is safe for
// concurrent use.
func Dissectors() []dissect.Dissector {
	return []dissect.Dissector{
		tls.New(),
		http.New(),
		quic.New(),
		tls.NewDTLS(),
		stun.Dissector{},
		dns.New(),
		bittorrent.Dissector{},
		zoom.Dissector{},
		fixed.New(),
		rtp.Dissector{},
		raknet.Dissector{},
	}
}
