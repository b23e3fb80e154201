package enforcer

import (
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/dissect"
)

// TestPingThatIsNone: a tunnel in echo messages has its own name, a ping the one of
// its number.
func TestPingThatIsNone(t *testing.T) {
	echo := func(s *script, c *conn, data string) *script {
		ip, _, _ := c.ip(dissect.Client, layers.IPProtocolICMPv4)
		return s.send(c, client, ip, &layers.ICMPv4{TypeCode: layers.CreateICMPv4TypeCode(8, 0), Id: 7}, gopacket.Payload(data))
	}
	s := echo(newScript(), connect("192.168.1.2:0", "198.51.100.1:0"), "abcdefgh")
	s = echo(s, connect("192.168.1.2:0", "198.51.100.2:0"), "\xd5\x20\x08\x80 ptunnel")
	b := bundle(t, protocolPolicy("icmp-tunnel"))
	b.Catalogue.Protocols = append(b.Catalogue.Protocols, artifact.Protocol{Tag: "icmp-tunnel", Category: "web"})
	j, _ := play(t, s, b, nil)
	if len(j.flows) != 2 || j.flows[0].Protocol != "icmp" || j.flows[1].Protocol != "icmp-tunnel" || len(j.lines) != 2 {
		t.Errorf("got %+v, %q", j.flows, j.lines)
	}
}
