package capture

import "github.com/netpol/netpol/compiler/artifact"

// QueueConfig says which queues of held packets to read; the zero value none.
type QueueConfig struct {
	// First is the first of six: three that let packets pass when they are full,
	// and three that drop them then (artifact.HoldQueues, HoldClosed).
	First uint16
	// Packets is how many packets may wait in each. When it is 0, none is held
	// and nothing is read.
	Packets int
	// Mark is the bits of packets' marks that are netpol's meanwhile.
	Mark artifact.HoldMark
}

// QueueStats count packets since the queues were opened.
type QueueStats struct {
	Held     uint64 // read; each is released once
	Told     uint64 // sent through the rules that write into new entries
	Late     uint64 // found after nobody had looked for a quarter of a second
	Overruns uint64 // times the socket buffer was full (ENOBUFS)
	Stray    uint64 // came back from those rules, and nobody knew any more from where
	Refused  uint64 // verdicts on packets that the kernel did not have any more
}
