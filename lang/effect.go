package lang

import (
	"time"

	"github.com/netpol/netpol/lang/diag"
)

// Priority is the priority of packets, the class of tc's queues.
type Priority struct {
	Text  string // as tc writes it: "1:10", "1:", or a plain number
	Value uint32
	Range diag.Range
}

// Route is the routing table that packets to the other side go by.
type Route struct {
	Table uint32
	Range diag.Range
}

// Limit is a rate: so many bytes or packets in a unit of time, and a burst.
type Limit struct {
	Rate  uint64
	Unit  time.Duration // a second, minute, hour, day or week
	Burst uint32
	Bytes bool // else packets
}

// Per is what shares one count, quota or rate: policy, host or flow.
type Per string

// Sharers.
const (
	PerPolicy Per = "policy" // all that the policy holds of
	PerHost   Per = "host"   // each address on the local side
	PerFlow   Per = "flow"   // each connection
)

// Log is a line in the kernel's log for packets.
type Log struct {
	Prefix string // with the space after it; empty for the policy's name
	Limit  *Limit // nil for each packet
	Range  diag.Range
}

// Count counts packets and bytes.
type Count struct {
	Per   Per
	Range diag.Range
}

// Quota is an amount; the policy's other effects begin when it is used up.
type Quota struct {
	Bytes uint64
	Per   Per
	Range diag.Range
}

// Rate drops what is over a limit.
type Rate struct {
	Limit Limit
	Per   Per
	Range diag.Range
}
