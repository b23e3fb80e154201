package enforcer

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/flow"
)

// shedding is a bundle with the label of flows that are given up.
func shedding(t *testing.T) *artifact.Bundle {
	t.Helper()
	b := bundle(t, zoomPolicy())
	b.Labels = append(b.Labels, artifact.Label{Name: artifact.ShedLabel, Bit: 1, Auto: true})
	return b
}

// lossy is a script of which packets are lost where loses says so.
type lossy struct {
	*script
	lost uint64
}

func (l *lossy) Lost() uint64 { return l.lost }

// TestShed: what is given up for lack of room has a label that says so, unless
// it was named; what is decided in time has none.
func TestShed(t *testing.T) {
	const half = "HELLO us04"
	at := func(port int) *conn { return liveConn(fmt.Sprintf("192.168.1.2:%d", port), "198.51.100.1:443") }
	const row = "tcp 192.168.1.2:%d>198.51.100.1:443 labels=[%s]/3 mark=0x80000000/0x80000000"
	opened := func(n int, hello string) *script {
		s := newScript()
		for port := range n {
			c := at(40000 + port)
			s.handshake(c).tcp(c, client, "A", 0, hello)
		}
		return s
	}
	tests := []struct {
		name   string
		script *script
		change func(*Config)
		want   []string
		shed   uint64
	}{
		{"the table is full", opened(3, half), func(c *Config) { c.MaxFlows = 2 }, []string{
			fmt.Sprintf(row, 40000, "np-shed"), fmt.Sprintf(row, 40002, ""), fmt.Sprintf(row, 40001, ""), // at the end of all
		}, 1},
		{"too many open", opened(3, half), func(c *Config) { c.MaxOpening = 2 }, []string{
			fmt.Sprintf(row, 40000, "np-shed"), fmt.Sprintf(row, 40001, ""), fmt.Sprintf(row, 40002, ""),
		}, 1},
		{"no buffer", opened(1, half), func(c *Config) { c.MaxBuffers = 1 }, []string{fmt.Sprintf(row, 40000, "np-shed")}, 1},
		{"named in time", opened(3, "HELLO us04.zoom.us\n"), func(c *Config) { c.MaxFlows = 2 }, []string{
			fmt.Sprintf(row, 40000, "zoom"), fmt.Sprintf(row, 40001, "zoom"), fmt.Sprintf(row, 40002, "zoom"),
		}, 0},
		{"a flood that says nothing", opened(9, ""), func(c *Config) { c.MaxFlows = 2 }, nil, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			j, e := play(t, tt.script, shedding(t), func(c *Config) {
				live(c)
				tt.change(c)
			})
			if diff := cmp.Diff(tt.want, j.lines); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if got := e.Stats().Shed; got != tt.shed {
				t.Errorf("shed %d, want %d", got, tt.shed)
			}
		})
	}
}

// TestShedByLoss: flows of the time when packets were lost, and those that began
// soon after, are not taken for what they seem.
func TestShedByLoss(t *testing.T) {
	c := func(port int) *conn { return liveConn(fmt.Sprintf("192.168.1.2:%d", port), "198.51.100.1:443") }
	l := &lossy{script: newScript()}
	opaque := func(port int) {
		l.tcp(c(port), client, "A", 0, "???")
	}
	opaque(40000)
	l.wait(time.Second).do(func() { l.lost = 7 }).idle()
	opaque(40001)
	l.handshake(c(40002)).tcp(c(40002), client, "A", 0, "HELLO us04.zoom.us\n")
	l.wait(6 * time.Second)
	opaque(40003)
	j, e := play(t, l.script, shedding(t), func(cfg *Config) { live(cfg); cfg.Source = l })
	want := []string{
		"tcp 192.168.1.2:40000>198.51.100.1:443 labels=[]/3 mark=0x80000000/0x80000000",
		"tcp 192.168.1.2:40001>198.51.100.1:443 labels=[np-shed]/3 mark=0x80000000/0x80000000",
		"tcp 192.168.1.2:40002>198.51.100.1:443 labels=[zoom]/3 mark=0x80000000/0x80000000",
		"tcp 192.168.1.2:40003>198.51.100.1:443 labels=[]/3 mark=0x80000000/0x80000000",
	}
	if diff := cmp.Diff(want, j.lines); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if got := e.Stats().Shed; got != 1 {
		t.Errorf("shed %d, want 1", got)
	}
}

// TestLanesShareTheRoom: a worker inspects as many flows as there may be while the
// others have none, and leaves them their share when they come.
func TestLanesShareTheRoom(t *testing.T) {
	const most = 4
	begin := func(s *script, host, n int) *script {
		for port := range n {
			c := liveConn(fmt.Sprintf("192.168.1.%d:%d", host, 40000+port), "198.51.100.1:443")
			s.handshake(c).tcp(c, client, "A", 0, "HELLO us04")
		}
		return s.idle()
	}
	var e *Engine
	var alone, beside Stats
	came, seen := make(chan struct{}), make(chan struct{})
	after := func(c chan struct{}) func() bool {
		return func() bool {
			select {
			case <-c:
				return true
			default:
				return false
			}
		}
	}
	first := begin(newScript(), 2, most).do(func() { alone = e.Stats() }).until(after(came))
	begin(first, 4, 1) // more than its share are open: they are given up
	first.do(func() { beside = e.Stats(); close(seen) })
	second := newScript().until(func() bool { return e.Stats().Opening == most })
	begin(second, 3, most/2).do(func() { close(came) }).until(after(seen))
	crewOf(t, &e, func(c *Config) { c.Bundle, c.MaxOpening = shedding(t), most }, first, second)
	if alone.Cut != 0 || alone.Opening != most {
		t.Errorf("alone: %d flows inspected, %d cut; want %d and none", alone.Opening, alone.Cut, most)
	}
	if beside.Opening > most || beside.Cut != 3 {
		t.Errorf("beside another: %d flows inspected, %d cut; want at most %d, and 3", beside.Opening, beside.Cut, most)
	}
}

// TestNothingButDecoysIsDecidedAtTheEnd: connections of which nothing but segments came that
// their receivers throw away are over when they are reset, and give back what inspection
// takes: others find room.
func TestNothingButDecoysIsDecidedAtTheEnd(t *testing.T) {
	const most = 2
	s := newScript()
	for port := range most {
		c := liveConn(fmt.Sprintf("192.168.1.2:%d", 40000+port), "198.51.100.1:443")
		beyond := *c
		beyond.seq[server] += 2 * flow.MaxWindow // what the server has never sent
		s.handshake(c).tcp(&beyond, client, "A", 0, "HELLO us04").tcp(c, client, "RA", 0, "")
	}
	s.call(liveConn("192.168.1.3:40000", "198.51.100.1:443"), "us04.zoom.us")
	j, e := play(t, s, shedding(t), func(c *Config) { live(c); c.MaxOpening = most })
	const row = "tcp %s:%d>198.51.100.1:443 labels=[%s]/3 mark=0x80000000/0x80000000"
	want := []string{
		fmt.Sprintf(row, "192.168.1.2", 40000, ""), fmt.Sprintf(row, "192.168.1.2", 40001, ""),
		fmt.Sprintf(row, "192.168.1.3", 40000, "zoom"),
	}
	if diff := cmp.Diff(want, j.lines); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if got := e.Stats(); got.Decoys != most || got.Cut != 0 || got.Opening != 0 {
		t.Errorf("%d decoys, %d cut and %d open; want %d and none", got.Decoys, got.Cut, got.Opening, most)
	}
}

// TestReopenedFlowTakesAPlace: one that is inspected again is not the first to make room when it
// goes on, although it was there before those that wait.
func TestReopenedFlowTakesAPlace(t *testing.T) {
	again := liveConn("192.168.1.2:40000", "198.51.100.1:443")
	other := liveConn("192.168.1.3:40000", "198.51.100.1:443")
	s := newScript().handshake(again).tcp(again, client, "A", 0, "???")
	s.wait(5*time.Second).tcp(again, client, "A", 3, "") // the kernel has forgotten it
	s.handshake(other).tcp(other, client, "A", 0, "HELLO us04")
	s.tcp(again, client, "A", 0, "HELLO us04.zoom.us\n")
	j, e := play(t, s, shedding(t), func(c *Config) { live(c); c.MaxOpening = 1 })
	const row = "tcp %s:40000>198.51.100.1:443 labels=[%s]/3 mark=0x80000000/0x80000000"
	const opened = "tcp 192.168.1.2:40000>198.51.100.1:443 labels=[]/0 mark=0x0/0x80000000"
	want := []string{fmt.Sprintf(row, "192.168.1.2", ""), opened, fmt.Sprintf(row, "192.168.1.3", "np-shed"), fmt.Sprintf(row, "192.168.1.2", "zoom")}
	if diff := cmp.Diff(want, j.lines); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if got := e.Stats(); got.Reopened != 1 || got.Cut != 1 {
		t.Errorf("%d reopened and %d cut, want one each", got.Reopened, got.Cut)
	}
}

// TestClosingEntryOfAnEarlierConnection: a list that still has the entry of the connection before says
// nothing of the one that has begun on its ports, which is inspected, and goes on to be.
func TestClosingEntryOfAnEarlierConnection(t *testing.T) {
	c := liveConn("192.168.1.2:40000", "198.51.100.1:443")
	other := liveConn("192.168.1.3:40000", "198.51.100.1:443")
	k := &tracker{}
	closing := flow.Connection{Orig: c.tuple(), Reply: reversed(c.tuple()), Mark: doneMark, Closing: true, Returned: flow.Counts{Packets: 9, Bytes: 1 << 30}}
	var e *Engine
	s := aligned().handshake(c).tcp(c, client, "A", 0, "HELLO us04").do(k.lists(closing)).wait(5 * time.Second).idle()
	s.until(func() bool { return k.answered(forReadings) }).idle().idle()
	s.handshake(other).tcp(other, client, "A", 0, "HELLO us04.zoom.us\n")
	_, e = playWith(t, s, reading(t, over("total_rate", 1)), k, &e, func(c *Config) { c.MaxOpening = 1 })
	if got := e.Stats(); got.Cut != 1 || got.Opening != 0 {
		t.Errorf("%d cut and %d open, want the first one cut", got.Cut, got.Opening)
	}
}
