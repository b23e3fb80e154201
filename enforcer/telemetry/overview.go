package telemetry

import (
	"net/netip"
	"slices"
)

// Question is what somebody who looks at flows wants to see of them.
type Question struct {
	By     Dimension `json:"by,omitempty"`     // what rows stand for; empty: there are none
	Order  Order     `json:"order,omitempty"`  // of rows and of flows; empty is by rate
	Rows   int       `json:"rows,omitempty"`   // how many at most
	Flows  int       `json:"flows,omitempty"`  // how many at most
	Within []Part    `json:"within,omitempty"` // flows that belong to all of these
	Text   string    `json:"text,omitempty"`   // flows with this in a name or an address, whatever the case
	// Groups are those that ByGroup tells apart: a flow belongs to the first that its local
	// side is in.
	Groups []Group `json:"groups,omitempty"`
}

// Group is some hosts of the local side.
type Group struct {
	Name     string         `json:"name"`
	Networks []netip.Prefix `json:"networks,omitempty"`
	MACs     []string       `json:"macs,omitempty"` // "aa:bb:cc:dd:ee:ff"
}

// Part is the flows that a row stands for.
type Part struct {
	By   Dimension `json:"by"`
	Name string    `json:"name"`
}

// Dimension is what flows are added up by.
type Dimension string

// Dimensions.
const (
	ByApplication Dimension = "apps"     // or its protocol, where it has none
	ByHost        Dimension = "hosts"    // addresses of the local side
	ByPolicy      Dimension = "policies" // a flow belongs to all that match it
	ByGroup       Dimension = "groups"
	ByStation     Dimension = "stations"   // hardware addresses of the local side, one for all addresses of a host
	ByCategory    Dimension = "categories" // of applications or protocols
	ByProtocol    Dimension = "protocols"
	ByRemote      Dimension = "remotes" // addresses of the other side
	ByName        Dimension = "names"   // host names
	ByBrand       Dimension = "brands"
	ByInterface   Dimension = "interfaces"
)

// Dimensions lists all of them.
func Dimensions() []Dimension {
	return []Dimension{ByApplication, ByHost, ByPolicy, ByGroup, ByStation, ByCategory, ByProtocol, ByRemote, ByName, ByBrand, ByInterface}
}

// Valid says that there is such a dimension.
func (d Dimension) Valid() bool { return slices.Contains(Dimensions(), d) }

// Order is what comes first.
type Order string

// Orders.
const (
	OrderRate    Order = "rate"
	OrderUp      Order = "up"   // the local side's rate
	OrderDown    Order = "down" // the other side's rate
	OrderBytes   Order = "bytes"
	OrderPackets Order = "packets"
	OrderFlows   Order = "flows"
	OrderRTT     Order = "rtt"     // the longest
	OrderRetrans Order = "retrans" // the most
	OrderNew     Order = "new"
	OrderOld     Order = "old"
	OrderName    Order = "name"
)

// Orders lists all of them.
func Orders() []Order {
	return []Order{OrderRate, OrderUp, OrderDown, OrderBytes, OrderPackets, OrderFlows, OrderRTT, OrderRetrans, OrderNew, OrderOld, OrderName}
}

// Valid says that there is such an order.
func (o Order) Valid() bool { return o == "" || slices.Contains(Orders(), o) }

// Unnamed is the row of flows without the name that rows stand for.
const Unnamed = "-"

// Overview answers a question: sums are of all flows that are meant, and lists hold
// what comes first.
type Overview struct {
	Total Sum    `json:"total"`
	Rows  []Sum  `json:"rows,omitempty"`
	Count int    `json:"count,omitempty"` // of rows, before they were cut
	Flows []Flow `json:"flows,omitempty"`
	// RatesIn is in how many milliseconds rates are those of the moment: where no policy asks
	// for counters, netpold reads them only while somebody looks.
	RatesIn int64 `json:"rates_in_ms,omitempty"`
}

// Sum is what some flows carry together. Rates are bytes a second, by the last two
// readings of the kernel's counters.
type Sum struct {
	Name       string `json:"name,omitempty"`
	Flows      int    `json:"flows"`
	Rate       uint64 `json:"rate"`
	LocalRate  uint64 `json:"local_rate"` // sent by the local side
	OtherRate  uint64 `json:"other_rate"`
	Bytes      uint64 `json:"bytes"`
	LocalBytes uint64 `json:"local_bytes"`
	OtherBytes uint64 `json:"other_bytes"`
	Packets    uint64 `json:"packets"`
	// RTT is the mean of the flows of which it is known, to the end that answers and from
	// there to the one that asks, in microseconds; 0 is not known.
	RTT     uint32 `json:"rtt_us,omitempty"`
	Retrans uint64 `json:"retrans,omitempty"`
}

// Carry takes a flow in, without its times.
func (s *Sum) Carry(now *Now, packets, bytes uint64) {
	s.Flows++
	s.Rate, s.LocalRate, s.OtherRate = s.Rate+now.Rate, s.LocalRate+now.LocalRate, s.OtherRate+now.OtherRate
	s.Bytes, s.LocalBytes, s.OtherBytes = s.Bytes+bytes, s.LocalBytes+now.LocalBytes, s.OtherBytes+now.OtherBytes
	s.Packets, s.Retrans = s.Packets+packets, s.Retrans+now.Retrans
}
