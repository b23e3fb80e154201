package http

import (
	"github.com/netpol/netpol/enforcer/dissect/dissecttest"
	"github.com/netpol/netpol/lang/fact"
)

// agentCases are requests of products' own programs.
func agentCases() []dissecttest.Case {
	from := func(name, host, agent, product string) dissecttest.Case {
		c := req(name, "GET /a HTTP/1.1\r\nHost: "+host+"\r\nUser-Agent: "+agent+"\r\n\r\n", host)
		c.Want.UserAgent, c.Want.Application = agent, product
		if product != "" {
			c.Want.By = fact.ByPayload
		}
		return c
	}
	return []dissecttest.Case{
		from("updates from a cache", "192.0.2.7", "Microsoft-Delivery-Optimization/10.1", "windows-update"),
		from("games from a cache", "192.0.2.7", "Valve/Steam HTTP Client 1.0", "steam"),
		from("a host with a name", "cache.example.com", "Valve/Steam HTTP Client 1.0", ""),
		from("a browser", "192.0.2.7", "Mozilla/5.0", ""),
	}
}
