package demo

import (
	"errors"
	"io"
	"net/netip"
)

// Options are what a user can choose.
type Options struct {
	Out   io.Writer
	Color bool
	// Capture is a pcap or pcapng file to play instead of the generated call.
	Capture string
	// Client is the LAN side of the capture; found in it when not valid.
	Client netip.Addr
	// Record is a file for what crosses the LAN side, as pcap; empty for none.
	Record string
	// Enforcer is the command line that runs netpold; the story adds no
	// arguments, because all paths are the defaults.
	Enforcer []string
}

// ErrWrong says that the kernel or the wire was not as it had to be. The story
// has printed what was wrong.
var ErrWrong = errors.New("the demo did not see what it had to see")

// connection is a conntrack entry, or one that must be there. Two are the same
// whichever side opened it.
type connection struct {
	proto          uint8 // IP protocol number
	client, server netip.AddrPort
}

// key orders the two ends, so that both directions compare equal.
func (c connection) key() connection {
	if c.client.Compare(c.server) > 0 {
		c.client, c.server = c.server, c.client
	}
	return c
}

// expectation is a connection and the label that the kernel must hold for it,
// empty for none.
type expectation struct {
	connection
	about string
	label string
	// seen: the lab's own traffic, whose truth is known to the last label: the
	// connection must be in the kernel's table, and packets of it marked on the
	// wire. Of a capture only Zoom is checked: its pauses are played shorter
	// than they were, which matters to what else is recognised.
	seen bool
	// coloured: its packets have the code point from their sender.
	coloured bool
}

// zoom reports whether the policy gives the connection the label and the code
// point; other labels may stand beside it.
func (e expectation) zoom() bool { return hasZoom(e.label) }

func (c connection) protoName() string {
	switch c.proto {
	case protoTCP:
		return "tcp"
	case protoUDP:
		return "udp"
	}
	return "ip"
}

// IP protocol numbers (IANA).
const (
	protoTCP = 6
	protoUDP = 17
)
