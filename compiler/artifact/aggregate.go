package artifact

import (
	"fmt"
	"net/netip"
	"strings"
	"time"
)

// Aggregate has the enforcer add up what flows carry, by some dimensions.
type Aggregate struct {
	Name string `json:"name"`
	// By are the dimensions, each one of Dimensions, in their order there.
	By []string `json:"by"`
	// Interval is how long figures are added up for a record.
	Interval time.Duration `json:"interval"`
	// Top is how many rows are told, and Keys how many are kept at most.
	Top  int `json:"top"`
	Keys int `json:"keys"`
	// Health has it add up how flows fare as well.
	Health bool `json:"health,omitempty"`
	// When is the condition that flows must meet, as written; Bundle.SinkProgram
	// decides it, as the policy whose index is this aggregate's after all sinks.
	// Empty is every flow.
	When string `json:"when,omitempty"`
	// Sinks are those that the records go to, of Bundle.Sinks.
	Sinks []int `json:"sinks"`
	// Policies are those that the dimension policy tells apart, by name: of those
	// that match a flow the first in this list. Empty is all, in the order of
	// evaluation.
	Policies []string `json:"policies,omitempty"`
	// Groups are those that the dimension address_group tells apart: of those that
	// the flow's local side is in, the first in this list.
	Groups []AggregateGroup `json:"groups,omitempty"`
}

// AggregateGroup is an address group with all that is in it.
type AggregateGroup struct {
	Name     string         `json:"name"`
	Networks []netip.Prefix `json:"networks,omitempty"`
	MACs     []string       `json:"macs,omitempty"` // "aa:bb:cc:dd:ee:ff"
}

// Dimensions of aggregates. All but the last two are attributes of criteria.
func Dimensions() []string {
	return []string{
		"application", "brand", "protocol", "category", "local_ip", "local_mac", "local_port", "other_ip", "other_port",
		"ip_protocol", "ip_version", "vlan_id", "interface", "policy", "address_group",
	}
}

// String is the aggregate in one line.
func (a Aggregate) String() string {
	what := "bytes"
	if a.Health {
		what = "bytes and health"
	}
	text := fmt.Sprintf("%s: %s by %s", a.Name, what, strings.Join(a.By, ", "))
	if a.When != "" {
		text += " when " + a.When
	}
	if len(a.Policies) > 0 {
		text += ", of policies " + strings.Join(a.Policies, ", ")
	}
	if len(a.Groups) > 0 {
		names := make([]string, len(a.Groups))
		for i, g := range a.Groups {
			names[i] = g.Name
		}
		text += ", of groups " + strings.Join(names, ", ")
	}
	return text + fmt.Sprintf(", every %d s, the first %d of at most %d", int(a.Interval.Seconds()), a.Top, a.Keys)
}
