package http

import (
	"github.com/netpol/netpol/enforcer/dissect"
	"github.com/netpol/netpol/enforcer/dissect/dissecttest"
)

// signedCases have requests that show a product by its agent or the path.
func signedCases() []dissecttest.Case {
	known := []dissecttest.Signed{
		{Where: dissect.HTTPAgent, Value: "Updater/1", Application: "updates"},
		{Where: dissect.HTTPPath, Value: "/updates/a", Application: "updates"},
	}
	signed := func(name, target, field, host, application string) dissecttest.Case {
		c := req(name, "GET "+target+" HTTP/1.1\r\nHost: 192.0.2.1\r\n"+field+"\r\n", host)
		c.In = c.In.Knowing(known...)
		c.Want.Application = application
		if field != "" {
			c.Want.UserAgent = field[len("User-Agent: ") : len(field)-2]
		}
		return c
	}
	proxied := signed("path of a whole URI", "http://a.test/updates/a?b", "", "a.test", "updates")
	proxied.Want.Protocol = "http-proxy"
	bare := signed("whole URI without a path", "http://a.test", "", "a.test", "")
	bare.Want.Protocol = "http-proxy"
	return []dissecttest.Case{
		signed("agent", "/", "User-Agent: Updater/1\r\n", "192.0.2.1", "updates"),
		signed("another agent", "/", "User-Agent: Updater/2\r\n", "192.0.2.1", ""),
		signed("path", "/updates/a", "", "192.0.2.1", "updates"),
		signed("path with a query", "/updates/a?x=/y", "", "192.0.2.1", "updates"),
		signed("another path", "/updates/ab", "", "192.0.2.1", ""),
		proxied, bare,
	}
}
