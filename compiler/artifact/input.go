package artifact

import (
	"strconv"
	"strings"
)

// Roles of an input's interface.
const (
	RoleLAN = "lan" // what is reached by it is local
	RoleWAN = "wan" // of what is on it the router's own addresses alone are
)

// Input is an interface whose packets netpold reads by AF_PACKET besides those
// that the ruleset shows it. Its flows are named and told of; nothing is done
// to them, for they need not be this machine's.
type Input struct {
	Name      string `json:"name"`
	Interface string `json:"interface"`
	// FirstPackets is how many of each flow are read; 0 reads all.
	FirstPackets uint32   `json:"first_packets,omitempty"`
	Incoming     bool     `json:"incoming,omitempty"`    // what this machine sends is left out
	Promiscuous  bool     `json:"promiscuous,omitempty"` // packets for other machines are read, too
	Role         string   `json:"role,omitempty"`        // RoleLAN, RoleWAN or empty
	Unwrap       []string `json:"unwrap,omitempty"`      // as packet.ParseTunnels reads them
	// Only packets that meet Filter are read; nil is all. FilterText and Bypass are
	// what it was made of, for people.
	Filter     *Filter  `json:"filter,omitempty"`
	FilterText string   `json:"filter_text,omitempty"`
	Bypass     []string `json:"bypass,omitempty"`
}

// String says what is read, for people.
func (in Input) String() string {
	text := "interface " + in.Interface + ", "
	if in.Role != "" {
		text += "role " + in.Role + ", "
	}
	if in.FirstPackets == 0 {
		text += "all packets"
	} else {
		text += "first " + strconv.FormatUint(uint64(in.FirstPackets), 10) + " packets of each flow"
	}
	if in.Incoming {
		text += ", what comes in"
	}
	if !in.Promiscuous {
		text += ", for this machine"
	}
	if len(in.Unwrap) > 0 {
		text += ", inside of " + strings.Join(in.Unwrap, " ")
	}
	if in.FilterText != "" {
		text += ", of " + in.FilterText
	}
	if len(in.Bypass) > 0 {
		text += ", not of " + strings.Join(in.Bypass, " ")
	}
	return text
}
