package lang

import (
	"time"

	"github.com/netpol/netpol/lang/diag"
)

// Aggregate adds up what flows carry, with the defaults filled in.
type Aggregate struct {
	Name        string // with its module before it, "iot/usage"
	Module      string // empty for the set itself
	Description string
	By          []string // dimensions, in the order of artifact.Dimensions
	Interval    time.Duration
	Top         int        // rows that are told
	Keys        int        // rows that are kept
	Health      bool       // how flows fare is added up as well
	When        []Criteria // any of them; none for every flow
	Sinks       []Text
	Policies    []Text     // that the dimension policy tells apart; none for all
	Groups      []Text     // that the dimension address_group tells apart, without the @
	Range       diag.Range // of the block's header
}

// Dimensions are what aggregates can tell apart.
func Dimensions() []string {
	return []string{
		"application", "brand", "protocol", "category", "local_ip", "local_mac", "local_port", "other_ip", "other_port",
		"ip_protocol", "ip_version", "vlan_id", "interface", "policy", "address_group",
	}
}

// Layouts are dimensions by the names of Netify's aggregators that have them (Netify
// documentation, agent/v5/integrations/telemetry/aggregator-type1 to -type5). The
// third is the fourth with hosts and without VLAN, whose flows differ in their
// ephemeral port alone.
func Layouts() map[string][]string {
	return map[string][]string{
		"netify-1": {"application", "protocol", "local_ip", "local_mac"},
		"netify-2": {"application", "protocol", "local_ip", "local_mac", "other_ip", "ip_protocol"},
		"netify-3": {"application", "protocol", "local_ip", "local_mac", "other_ip", "other_port", "ip_protocol"},
		"netify-4": {"application", "protocol", "other_ip", "other_port", "ip_protocol", "ip_version", "vlan_id"},
		"netify-5": {"interface"},
	}
}
