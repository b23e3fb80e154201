package dissect

import (
	"fmt"
	"math/bits"
	"net/netip"

	"github.com/netpol/netpol/lang/fact"
)

// MaxDissectors is how many dissectors a Scheduler takes: a set of them is a word.
const MaxDissectors = 64

// Scheduler decides which dissectors see a flow, and in which order: those
// whose likely ports it has first, then the others as they are listed, each
// until it says NoMatch. It is immutable but for what it knows of their faults
// and safe for concurrent use.
type Scheduler struct {
	dissectors []Dissector
	specs      []Spec
	tcp, udp   set
	hints      map[uint16]set       // by port
	hinted     [1 << 16 / 64]uint64 // the ports of hints, a bit each
	fuse       Fuse
	faults     faults
}

// set is a set of dissectors, by their place in the list.
type set uint64

func (s *set) add(i int)    { *s |= 1 << i }
func (s *set) remove(i int) { *s &^= 1 << i }

// Candidates is a flow's state with the scheduler. The zero value has none:
// Start makes the first.
type Candidates struct {
	left, hinted set
	chosen       int16 // 1 + the dissector that said Partial or Match
}

// Empty says that no dissector wants to see more of the flow.
func (c *Candidates) Empty() bool { return c.left == 0 }

// NewScheduler makes a scheduler of the dissectors, in the order in which
// those without a port hint are asked. One that blows the fuse is asked no more
// until Restore.
func NewScheduler(dissectors []Dissector, fuse Fuse) (*Scheduler, error) {
	if len(dissectors) > MaxDissectors {
		return nil, fmt.Errorf("schedule dissectors: %d of them, at most %d", len(dissectors), MaxDissectors)
	}
	s := &Scheduler{
		dissectors: dissectors,
		hints:      make(map[uint16]set),
		fuse:       fuse,
	}
	s.faults.list = make([]failing, len(dissectors))
	for i, d := range dissectors {
		spec := d.Spec()
		s.specs = append(s.specs, spec)
		if spec.TCP {
			s.tcp.add(i)
		}
		if spec.UDP {
			s.udp.add(i)
		}
		for _, port := range spec.Ports {
			hinted := s.hints[port]
			hinted.add(i)
			s.hints[port] = hinted
			s.hinted[port/64] |= 1 << (port % 64)
		}
	}
	return s, nil
}

// Hinted says that some dissector expects its servers on the port.
func (s *Scheduler) Hinted(port uint16) bool { return s.hinted[port/64]>>(port%64)&1 != 0 }

// Start gives the dissectors that a flow begins with.
func (s *Scheduler) Start(tcp bool, srcPort, dstPort uint16) Candidates {
	c := Candidates{left: s.udp}
	if tcp {
		c.left = s.tcp
	}
	for _, port := range [...]uint16{dstPort, srcPort} {
		if s.Hinted(port) {
			c.hinted |= s.hints[port] & c.left
		}
	}
	return c
}

// Run shows w to the flow's candidates and returns the strongest result.
// After Partial only the dissector that said so is asked again; after Match
// and NoMatch none is left.
//
// A dissector that panics is our bug, brought on by a sender's bytes: that flow
// gets no name from its payload, and nothing else suffers until the fuse blows.
func (s *Scheduler) Run(c *Candidates, w *Window, f *fact.Facts) (result Result) {
	current := 0
	defer func() {
		if value := recover(); value != nil {
			s.faults.note(current, s.fuse, value, w.Time)
			*c = Candidates{}
			forget(f)
			w.Names = w.Names[:0]
			result = NoMatch
		}
	}()
	s.faults.left(c)
	if c.left == 0 {
		return NoMatch
	}
	if c.chosen != 0 {
		current = int(c.chosen) - 1
		return s.settle(c, current, s.dissectors[current].Dissect(w, f))
	}
	for _, part := range [...]set{c.left & c.hinted, c.left &^ c.hinted} {
		for ; part != 0; part &= part - 1 {
			current = bits.TrailingZeros64(uint64(part))
			switch r := s.dissectors[current].Dissect(w, f); r {
			case NoMatch:
				c.left.remove(current)
			case NeedMore:
			case Partial, Match:
				return s.settle(c, current, r)
			}
		}
	}
	if c.left == 0 {
		return NoMatch
	}
	return NeedMore
}

// settle makes dissector i the only one to be asked again, or none after
// Match.
func (s *Scheduler) settle(c *Candidates, i int, r Result) Result {
	c.left, c.hinted = 0, 0
	c.chosen = int16(i) + 1
	if r != Match {
		c.left.add(i)
	}
	return r
}

// Chosen is the place in the list of the dissector that recognised the flow.
func (c *Candidates) Chosen() (i int, ok bool) { return int(c.chosen) - 1, c.chosen != 0 }

// Resume gives the candidates of a flow that dissector i has recognised
// earlier: that one alone.
func (s *Scheduler) Resume(i int) (c Candidates) {
	c.left.add(i)
	c.chosen = int16(i) + 1
	return c
}

// Name is the protocol of dissector i.
func (s *Scheduler) Name(i int) string { return s.specs[i].Name }

// Faults are the dissectors that have panicked, in the order of the list.
func (s *Scheduler) Faults() (list []Fault) {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	for i := range s.faults.list {
		if f := &s.faults.list[i]; f.panics > 0 {
			off := s.faults.off.Load()&(1<<i) != 0
			list = append(list, Fault{Name: s.specs[i].Name, Panics: f.panics, First: f.first, Off: off})
		}
	}
	return list
}

// Restore has dissectors that blew the fuse asked again.
func (s *Scheduler) Restore() { s.faults.restore() }

// forget takes back what a dissector may have set before it panicked.
func forget(f *fact.Facts) {
	f.Protocol, f.Hostname, f.DNSHostname, f.By = "", "", "", ""
	f.TLSVersion, f.ALPN, f.JA4, f.UserAgent, f.BTInfoHash = 0, "", "", "", ""
	f.JA4S = ""
	f.TLSCipher, f.TLSECH, f.TLSALPNServer, f.Risks = 0, false, "", ""
	f.HTTPMethod, f.HTTPURL, f.SSHClientAgent, f.SSHServerAgent = "", "", "", ""
	f.DHCPClassIdent, f.DHCPFingerprint, f.MDNSDomainName = "", "", ""
	f.SSDPUserAgent, f.SSDPServer, f.QUICVersion = "", "", ""
	f.STUNMapped, f.STUNPeer, f.STUNRelayed = netip.Addr{}, netip.Addr{}, netip.Addr{}
	f.STUNResponse, f.STUNOther = netip.Addr{}, netip.Addr{}
	f.TLSServerCN, f.TLSSubjectDN, f.TLSIssuerDN, f.TLSCertFingerprint = "", "", "", ""
}
