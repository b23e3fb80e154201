package stun

import (
	"github.com/netpol/netpol/enforcer/dissect"
	"github.com/netpol/netpol/enforcer/dissect/rtp"
	"github.com/netpol/netpol/enforcer/dissect/tls"
	"github.com/netpol/netpol/lang/fact"
)

// maxFollow bounds how many datagrams a flow is followed for what the STUN
// messages prepare: as many as the enforcer keeps.
const maxFollow = 8

// Tag of media behind STUN of today: what sets calls up by it encrypts them, as
// browsers must (RFC 8827 section 6.5). Phones that used RFC 3489 did not.
const tagMedia = "srtp"

// follow looks behind a flow's first STUN message, in datagrams, for the
// session that it is about: DTLS or media. It says Partial while that may
// still come.
func follow(w *dissect.Window, datagrams []dissect.Datagram, modern bool, f *fact.Facts) dissect.Result {
	for i, d := range datagrams {
		// The ranges of RFC 7983 section 7 tell the protocols of one flow apart.
		switch b := d.Payload; {
		case len(b) == 0:
		case b[0] >= 20 && b[0] <= 63:
			if r := tls.ReadDTLS(w, datagrams[i:], f); r != dissect.NoMatch {
				return r
			}
		case b[0] >= 128 && b[0] <= 191:
			if rtp.Follows(datagrams[:i], d) {
				f.Protocol = rtp.Tag
				if modern {
					f.Protocol = tagMedia
				}
				return dissect.Match
			}
		}
	}
	return dissect.Partial
}
