package enforcer

import (
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/dissect"
	"github.com/netpol/netpol/enforcer/packet"
)

// single gives a script's packets one at a time, several as many as it is asked for.
type (
	single  struct{ Source }
	several struct {
		Source
		script *script
	}
)

func (s several) NextBatch(raws []packet.Raw) (n int, err error) {
	for n < len(raws) && (n == 0 || len(s.script.steps) > 0) {
		if err := s.Next(&raws[n]); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// What packets are read ahead of the others, and what of them is only counted, must
// not show in what is said of flows: not even where connections are closed, begun again, silent and expired meanwhile.
func TestReadingAheadChangesNothing(t *testing.T) {
	s := mixture(3000)
	bundled := withSinks(bundle(t, zoomPolicy()), artifact.Sink{Name: "all", Records: every, Interval: time.Minute})
	ends := withSinks(bundle(t, zoomPolicy()), artifact.Sink{Name: "all", Records: []string{"flow_end"}, Interval: time.Minute})
	for name, b := range map[string]*artifact.Bundle{"every record": bundled, "ends": ends, "rows": bundle(t, zoomPolicy())} {
		t.Run(name, func(t *testing.T) {
			one, many := *s, *s
			toOne, toMany := &outlet{}, &outlet{}
			rows, e := play(t, &one, b, func(c *Config) { c.Source, c.Outlets, c.MaxFlows = single{&one}, toOne, 50 })
			again, f := play(t, &many, b, func(c *Config) { c.Source, c.Outlets, c.MaxFlows = several{&many, &many}, toMany, 50 })
			if diff := cmp.Diff(rows.rows(), again.rows()); diff != "" {
				t.Errorf("rows, -one by one +ahead:\n%s", diff)
			}
			if diff := cmp.Diff(toOne.lines, toMany.lines); diff != "" {
				t.Errorf("records, -one by one +ahead:\n%s", diff)
			}
			if diff := cmp.Diff(e.Stats(), f.Stats()); diff != "" {
				t.Errorf("counters, -one by one +ahead:\n%s", diff)
			}
			if stats := f.Stats(); stats.Restarted == 0 || stats.FlowsEvicted == 0 {
				t.Errorf("%d connections began anew and %d were evicted, want some", stats.Restarted, stats.FlowsEvicted)
			}
		})
	}
}

// mixture is so many steps of some eighty connections, chosen by chance, the same each time.
func mixture(steps int) *script {
	rnd := rand.New(rand.NewPCG(7, 8))
	s := aligned()
	var conns []*conn
	for i := range 80 {
		from := netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 168, 1, byte(i)}), uint16(40000+i))
		conns = append(conns, connect(from.String(), "198.51.100.1:443"))
	}
	for range steps {
		c, from := conns[rnd.IntN(len(conns))], dissect.Side(rnd.IntN(2))
		switch rnd.IntN(16) {
		case 0:
			s.call(c, "us04web.zoom.us")
		case 1:
			s.handshake(c)
		case 2:
			s.tcp(c, from, "FA", 0, "")
		case 3:
			s.tcp(c, from, "R", 0, "")
		case 4:
			s.udp(c, from, "datagram")
		case 5:
			s.ping(c, from, 8, 7)
		case 6:
			s.wait(time.Duration(rnd.IntN(90)) * time.Second)
		default:
			s.tcp(c, from, "A", uint32(rnd.IntN(3000)), "some bytes")
		}
	}
	for i := range s.steps {
		s.steps[i].raw.Interface = "" // as in most captures
	}
	return s
}
