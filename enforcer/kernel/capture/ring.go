package capture

import (
	"fmt"
	"time"

	"github.com/netpol/netpol/compiler/artifact"
)

// RingConfig says which packets AF_PACKET rings read; the zero value of a
// field other than Interface takes the default.
type RingConfig struct {
	// Interface is the interface's name. What bears the name is read: an interface
	// that is renamed is another one from then on, and may vanish and come back.
	Interface string
	// Workers is how many rings there are, each to be read by a worker; default 1.
	Workers int
	// Socket makes an AF_PACKET socket of protocol 0 in the network namespace that
	// is read; nil makes it in the caller's. It is called whenever the interface comes.
	Socket func() (fd int, err error)
	// FirstPackets is how many packets of each flow are read before a program
	// in the kernel keeps the rest back; 0 reads all.
	FirstPackets uint32
	// Flows bounds the flows that the program counts; the one that was seen
	// longest ago is forgotten first, and read again. Default 65536, 64 bytes
	// each.
	Flows uint32
	// Filter is what packets meet that are read; nil for all. What is not IP, and
	// fragments, are read in any case.
	Filter *artifact.Filter
	// Snap is how many bytes of a packet are read, default 65535.
	Snap uint32
	// Incoming leaves out what this machine sends.
	Incoming bool
	// Promiscuous reads packets that are not for this machine, as a mirror
	// port shows them.
	Promiscuous bool
	// Blocks and BlockBytes are the size of each ring, default 64 blocks of
	// 256 KiB, shared out among the workers, but no fewer than 8 for each. BlockBytes
	// is a multiple of the page size.
	Blocks, BlockBytes uint32
	// Wait is how long the kernel fills a block before it hands it over,
	// default 4 ms: what a packet may be late.
	Wait time.Duration
	// Idle is how long Next waits before it returns packet.ErrIdle, default
	// 100 ms, and up to a second once nothing has come for ten times as long.
	Idle time.Duration
}

func (c RingConfig) withDefaults() RingConfig {
	set := func(v *uint32, d uint32) {
		if *v == 0 {
			*v = d
		}
	}
	set(&c.Flows, 65536)
	set(&c.Snap, 65535)
	c.Workers = max(1, c.Workers)
	set(&c.Blocks, uint32(max(8, 64/c.Workers)))
	set(&c.BlockBytes, 256<<10)
	if c.Wait == 0 {
		c.Wait = 4 * time.Millisecond
	}
	if c.Idle == 0 {
		c.Idle = 100 * time.Millisecond
	}
	return c
}

func (c RingConfig) validate() error {
	switch {
	case c.Interface == "":
		return fmt.Errorf("no interface")
	case c.BlockBytes%4096 != 0 || c.BlockBytes < 2*ringFrame:
		return fmt.Errorf("blocks of %d bytes: not a multiple of the page size from %d on", c.BlockBytes, 2*ringFrame)
	case c.Workers > maxRings:
		return fmt.Errorf("%d workers: at most %d read an interface", c.Workers, maxRings)
	case uint64(c.Blocks)*uint64(c.BlockBytes) > 1<<30:
		return fmt.Errorf("a ring of %d blocks of %d bytes is larger than 1 GiB", c.Blocks, c.BlockBytes)
	}
	return nil
}

// maxRings bounds the rings of an interface; the kernel's bound is 256
// (PACKET_FANOUT_MAX in net/packet/internal.h).
const maxRings = 64

// ringFrame bounds one packet with its headers in a block; the kernel asks for
// the number and packs packets more tightly (packet(7), TPACKET_V3).
const ringFrame = 64 << 10

// RingStats count packets since the source was opened.
type RingStats struct {
	Packets uint64
	Bytes   uint64 // captured
	Lost    uint64 // packets that found the ring full (PACKET_STATISTICS)
}
