package enforcer

import (
	"bytes"
	"cmp"
	"net/netip"
	"slices"
	"strings"

	"github.com/netpol/netpol/enforcer/flow"
	"github.com/netpol/netpol/enforcer/packet"
	"github.com/netpol/netpol/enforcer/telemetry/record"
)

const (
	// maxHosts and maxAddresses bound what is told of endpoints at a time, and what is known of
	// them, 5 MB.
	maxHosts     = 4096
	maxAddresses = 32
	// hostsPerRecord keeps a record of endpoints below 64 KiB, as a rule.
	hostsPerRecord = 128
)

// endpoints are the hosts on the local side of the flows in the table, while a sink is told of
// them. The zero value has none.
type endpoints struct {
	hosts map[uint16]*station // by hardware address, in macTable
	known int                 // addresses of all
	met   [2]flow.Set         // flows that are counted, by the end of the key that is the host
}

// station is the addresses that have been seen with a hardware address.
type station struct {
	flows map[endpoint]int // by address, how many
	// The addresses that come first; valid iff not stale. A router has thousands, which are not
	// looked through each time.
	first []endpoint
	stale bool
}

// endpoint is an address.
type endpoint struct {
	version uint8 // of IP
	ip      [16]byte
}

// meet counts a flow for the host on its local side.
func (w *worker) meet(id flow.ID, r *flow.Record) {
	h := &w.endpoints
	if h.met[0].Has(id) || h.met[1].Has(id) {
		return // who opened it may be another one after that: forgetEndpoint
	}
	mac := w.traitsOf(r).mac
	if mac == [2]uint16{} {
		return
	}
	end := w.localEnd(r)
	one := endpointAt(r, end)
	if mac[end] == 0 || one.ip == [16]byte{} || one.ip == unspecified4 { // it asks who has its address, or for one
		return
	}
	if h.add(mac[end], one) {
		h.met[end].Add(id)
	}
}

// add counts a flow of an address, if there is room.
func (h *endpoints) add(mac uint16, one endpoint) bool {
	at := h.hosts[mac]
	switch {
	case at != nil && at.flows[one] > 0:
		at.flows[one]++
		return true
	case h.known >= maxHosts*maxAddresses:
		return false
	case h.hosts == nil:
		h.hosts = make(map[uint16]*station)
	}
	if at == nil {
		at = &station{flows: make(map[endpoint]int)}
		h.hosts[mac] = at
	}
	h.known++
	at.flows[one] = 1
	at.rank(one)
	return true
}

// drop takes back that a flow of an address counts.
func (h *endpoints) drop(mac uint16, one endpoint) {
	at := h.hosts[mac]
	if at.flows[one]--; at.flows[one] > 0 {
		return
	}
	delete(at.flows, one)
	h.known--
	if i, ok := slices.BinarySearchFunc(at.first, one, endpoint.compare); ok {
		at.first = slices.Delete(at.first, i, i+1)
		at.stale = at.stale || len(at.flows) > len(at.first)
	}
	if len(at.flows) == 0 {
		delete(h.hosts, mac)
	}
}

// rank puts an address among those that come first, if it does.
func (h *station) rank(one endpoint) {
	if len(h.first) == maxAddresses {
		if one.compare(h.first[maxAddresses-1]) > 0 {
			return
		}
		h.first = h.first[:maxAddresses-1]
	}
	at, _ := slices.BinarySearchFunc(h.first, one, endpoint.compare)
	h.first = slices.Insert(h.first, at, one)
}

// addresses are those that come first, in order.
func (h *station) addresses() []endpoint {
	if h.stale {
		h.first, h.stale = h.first[:0], false
		for one := range h.flows {
			h.rank(one)
		}
	}
	return h.first
}

// unspecified4 is 0.0.0.0 as keys have it.
var unspecified4 = netip.IPv4Unspecified().As16()

// forgetEndpoint takes a flow back that is about to go, or whose client is another one than was thought.
func (w *worker) forgetEndpoint(r *flow.Record) {
	h := &w.endpoints
	if len(h.hosts) == 0 {
		return
	}
	id := w.table.Find(&r.Key)
	for end := range h.met {
		if h.met[end].Has(id) {
			h.met[end].Drop(id)
			h.drop(w.traitsOf(r).mac[end], endpointAt(r, end))
		}
	}
}

// localEnd is the end of a flow's key on the local side, as fillSides has it: 0 for A.
func (w *worker) localEnd(r *flow.Record) int {
	src, dst := r.Key.Ends(r.Has(flow.ClientIsB))
	end := 0
	if r.Has(flow.ClientIsB) {
		end = 1
	}
	if w.policy.isLocal(dst.Addr()) && !w.policy.isLocal(src.Addr()) {
		return 1 - end
	}
	return end
}

func endpointAt(r *flow.Record, end int) endpoint {
	return endpoint{version: r.Key.IPVersion, ip: [2][16]byte{r.Key.A, r.Key.B}[end]}
}

// listEndpoints lists them by hardware address: of each, those addresses that come first. The list is
// valid until the next one.
func (w *worker) listEndpoints() []record.Endpoint {
	list, addresses := w.told.hosts[:0], w.told.addresses[:0]
	for mac, h := range w.endpoints.hosts {
		from := len(addresses)
		for _, e := range h.addresses() {
			addresses = append(addresses, packet.Addr(e.ip, e.version))
		}
		list = append(list, record.Endpoint{MAC: w.macs.texts[mac], Addresses: addresses[from:len(addresses):len(addresses)]})
	}
	w.told.hosts, w.told.addresses = list, addresses
	slices.SortFunc(list, func(a, b record.Endpoint) int { return strings.Compare(a.MAC, b.MAC) })
	return list[:min(len(list), maxHosts)]
}

// compare puts addresses in order, those of IPv4 first.
func (e endpoint) compare(o endpoint) int {
	return cmp.Or(cmp.Compare(e.version, o.version), bytes.Compare(e.ip[:], o.ip[:]))
}

// tellEndpoints tells sinks of them.
func (w *worker) tellEndpoints(to []int) {
	if len(to) == 0 {
		return
	}
	for part := range slices.Chunk(w.listEndpoints(), hostsPerRecord) {
		e := &record.Endpoints{
			Head:  record.Head{Type: record.KindEndpoints, SchemaVersion: record.SchemaVersion, Timestamp: w.millis(w.clock.now)},
			Hosts: part,
		}
		for _, i := range to {
			w.config.Outlets.Offer(i, e)
		}
	}
}
