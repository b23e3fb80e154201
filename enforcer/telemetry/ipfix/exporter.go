package ipfix

import (
	"encoding/binary"
	"net"
	"time"
)

// Exporter puts records into messages of one observation domain. Not safe for
// concurrent use.
type Exporter struct {
	Domain uint32
	// Send sends a message. Once it has failed the exporter is of no more use until
	// Restart.
	Send func(message []byte) error

	pen          uint32
	most         int // bytes of a message
	flows        [templateFlows][]field
	applications [][]byte // records of the table, in the order in which they came
	listed       map[[applicationIDLength]byte]bool

	sequence uint32 // data records sent so far (RFC 7011, 3.1)
	messages uint64
	records  uint64 // of flows
	message  []byte
	set      int    // where the open set begins in it; 0 without one
	inSet    uint16 // its number
	inside   uint32 // data records in the message
	flowsIn  int    // of these, those of flows
	err      error
}

// NewExporter makes an exporter of messages of at most so many bytes.
func NewExporter(pen, domain uint32, message int, send func([]byte) error) *Exporter {
	return &Exporter{Domain: domain, Send: send, pen: pen, most: message, flows: templates(), listed: make(map[[applicationIDLength]byte]bool)}
}

// Restart begins a transport session: numbers begin anew (RFC 7011, 3.1).
func (e *Exporter) Restart() {
	e.sequence, e.err, e.flowsIn = 0, nil, 0
	e.drop()
}

// Templates sends all templates.
func (e *Exporter) Templates(now time.Time) error {
	for _, set := range appendTemplates(nil, e.flows, e.pen) {
		e.room(now, len(set))
		e.endSet()
		e.message = append(e.message, set...)
	}
	return e.Flush(now)
}

// State is what an exporter tells of besides flows.
type State struct {
	Interfaces []net.Interface
	NotSent    uint64 // records of flows that went nowhere
}

// Tables sends what helps to read records of flows: applications, interfaces, that
// every packet is counted, how much was sent, and what netpol's own elements are.
func (e *Exporter) Tables(now time.Time, s State) error {
	for _, one := range e.applications {
		e.add(now, templateApplication, one)
	}
	var b []byte
	for _, i := range s.Interfaces {
		b = binary.BigEndian.AppendUint32(b[:0], uint32(i.Index))
		e.add(now, templateInterface, appendPadded(b, i.Name, interfaceName))
	}
	// All packets are counted: one at a time, none left out (RFC 5475, 5.1).
	b = binary.BigEndian.AppendUint32(b[:0], e.Domain)
	b = appendNumber(appendNumber(appendNumber(appendNumber(b, 8, 1), 2, 1), 4, 1), 4, 0)
	e.add(now, templateSampling, b)
	b = binary.BigEndian.AppendUint32(b[:0], e.Domain)
	b = appendNumber(appendNumber(appendNumber(b, 8, e.messages), 8, e.records), 8, s.NotSent)
	e.add(now, templateStatistics, b)
	for _, own := range Owns() {
		b = binary.BigEndian.AppendUint32(b[:0], e.pen)
		b = append(binary.BigEndian.AppendUint16(b, own.ID), own.Type)
		e.add(now, templateElement, appendText(b, own.Name, longText))
	}
	return e.Flush(now)
}

// Flows sends records that an Encoder made, in as few messages as they fit in. n is how
// many bytes of them are in messages that were sent.
func (e *Exporter) Flows(now time.Time, b []byte) (n int, _ error) {
	at := 0
	for size := Next(b); size > 0 && e.err == nil; size = Next(b[at:]) {
		one := b[at : at+size]
		table := prefixLength + int(binary.BigEndian.Uint16(one[4:]))
		before := e.messages
		if table > prefixLength {
			e.list(now, one[prefixLength:table])
		}
		e.add(now, binary.BigEndian.Uint16(one[2:]), one[table:])
		if e.messages > before {
			n = at
		}
		e.flowsIn++
		at += size
	}
	if e.Flush(now) == nil {
		n = at
	}
	return n, e.err
}

// list adds a record to the table of applications.
func (e *Exporter) list(now time.Time, application []byte) {
	id := [applicationIDLength]byte(application)
	if !e.listed[id] {
		e.listed[id] = true
		e.applications = append(e.applications, append([]byte(nil), application...))
	}
	e.add(now, templateApplication, application)
}

// add puts a data record into the message, after sending what stands there if it has
// no room.
func (e *Exporter) add(now time.Time, template uint16, record []byte) {
	need := len(record)
	if e.set == 0 || e.inSet != template {
		need += setHeaderLength
	}
	e.room(now, need)
	if e.set == 0 || e.inSet != template {
		e.endSet()
		e.set, e.inSet = len(e.message), template
		e.message = openSet(e.message, template)
	}
	e.message = append(e.message, record...)
	e.inside++
}

// room makes sure that so many bytes fit into the message.
func (e *Exporter) room(now time.Time, need int) {
	if len(e.message)+need > e.most {
		_ = e.Flush(now) // kept
	}
	if len(e.message) == 0 {
		e.message = append(e.message, zeros[:headerLength]...)
	}
}

func (e *Exporter) endSet() {
	if e.set != 0 {
		closeSet(e.message, e.set)
	}
	e.set = 0
}

// Flush sends the message as it is, if there is anything in it.
func (e *Exporter) Flush(now time.Time) error {
	if e.err != nil || len(e.message) <= headerLength {
		return e.err
	}
	e.endSet()
	b := e.message
	binary.BigEndian.PutUint16(b, 10) // the version of IPFIX
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
	binary.BigEndian.PutUint32(b[4:], uint32(now.Unix()))
	binary.BigEndian.PutUint32(b[8:], e.sequence)
	binary.BigEndian.PutUint32(b[12:], e.Domain)
	if e.err = e.Send(b); e.err != nil {
		return e.err
	}
	e.messages++
	e.sequence += e.inside
	e.records += uint64(e.flowsIn)
	e.drop()
	return nil
}

// drop empties the message.
func (e *Exporter) drop() {
	e.message, e.set, e.inSet, e.inside, e.flowsIn = e.message[:0], 0, 0, 0, 0
}

// Messages is how many were sent.
func (e *Exporter) Messages() uint64 { return e.messages }
