package enforcer

import (
	"reflect"

	"github.com/netpol/netpol/enforcer/packet"
)

// Stats counts what the engine did since New. Flows, Opening, Buffered and
// Names are states, the rest only grow.
type Stats struct {
	Packets   uint64 // read from the source
	Bytes     uint64 // of those, on the wire
	NotIP     uint64 // left alone: no IP in them, or a link header we do not read
	Short     uint64 // left alone: cut off within a header
	BadHeader uint64 // left alone: a header contradicts itself
	Fragments uint64 // of IP datagrams, which were put together where all came
	Unwrapped uint64 // packets that were taken out of tunnels

	FlowsSeen    uint64
	FlowsEvicted uint64 // pushed out of the full table by others
	Flows        uint64 // in the table now
	Opening      uint64 // in inspection now
	Inspected    uint64 // packets that dissectors saw
	Completed    uint64 // flows whose analysis is over
	Cut          uint64 // flows whose analysis was ended because too many were open
	Shed         uint64 // flows given up without a name, for lack of room or because packets were lost
	Decoys       uint64 // TCP segments that their receiver throws away: wrong checksum or acknowledgement
	NoBuffer     uint64 // segments not kept because MaxBuffers was reached
	Buffered     uint64 // bytes held for reassembly now
	Panics       uint64 // of dissectors; each cost a flow its name
	// DissectorsOff is how many dissectors blew the fuse and are asked no more.
	DissectorsOff uint64

	Held          uint64 // packets that waited
	HeldUndecided uint64 // of those, let go on while their flow had neither label nor mark, nor an end of its analysis
	HeldReleased  uint64 // flows whose packets waited no longer, because no policy that holds could match them any more
	HoldMissed    uint64 // packets that were to wait and did not: too many did, or nobody answered
	ReleaseErrors uint64 // times that packets could not be let go on

	Writes      uint64 // updates given to the label sink
	WriteErrors uint64 // times the sink failed as a whole
	Resolved    uint64 // replies whose original tuple was found
	Unresolved  uint64 // replies whose original tuple was not found
	Restarted   uint64 // flows begun anew because a connection reused their tuple
	Reopened    uint64 // decided flows inspected again because the kernel had forgotten them
	Retold      uint64 // verdicts written again because the kernel showed more of their flows
	Names       uint64 // DNS answers remembered now
	Adopted     uint64 // connections from before the engine, found in conntrack
	Relisted    uint64 // times that conntrack was listed anew because updates may have been lost, or a list was not whole
	Corrected   uint64 // of connections whose labels or mark the kernel had otherwise
	Audited     uint64 // matches of audit policies
	Notified    uint64 // matches that policies told sinks of
	Records     uint64 // of flows that were told sinks
	KeysShed    uint64 // keys of aggregates that made room for others
	EndsHeard   uint64 // flows of which the kernel announced that their connection is over
	Readings    uint64 // times that the counters of flows were read
	// ReadingErrors counts lists of connections that could not be read to
	// their end.
	ReadingErrors uint64
	Beats         uint64 // heartbeats that the kernel took
	BeatErrors    uint64 // heartbeats that it did not take
	Elements      uint64 // elements of flows in sets now
	ElementWrites uint64 // changes written to sets
	ElementErrors uint64 // changes that sets did not take
	ElementsShed  uint64 // flows that stayed out of sets because too many came at once
	Reloads       uint64
	FileErrors    uint64 // capture files that could not be read to their end
}

// Counters are the figures by name, for status output.
func (s *Stats) Counters() map[string]uint64 {
	return map[string]uint64{
		"packets": s.Packets, "bytes": s.Bytes, "not_ip": s.NotIP, "short": s.Short,
		"bad_header": s.BadHeader, "fragments": s.Fragments, "unwrapped": s.Unwrapped,
		"flows_seen": s.FlowsSeen, "flows_evicted": s.FlowsEvicted, "flows": s.Flows, "opening": s.Opening,
		"inspected": s.Inspected, "completed": s.Completed, "cut": s.Cut, "shed": s.Shed, "decoys": s.Decoys, "no_buffer": s.NoBuffer,
		"buffered": s.Buffered, "panics": s.Panics, "dissectors_off": s.DissectorsOff,
		"held": s.Held, "held_undecided": s.HeldUndecided, "held_released": s.HeldReleased, "hold_missed": s.HoldMissed, "release_errors": s.ReleaseErrors,
		"writes": s.Writes, "write_errors": s.WriteErrors, "resolved": s.Resolved, "unresolved": s.Unresolved,
		"restarted": s.Restarted, "reopened": s.Reopened, "retold": s.Retold, "names": s.Names, "reloads": s.Reloads, "file_errors": s.FileErrors,
		"adopted": s.Adopted, "corrected": s.Corrected, "relisted": s.Relisted, "audited": s.Audited, "notified": s.Notified, "records": s.Records, "aggregate_keys_shed": s.KeysShed, "ends_heard": s.EndsHeard, "readings": s.Readings, "reading_errors": s.ReadingErrors,
		"beats": s.Beats, "beat_errors": s.BeatErrors,
		"elements": s.Elements, "element_writes": s.ElementWrites, "element_errors": s.ElementErrors, "elements_shed": s.ElementsShed,
	}
}

// drop counts a packet that could not be decoded.
func (s *Stats) drop(d packet.Drop) {
	switch d {
	case packet.DropNone:
	case packet.DropLink:
		s.NotIP++
	case packet.DropShort:
		s.Short++
	case packet.DropHeader:
		s.BadHeader++
	case packet.DropFragments:
		s.Fragments++
	}
}

// add sums up what workers did.
func (s *Stats) add(o *Stats) {
	to, from := reflect.ValueOf(s).Elem(), reflect.ValueOf(o).Elem()
	for i := range to.NumField() {
		to.Field(i).SetUint(to.Field(i).Uint() + from.Field(i).Uint())
	}
}
