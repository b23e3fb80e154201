// Package icmp recognises tunnels in echo messages, which a header does not tell from
// pings: ptunnel and hans, by what their messages begin with. Tunnels without such a
// mark look like pings with unusual data, and are not claimed.
//
// It is no Dissector: ICMP has no ports and no opening, and one packet tells. The
// engine calls it. It imports nothing but the standard library.
package icmp
