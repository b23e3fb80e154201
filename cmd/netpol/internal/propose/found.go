package propose

import (
	"time"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/kernel/survey"
)

// Found is what was found on a router. The zero value is a router with nothing.
type Found struct {
	Host       string
	Time       time.Time
	Interfaces []survey.Interface
	Marks      []survey.MarkRule
	Classes    []survey.Class
	Filters    []survey.MarkFilter
	// Nftables is the output of nft -j list ruleset, and Iptables those of
	// iptables-save and its siblings, by the program's name; empty where there is
	// none.
	Nftables []byte
	Iptables map[string][]byte
	// Labels are the lines of connlabel.conf that are not netpol's.
	Labels []artifact.Label
	// Connections counts what conntrack has now, by protocol and port; ConnMarks is
	// every bit that one of their marks has.
	Connections []Count
	ConnMarks   uint32
	// Applications counts what a running netpold has named.
	Applications []Count
	// Unread says what could not be looked at, and why.
	Unread []string
}

// Count is how many connections have something in common.
type Count struct {
	Name string // tcp/443, zoom
	N    int
}
