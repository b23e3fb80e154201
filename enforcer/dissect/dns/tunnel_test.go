package dns

import (
	"testing"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/netpol/netpol/enforcer/dissect"
	"github.com/netpol/netpol/enforcer/dissect/dissecttest"
	"github.com/netpol/netpol/lang/fact"
)

func TestTunnels(t *testing.T) {
	const null = dnsmessage.Type(10) // RFC 1035 section 3.3.10
	asks := func(host string, typ dnsmessage.Type) dissecttest.Packet {
		return dissecttest.Client(query(t, host, typ))
	}
	var cases []dissecttest.Case
	for _, tt := range []struct {
		name    string
		packets []dissecttest.Packet
		want    fact.Facts
	}{
		{"iodine", []dissecttest.Packet{asks("vaaaakardli.t.example.com", null)}, fact.Facts{Protocol: "dns-tunnel", DNSHostname: "vaaaakardli.t.example.com"}},
		{"iodine that tries record types first", []dissecttest.Packet{asks("yrbaaa.t.example.com", null), asks("VAAAAKARDLI.t.example.com", null), asks("laaa.t.example.com", null)}, fact.Facts{Protocol: "dns-tunnel", DNSHostname: "yrbaaa.t.example.com"}},
		{"dns2tcp", []dissecttest.Packet{asks("abcdef.=auth.t.example.com", dnsmessage.TypeTXT)}, fact.Facts{Protocol: "dns-tunnel", DNSHostname: "abcdef.=auth.t.example.com"}},
		{"dnscat2", []dissecttest.Packet{asks("dnscat.98f300a7e40000", dnsmessage.TypeCNAME)}, fact.Facts{Protocol: "dns-tunnel", DNSHostname: "dnscat.98f300a7e40000"}},
		{"a host of that name", []dissecttest.Packet{asks("dnscat.example.com", dnsmessage.TypeA)}, fact.Facts{Protocol: "dns", DNSHostname: "dnscat.example.com"}},
		{"a name that begins like iodine's", []dissecttest.Packet{asks("vaaaakab.example.com", dnsmessage.TypeA)}, fact.Facts{Protocol: "dns", DNSHostname: "vaaaakab.example.com"}},
	} {
		cases = append(cases, dissecttest.Case{Name: tt.name, In: dissecttest.UDP(53, tt.packets...), Result: dissect.Partial, Want: tt.want})
	}
	dissecttest.Run(t, New(), cases)
}
