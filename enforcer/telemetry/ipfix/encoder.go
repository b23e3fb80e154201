package ipfix

import "encoding/binary"

// Limits of messages.
const (
	// MinMessage holds the longest record that there is with strings of leastText
	// bytes, and every template; RFC 7011, 10.3.3, has it as what fits every path.
	MinMessage = 512
	// DefaultMessage fits an Ethernet with a tunnel on the way.
	DefaultMessage = 1400
	// MaxMessage fits jumbo frames.
	MaxMessage = 8900

	headerLength    = 16 // of a message (RFC 7011, 3.1)
	setHeaderLength = 4
	// Strings are told up to the first of these that lets their record fit.
	longText, shortText, leastText = 255, 48, 10
	// prefixLength is what stands before a record that waits: its length, its template
	// and the length of the record of its application before it.
	prefixLength = 6
)

// Encoder makes records of flows, to be sent by an Exporter. Not safe for concurrent
// use.
type Encoder struct {
	pen   uint32
	room  int // for a record
	flows [templateFlows][]field
	known map[string]bool // applications that the exporter was told of
}

// maxApplications bounds the application table: a catalogue has some thousands.
const maxApplications = 1 << 14

// NewEncoder makes an encoder for messages of at most so many bytes; pen is the
// enterprise whose numbers netpol's elements and applications have.
func NewEncoder(pen uint32, message int) *Encoder {
	return &Encoder{pen: pen, room: message - headerLength - setHeaderLength, flows: templates(), known: make(map[string]bool)}
}

// Append appends a flow, as it is to be given to an Exporter. The first flow of an
// application has a record for the application's table with it, until Sent.
func (e *Encoder) Append(b []byte, f *Flow) []byte {
	start := len(b)
	b = append(b, make([]byte, prefixLength)...)
	if tag := f.Detail.ApplicationName; tag != "" && !e.known[tag] && len(e.known) < maxApplications {
		b = appendApplicationID(b, e.pen, tag)
		b = appendPadded(b, tag, applicationName)
		b = appendPadded(b, f.Detail.Category.Application, applicationName)
	}
	table := len(b)
	i := which(f)
	f.pen = e.pen
	for _, f.text = range []int{longText, shortText, leastText} {
		b = b[:table]
		for _, field := range e.flows[i] {
			b = field.put(b, f)
		}
		if len(b)-table <= e.room {
			break
		}
	}
	binary.BigEndian.PutUint16(b[start:], uint16(len(b)-start))
	binary.BigEndian.PutUint16(b[start+2:], uint16(templateFlow+i))
	binary.BigEndian.PutUint16(b[start+4:], uint16(table-start-prefixLength))
	return b
}

// Sent says that what Append made of a flow will go to the exporter.
func (e *Encoder) Sent(f *Flow) {
	if tag := f.Detail.ApplicationName; tag != "" && len(e.known) < maxApplications {
		e.known[tag] = true
	}
}

// which is the template that a flow has, as templates orders them. A pseudonym of an address is one of
// IPv6, whatever the flow's version is.
func which(f *Flow) (i int) {
	if d := f.Detail; d.IPVersion == 6 || d.LocalIP.Is6() || d.OtherIP.Is6() {
		i = 1
	}
	if f.Detail.Conntrack.ReplySrcIP.IsValid() || f.Detail.Conntrack.ReplyDstIP.IsValid() {
		i |= 2
	}
	return i
}

// Next is how many bytes at the beginning of b are what Append made of one flow; 0
// if that does not end in b.
func Next(b []byte) int {
	if len(b) < prefixLength {
		return 0
	}
	if n := int(binary.BigEndian.Uint16(b)); n >= prefixLength && n <= len(b) {
		return n
	}
	return 0
}
