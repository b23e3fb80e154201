package dissect

import (
	"net/netip"

	"github.com/netpol/netpol/lang/fact"
)

// Result is what a dissector makes of a window.
type Result uint8

// Results. At growing cuts of the same stream a dissector may go from NeedMore
// to Partial to Match, or from NeedMore to NoMatch; Partial and Match never
// turn into NoMatch.
const (
	// NoMatch: these bytes are not this protocol, whatever follows.
	NoMatch Result = iota
	// NeedMore: they may be; too few bytes to say.
	NeedMore
	// Partial: they are, f.Protocol is set, and later bytes may tell more.
	Partial
	// Match: they are, and nothing that follows would tell more.
	Match
)

// Side is one end of a flow.
type Side uint8

// Sides. Client is the end that opened the flow, as far as is known.
const (
	Client Side = iota
	Server
)

// Spec is the constant description of a dissector.
type Spec struct {
	Name  string   // the protocol's catalogue tag
	TCP   bool     // reads w.Stream
	UDP   bool     // reads w.Datagrams
	Ports []uint16 // likely server ports; tried first there, and elsewhere too
}

// Dissector recognises one protocol.
type Dissector interface {
	Spec() Spec
	// Dissect reads w and sets in f only what it is sure of. It must not
	// retain w or slices of it, allocate on NoMatch, or panic on any input.
	Dissect(w *Window, f *fact.Facts) Result
}

// Datagram is one UDP payload.
type Datagram struct {
	From    Side
	Payload []byte
}

// Window is what a flow has shown so far.
type Window struct {
	// SrcPort is the client's port, DstPort the server's.
	SrcPort, DstPort uint16
	// Stream is the contiguous opening of each direction of a TCP flow,
	// indexed by Side. Empty for UDP.
	Stream [2][]byte
	// Closed says that no more bytes of that direction will come: FIN or RST
	// seen, a lasting gap, or the reassembly cap reached.
	Closed [2]bool
	// Datagrams are the UDP payloads in arrival order; the last is the newest.
	// Empty for TCP.
	Datagrams []Datagram
	// Shown is how many of Datagrams, from the first on, were in earlier windows of the
	// flow, which the dissector has seen.
	Shown int
	// Want says which late facts are asked for.
	Want Wants
	// Signatures knows products by values in protocols that many use; nil knows
	// none.
	Signatures Signatures
	// Time is the newest packet's, in nanoseconds since the Unix epoch; 0 when
	// not known.
	Time int64
	// Names is output: name bindings that a dissector learned from the newest
	// bytes (DNS answers). The engine empties it before each call.
	Names []NameBinding
	// Peers is output: the addresses that the newest bytes of a TURN flow are about, the
	// relayed one and those of peers. The engine empties it before each call.
	Peers []netip.Addr
}

// NameBinding is one DNS answer: Client asked for Name and was told Addr.
type NameBinding struct {
	Name string
	Addr netip.Addr
	TTL  uint32 // seconds
}

// Newest is the datagram that has just arrived; ok is false for TCP.
func (w *Window) Newest() (d Datagram, ok bool) {
	if len(w.Datagrams) == 0 {
		return Datagram{}, false
	}
	return w.Datagrams[len(w.Datagrams)-1], true
}
