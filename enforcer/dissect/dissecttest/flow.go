package dissecttest

import (
	"encoding/hex"
	"strings"
	"testing"

	"github.com/netpol/netpol/enforcer/dissect"
)

// Packet is one payload of a flow: a TCP segment in sequence or a datagram.
type Packet struct {
	From dissect.Side
	Data []byte
}

// Client is a payload of the side that opened the flow.
func Client[B ~string | ~[]byte](data B) Packet { return Packet{dissect.Client, []byte(data)} }

// Server is a payload of the side that the flow was opened to.
func Server[B ~string | ~[]byte](data B) Packet { return Packet{dissect.Server, []byte(data)} }

// Flow is what a dissector is shown: payloads in arrival order.
type Flow struct {
	UDP              bool
	SrcPort, DstPort uint16
	Packets          []Packet
	Closed           [2]bool // once all packets are there
	Want             dissect.Wants
	Signed           dissect.Signatures
	Time             int64
}

// clientPort is an ephemeral port no protocol is known by.
const clientPort = 49321

// TCP is a TCP flow to a server port.
func TCP(port uint16, packets ...Packet) Flow {
	return Flow{SrcPort: clientPort, DstPort: port, Packets: packets}
}

// UDP is a UDP flow to a server port.
func UDP(port uint16, packets ...Packet) Flow {
	return Flow{UDP: true, SrcPort: clientPort, DstPort: port, Packets: packets}
}

// Close is the flow with both directions ended.
func (fl Flow) Close() Flow {
	fl.Closed = [2]bool{true, true}
	return fl
}

// Wanting is the flow in a window that asks for late facts.
func (fl Flow) Wanting(want dissect.Wants) Flow {
	fl.Want = want
	return fl
}

// Signed is a value that is one application's.
type Signed struct {
	Where       dissect.Where
	Value       string
	Application string
}

// Signatures are whole values; they implement dissect.Signatures.
type Signatures []Signed

// Signature implements dissect.Signatures.
func (s Signatures) Signature(where dissect.Where, value []byte) (application string, ok bool) {
	for _, x := range s {
		if x.Where == where && x.Value == string(value) {
			return x.Application, true
		}
	}
	return "", false
}

// Knowing is the flow in a window that knows signatures.
func (fl Flow) Knowing(signed ...Signed) Flow {
	fl.Signed = Signatures(signed)
	return fl
}

// Hex decodes hexadecimal digits, spaces and line ends between them ignored.
func Hex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		t.Fatalf("decode hex: %v", err)
	}
	return b
}

// Cuts is how many beginnings the flow has: one for each byte of a TCP flow,
// one for each datagram of a UDP flow.
func (fl Flow) Cuts() int {
	if fl.UDP {
		return len(fl.Packets)
	}
	n := 0
	for _, p := range fl.Packets {
		n += len(p.Data)
	}
	return n
}

// Window is the flow's beginning up to the cut-th byte or datagram; the window
// of the last cut has the flow's Closed.
func (fl Flow) Window(cut int) *dissect.Window {
	w := &dissect.Window{SrcPort: fl.SrcPort, DstPort: fl.DstPort, Want: fl.Want, Signatures: fl.Signed, Time: fl.Time}
	if cut >= fl.Cuts() {
		w.Closed = fl.Closed
	}
	for _, p := range fl.Packets {
		if fl.UDP {
			if len(w.Datagrams) < cut {
				w.Datagrams = append(w.Datagrams, dissect.Datagram{From: p.From, Payload: p.Data})
			}
			continue
		}
		n := min(len(p.Data), cut)
		w.Stream[p.From] = append(w.Stream[p.From], p.Data[:n]...)
		cut -= n
	}
	return w
}

// Whole is the window of the whole flow.
func (fl Flow) Whole() *dissect.Window { return fl.Window(fl.Cuts()) }

// clone is the flow with payloads of its own.
func (fl Flow) clone() Flow {
	c := fl
	c.Packets = make([]Packet, len(fl.Packets))
	for i, p := range fl.Packets {
		c.Packets[i] = Packet{p.From, append([]byte(nil), p.Data...)}
	}
	return c
}
