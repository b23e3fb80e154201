package flow

// ID names a record in a Table; 0 names none. An ID is reused after Remove.
type ID uint32

// Class is the timeout list a record stands in.
type Class uint8

// Classes, each with a timeout of its own.
const (
	// Opening flows are still being inspected and hold buffers.
	Opening Class = iota
	// Established flows are TCP connections past their opening.
	Established
	// Datagram flows are everything that has no end of its own.
	Datagram
	// Closed flows have seen FIN both ways or RST.
	Closed
	classes
)

// Flags are the yes-or-no facts of a record.
type Flags uint32

// Flag bits.
const (
	// ClientIsB says that the key's B end opened the flow.
	ClientIsB Flags = 1 << iota
	// Done says that analysis is over.
	Done
	// FinClient and FinServer say that the side has sent FIN.
	FinClient
	FinServer
	// Reset says that RST was seen.
	Reset
	// SynClient and SynServer say that the side's initial sequence number is known.
	SynClient
	SynServer
	// Watched flows are dissected after Done too: they bind names (DNS).
	Watched
	// Told says that the sink was given the verdict with the done mark.
	Told
	// Untracked flows have no conntrack entry of their own (ICMP errors).
	Untracked
	// Named says that the flow's name is known, and NamedAt is valid.
	Named
	// Guessed flows' opener was guessed from ports, not seen.
	Guessed
	// Translated says that replies bear other addresses (NAT).
	Translated
	// Renamed says that the flow's name became another one than it first had.
	Renamed
	// Adopted flows were found in conntrack, not seen to begin: what they
	// carried before is not known.
	Adopted
	// Closing says that conntrack sees the connection end, of which no packet
	// was shown.
	Closing
	// SumsClient and SumsServer say that the side's SYN had a right checksum.
	SumsClient
	SumsServer
	// Crowded flows were not looked at as they should have been: the table was
	// full, too many were opening, or there was no buffer.
	Crowded
	// Shed flows were given up without a name because of that.
	Shed
	// Unheld flows' packets wait no longer, although analysis goes on.
	Unheld
	// Announces says that packets of the flow may announce others after Done too.
	Announces

	// Opened says that State is of the opening state.
	Opened
	// Quiet says that the sink was given the quiet mark, or the kernel had it.
	Quiet
	// Retold says that the sink was last given the verdict because a packet showed that the kernel did not have it.
	Retold

	aliased // the table has an alias of the flow
	live    // the record is not free

	classBits = 30 // and 31: the record's Class
)

// Record is what the table keeps of one flow. It holds no pointers: the
// collector need not look at a million of them. The engine owns what is exported
// but Key; the table never reads it.
//
// What every packet of a decided flow reads and writes comes first, within the 64
// bytes of a cache line: with a million flows each line is a wait for memory.
type Record struct {
	Key      Key
	Flags    Flags
	Packets  uint32
	LastSeen int64 // nanoseconds since the Unix epoch; the caller keeps it: timeouts count from here
	Bytes    uint64

	Tally     uint32 // the engine's index of the flow's counters, 0 for none
	Traits    uint32 // the engine's index of what the flow has in common with others
	FirstSeen int64

	prev, next ID
	// State is the engine's index of the opening state while the record is Opened, and of the facts
	// otherwise, 0 for none.
	State uint32
	// What the next two and shared are depends: see the methods.
	first, second uint32
	queued        instant // when the record was put at the tail of its list
	Inspected     uint16  // packets with payload that dissectors saw
	NamedAt       uint16  // Packets when the name was first known
	shared        uint16
}

// Has says that all bits of f are set.
func (r *Record) Has(f Flags) bool { return r.Flags&f == f }

// Set sets bits.
func (r *Record) Set(f Flags) { r.Flags |= f }

// Clear clears bits.
func (r *Record) Clear(f Flags) { r.Flags &^= f }

// Class is the list that the record stands in.
func (r *Record) Class() Class { return Class(r.Flags >> classBits) }

func (r *Record) setClass(c Class) {
	r.Flags = r.Flags&(1<<classBits-1) | Flags(c)<<classBits
}

// Ended says that the connection is over as far as packets and conntrack show.
func (r *Record) Ended() bool {
	return r.Flags&(Reset|Closing) != 0 || r.Has(FinClient|FinServer)
}

// Tuple is the flow's tuple, client first.
func (r *Record) Tuple() Tuple {
	src, dst := r.Key.Ends(r.Has(ClientIsB))
	t := Tuple{Src: src.Addr(), Dst: dst.Addr(), Proto: r.Key.Proto}
	switch r.Key.Proto {
	case 1, 58: // ICMP, ICMPv6
		t.ICMPType, t.ICMPCode, t.ICMPID = uint8(r.first>>8), uint8(r.first), src.Port()
	default:
		t.SrcPort, t.DstPort = src.Port(), dst.Port()
	}
	return t
}
