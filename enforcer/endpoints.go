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
// them: with each the number of its flows.
type endpoints struct {
	flows map[endpoint]int
	met   [2]flow.Set // flows that are counted, by the end of the key that is the host
}

// endpoint is an address with the hardware address that it was seen with, by its index.
type endpoint struct {
	mac     uint16
	version uint8 // of IP
	ip      [16]byte
}

// meet counts a flow for the host on its local side.
func (w *worker) meet(id flow.ID, r *flow.Record) {
	if w.traitsOf(r).mac == [2]uint16{} {
		return
	}
	h, end := &w.endpoints, w.localEnd(r)
	if h.met[end].Has(id) {
		return
	}
	w.forget(id, r) // the other end was thought to have opened it
	one := w.endpointAt(r, end)
	if one.mac == 0 || one.ip == [16]byte{} || one.ip == unspecified4 { // it asks who has its address, or for one
		return
	}
	if n := h.flows[one]; n > 0 || len(h.flows) < maxHosts*maxAddresses {
		if h.flows == nil {
			h.flows = make(map[endpoint]int)
		}
		h.flows[one] = n + 1
		h.met[end].Add(id)
	}
}

// unspecified4 is 0.0.0.0 as keys have it.
var unspecified4 = netip.IPv4Unspecified().As16()

// forget takes back that a flow counts.
func (w *worker) forget(id flow.ID, r *flow.Record) {
	h := &w.endpoints
	for end := range h.met {
		if !h.met[end].Has(id) {
			continue
		}
		h.met[end].Drop(id)
		one := w.endpointAt(r, end)
		if h.flows[one]--; h.flows[one] <= 0 {
			delete(h.flows, one)
		}
	}
}

// forgetEndpoint takes a flow back that is about to go.
func (w *worker) forgetEndpoint(r *flow.Record) {
	if len(w.endpoints.flows) > 0 {
		w.forget(w.table.Find(&r.Key), r)
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

func (w *worker) endpointAt(r *flow.Record, end int) endpoint {
	return endpoint{mac: w.traitsOf(r).mac[end], version: r.Key.IPVersion, ip: [2][16]byte{r.Key.A, r.Key.B}[end]}
}

// listEndpoints lists them by hardware address: of each, those addresses that come first. A router's
// has thousands, so they are not put in order to be left out.
func (w *worker) listEndpoints() (list []record.Endpoint) {
	byMAC := make(map[uint16][]endpoint)
	for e := range w.endpoints.flows {
		first := byMAC[e.mac]
		if len(first) == maxAddresses {
			if e.compare(first[maxAddresses-1]) > 0 {
				continue
			}
			first = first[:maxAddresses-1]
		}
		at, _ := slices.BinarySearchFunc(first, e, endpoint.compare)
		byMAC[e.mac] = slices.Insert(first, at, e)
	}
	for mac, first := range byMAC {
		one := record.Endpoint{MAC: w.macs.texts[mac]}
		for _, e := range first {
			one.Addresses = append(one.Addresses, packet.Addr(e.ip, e.version))
		}
		list = append(list, one)
	}
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
