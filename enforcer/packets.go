package enforcer

import (
	"time"

	"github.com/netpol/netpol/enforcer/flow"
	"github.com/netpol/netpol/enforcer/packet"
	"github.com/netpol/netpol/enforcer/telemetry/record"
	"github.com/netpol/netpol/lang/fact"
)

// The gate lets no packet of a decided flow by, except those that were on
// their way when it closed. Others say that the kernel has lost the verdict:
// its entry was flushed, or was not there yet when we wrote.
const (
	// onTheWay is how long after the verdict packets may still come: the
	// writer's hasty retries take 6 ms, the rest is for a busy machine.
	onTheWay = 50 * time.Millisecond
	// reuseAfter is how long after its decision a tuple must rest before
	// another packet is taken for a new connection.
	reuseAfter = 2 * time.Second
)

// packet takes w.raw in.
func (w *worker) packet() {
	w.key = nil
	packet.Decode(w.raw, w.parsed)
	w.handle()
}

// handle deals with w.raw, which has been decoded.
func (w *worker) handle() {
	raw := w.raw
	if raw.Timestamp == 0 && w.config.Live {
		raw.Timestamp = time.Now().UnixNano() // output hooks have no time stamps
	}
	if w.ticks && raw.Timestamp >= w.tickAt {
		w.tick(raw.Timestamp)
	}
	w.arrived()
	if w.sorts {
		w.traffic.count(raw, w.parsed)
	}
	if w.fragments.Len() > 0 {
		w.giveUp(w.clock.now)
	}
	w.at = 0
	if w.config.Unwrap == packet.NoTunnels && w.parsed.Fragment == packet.NotFragment || w.whole() {
		w.take()
	}
	if w.held.by != nil || raw.Missed {
		w.noteHeld()
	}
}

// arrived counts the packet at hand, and moves the clock on to it.
func (w *worker) arrived() {
	w.file = w.raw.File
	w.clock.packet(w.raw.Timestamp)
	w.stats.Packets++
	w.stats.Bytes += uint64(w.raw.Length)
}

// maxTunnels bounds how many encapsulations within each other are looked into.
const maxTunnels = 4

// whole makes w.parsed the packet that is meant: the datagram that a fragment
// completes, and what a tunnel carries. False says that there is none yet.
func (w *worker) whole() bool {
	for range maxTunnels {
		if w.parsed.Fragment != packet.NotFragment {
			w.stats.Fragments++
			if !w.fragments.Add(w.raw, w.parsed) {
				return false
			}
		}
		if !packet.Unwrap(w.parsed, w.config.Unwrap) {
			break
		}
		w.stats.Unwrapped++
	}
	return w.parsed.Fragment == packet.NotFragment
}

// giveUp takes the beginnings of datagrams that will not become whole for what
// they are: captures lose fragments, and a name may stand in the first.
func (w *worker) giveUp(now int64) {
	raw, parsed, key := w.raw, w.parsed, w.key
	w.raw, w.parsed, w.key = &w.stale.raw, &w.stale.parsed, nil
	for w.fragments.Stale(now, w.raw, w.parsed) {
		if w.parsed.Drop == packet.DropNone {
			w.take()
		}
	}
	w.raw, w.parsed, w.key = raw, parsed, key
}

// take brings w.parsed to its flow.
func (w *worker) take() {
	raw, p := w.raw, w.parsed
	if p.Drop != packet.DropNone {
		w.stats.drop(p.Drop)
		return
	}
	id, fromClient := w.find()
	r := w.table.At(id)
	w.at = id
	if !r.Has(flow.Done) {
		r.See() // in another cache line
	}
	w.tallyUp(r, fromClient)
	w.moved = !r.Has(flow.Done) && w.noteEnds(r, fromClient)
	if raw.Interface != "" && w.traitsOf(r).iface == 0 {
		w.place(r)
	}
	w.deliver(id, r, fromClient)
}

// tallyUp adds the packet at hand to its flow's figures.
func (w *worker) tallyUp(r *flow.Record, fromClient bool) {
	r.Packets++
	r.Bytes += uint64(w.raw.Length)
	r.LastSeen = max(r.LastSeen, w.clock.now)
	w.walks.touch(w.at)
	if !w.policy.counts && !w.measures {
		return
	}
	t := w.tallyOf(r)
	if t == nil {
		return
	}
	if w.policy.counts {
		t.count(w.parsed, fromClient)
	}
	if w.measures {
		w.observe(t, r, fromClient)
	}
}

// find gives the flow that w.parsed belongs to, a new one if need be, and
// which side the packet came from.
func (w *worker) find() (id flow.ID, fromClient bool) {
	k, id, fromB := w.lookUp()
	if id == 0 && w.raw.Direction == packet.DirReply {
		id = w.resolve(k, fromB)
	}
	if id != 0 && w.again(id) {
		w.stats.Restarted++
		w.conclude(w.table.At(id), reasonOf(w.table.At(id), record.ReasonExpired))
		w.table.Remove(id)
		id, fromClient = w.begin(k, fromB)
		if r := w.table.At(id); w.config.Live && w.config.Labels != nil {
			w.load(r, &w.facts)
			w.takeBack(r, &w.facts)
		}
		return id, fromClient
	}
	if id == 0 {
		return w.begin(k, fromB)
	}
	switch w.raw.Direction {
	case packet.DirOriginal:
		return id, true
	case packet.DirReply:
		return id, false
	case packet.DirUnknown:
	}
	return id, fromB == w.table.At(id).Has(flow.ClientIsB)
}

// resolve finds the flow of a reply whose addresses were translated, and
// remembers the reply's addresses as another name of it.
func (w *worker) resolve(k *flow.Key, fromB bool) flow.ID {
	if w.config.Resolver == nil {
		return 0
	}
	reply := flow.Record{Key: *k}
	reply.SetICMP(w.parsed.ICMPType, w.parsed.ICMPCode)
	if fromB {
		reply.Set(flow.ClientIsB) // the sender, for Tuple's sake
	}
	original, ok := w.config.Resolver.Original(reply.Tuple())
	if !ok {
		w.stats.Unresolved++
		return 0
	}
	w.stats.Resolved++
	key, originalFromB := flow.KeyOfTuple(original)
	if key == *k {
		return 0
	}
	id := w.table.Find(&key)
	if id == 0 {
		id = w.insert(&key, originalFromB)
		w.table.At(id).SetICMP(original.ICMPType, original.ICMPCode)
	}
	w.table.At(id).Set(flow.Translated)
	if w.table.Alias(k, id, !fromB) { // the sender is the server
		w.translated(w.table.At(id))
	}
	return id
}

// translated decides r, which just got an alias, anew if it is decided already: only
// now is it known which local address the connection leads to.
func (w *worker) translated(r *flow.Record) {
	if r.Has(flow.Done) {
		w.load(r, &w.facts)
		w.decide(r, &w.facts)
	}
}

// again handles a packet of a flow that the table knows, that belongs to another
// connection with the same tuple; over says that the flow is to end and a new one
// to begin.
func (w *worker) again(id flow.ID) (over bool) {
	p, r := w.parsed, w.table.At(id)
	if p.Proto == packet.ProtoTCP && p.TCPFlags&(packet.SYN|packet.ACK) == packet.SYN {
		retransmitted := r.Has(flow.SynClient) && r.ISN(false) == p.Seq
		return !retransmitted && (r.Ended() || r.Has(flow.Done))
	}
	if w.config.Live && r.Has(flow.Done|flow.Told) && !w.onItsWay(r) {
		w.forgotten(id, r)
	}
	return false
}

// onItsWay says that the packet at hand of a decided flow may have passed the gate before it closed: when the flow was
// decided, or when the kernel was told what it had lost. That it was told something else meanwhile opens no gate.
func (w *worker) onItsWay(r *flow.Record) bool {
	shut := r.DecidedAgo(w.clock.now)
	if r.Has(flow.Retold) {
		shut = r.ToldAgo(w.clock.now)
	}
	return shut <= onTheWay
}

// forgotten handles a packet that the gate would have kept back, had the
// kernel still the verdict on r: it has made a new entry in the middle of a
// conversation, because the old one had expired or was flushed, or it had none
// when the verdict came.
func (w *worker) forgotten(id flow.ID, r *flow.Record) {
	if r.Has(flow.Watched) && w.raw.Direction != packet.DirOriginal {
		return // DNS answers pass the gate always, so they prove nothing
	}
	w.suspectNew(r)
	w.sighted(r, w.clock.now)
	w.load(r, &w.facts)
	if r.DecidedAgo(w.clock.now) <= reuseAfter {
		w.stats.Retold++
		v := w.eval(r, &w.facts)
		w.write(r, v, w.quiet(r, v, false))
		r.Set(flow.Retold)
		return
	}
	// What follows is inspected. Until it says otherwise, and if it says
	// nothing, as the middle of most conversations does, the old name stands.
	w.stats.Reopened++
	r.Reopen()
	w.table.Move(id, flow.Opening, w.clock.now) // and decided in the end if nothing follows
	w.takeBack(r, &w.facts)
}

// takeBack tells the kernel that a flow is not decided, on whose tuple one was: that verdict may wait still to be
// tried again, and would close the gate to the packets that are to decide.
func (w *worker) takeBack(r *flow.Record, f *fact.Facts) {
	w.write(r, w.eval(r, f), false)
}

// begin makes a flow of which w.parsed is the first packet.
func (w *worker) begin(k *flow.Key, fromB bool) (id flow.ID, fromClient bool) {
	p := w.parsed
	fromClient, guessed := w.opener()
	id = w.insert(k, fromB == fromClient)
	r := w.table.At(id)
	r.SetICMP(p.ICMPType, p.ICMPCode)
	t := traits{dscp: p.DSCP, iface: w.located()}
	w.showEnds(&t, r, fromClient)
	w.setTraits(r, &t)
	if guessed {
		r.Set(flow.Guessed)
	}
	if (p.Proto == packet.ProtoICMP || p.Proto == packet.ProtoICMPv6) && !p.ICMPQuery() {
		// conntrack counts an ICMP error to the flow that it complains of.
		r.Set(flow.Untracked)
	}
	w.decideAtOnce(r)
	return id, fromClient
}

// insert adds a record.
func (w *worker) insert(k *flow.Key, clientIsB bool) flow.ID {
	w.stats.FlowsSeen++
	id := w.table.Insert(k, flow.Datagram, w.clock.now)
	r := w.table.At(id)
	if !w.config.Live {
		r.FirstSeen = w.raw.Timestamp // packets of a file may be out of order
	}
	if clientIsB {
		r.Set(flow.ClientIsB)
	}
	return id
}

// located is the interface that the flow of the packet at hand came in on, 0 if that is
// not known. Live, replies come in on another one, which says nothing: until a packet of
// the other direction comes, the flow's is not known.
func (w *worker) located() uint16 {
	if w.config.Live && w.raw.Direction == packet.DirReply {
		return 0
	}
	return w.interfaceIndex(w.raw.Interface)
}

// place locates a flow that was known before its interface was, and decides it
// anew if that has been done already.
func (w *worker) place(r *flow.Record) {
	t := *w.traitsOf(r)
	if t.iface = w.located(); t.iface == 0 {
		return
	}
	w.setTraits(r, &t)
	w.moved = true
	if w.policy.unplaced == nil {
		return
	}
	if r.Has(flow.Done) {
		w.load(r, &w.facts)
		w.decide(r, &w.facts)
	} else if !r.Has(flow.Opened) {
		w.decideAtOnce(r)
	}
}

// opener says whether the sender of w.parsed, the first packet seen of its
// flow, is the side that opened it; guessed that only the ports speak for it.
func (w *worker) opener() (fromClient, guessed bool) {
	switch w.raw.Direction {
	case packet.DirOriginal:
		return true, false
	case packet.DirReply:
		return false, false
	case packet.DirUnknown:
	}
	p := w.parsed
	if p.Proto == packet.ProtoTCP && p.TCPFlags&packet.SYN != 0 {
		return p.TCPFlags&packet.ACK == 0, false
	}
	if !p.HasPorts() {
		return !isICMPReply(p), false
	}
	// The first to send is the client, unless it sends from a service's port
	// to one that is nobody's.
	return !w.service(p.SrcPort) || w.service(p.DstPort), true
}

// service says that servers, not clients, are found on the port: a system
// port (RFC 6335, section 6) or one that a dissector expects.
func (w *worker) service(port uint16) bool {
	return port != 0 && (port < 1024 || w.scheduler.Hinted(port))
}

func isICMPReply(p *packet.Parsed) bool {
	switch p.Proto {
	case packet.ProtoICMP:
		return p.ICMPType == 0
	case packet.ProtoICMPv6:
		return p.ICMPType == 129
	}
	return false
}

// maxInterfaces bounds the names remembered, on hosts where every container
// and every dial-in makes a new one. Past it new names are not known.
const maxInterfaces = 4096

func (w *worker) interfaceIndex(name string) uint16 {
	if name == "" {
		return 0
	}
	i, ok := w.interfaceOf[name]
	if !ok && len(w.interfaces) <= maxInterfaces {
		i = uint16(len(w.interfaces))
		w.interfaces = append(w.interfaces, name)
		w.interfaceOf[name] = i
	}
	return i
}

// lookup finds a flow by the tuple of either direction. A tuple does not say
// its VLAN, so when none is outside all VLANs every flow is looked at.
func (w *worker) lookup(t flow.Tuple) (flow.ID, bool) {
	k, _ := flow.KeyOfTuple(t)
	if id := w.table.Find(&k); id != 0 {
		return id, true
	}
	found := flow.ID(0)
	w.table.Each(func(id flow.ID, r *flow.Record) bool {
		other := r.Key
		other.VLAN = 0
		if other == k {
			found = id
		}
		return found == 0
	})
	return found, found != 0
}
