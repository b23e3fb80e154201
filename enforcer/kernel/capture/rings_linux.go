package capture

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// Rings read the packets of an interface from memory shared with the kernel
// (packet(7), TPACKET_V3), without conntrack and without copying: for mirror ports,
// bridges and hosts that track nothing. Each packet comes by one of the rings, and
// all packets of two hosts by the same. They go with the interface's name: when it
// goes they wait, and when it comes they make their sockets anew.
type Rings struct {
	cfg    RingConfig
	look   int // descriptor of a socket, by which the interface is looked for in its namespace
	list   []*Ring
	gate   *flowGate // nil when all packets are read
	fanout *fanout   // nil with one ring
	alone  error

	lookAt     atomic.Int64 // Unix time in nanoseconds from which on it is looked at again
	away       atomic.Bool  // missing is not nil
	generation atomic.Int64 // grows when rings are to go over to other sockets

	mu      sync.Mutex // guards what follows, and what Ring says that it guards
	at      iface      // that is read; none while it cannot be
	missing error      // why not all is read; nil if it is
	outages uint64
	closed  bool
}

// lookAgain is how often an interface is looked at.
const lookAgain = 200 * time.Millisecond

// OpenRings makes rings for an interface. The caller must Close them. EPERM is in the
// chain of the error where CAP_NET_RAW or CAP_BPF is missing, and a missing interface
// is an error now, though not later. Where only the sharing out lacks CAP_BPF there is
// one ring, and Alone says why.
func OpenRings(cfg RingConfig) (*Rings, error) {
	cfg = cfg.withDefaults()
	if cfg.Socket == nil {
		cfg.Socket = openPacketSocket
	}
	if err := cfg.validate(); err != nil {
		return nil, fmt.Errorf("open packet ring: %w", err)
	}
	g := &Rings{cfg: cfg, look: -1}
	if err := g.open(); err != nil {
		return nil, errors.Join(fmt.Errorf("open packet ring on %s: %w", cfg.Interface, err), g.Close())
	}
	return g, nil
}

func (g *Rings) open() (err error) {
	if g.look, err = g.cfg.Socket(); err != nil {
		return err
	}
	if g.gate, err = newFlowGate(g.cfg); err != nil {
		return err
	}
	if g.cfg.Workers > 1 {
		g.fanout, err = newFanout()
		if errors.Is(err, unix.EPERM) {
			g.alone, err, g.cfg.Workers = err, nil, 1
		}
		if err != nil {
			return err
		}
	}
	for range g.cfg.Workers {
		wake, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
		if err != nil {
			return fmt.Errorf("eventfd: %w", err)
		}
		g.list = append(g.list, &Ring{cfg: &g.cfg, rings: g, wake: wake})
	}
	d, err := findDevice(g.look, g.cfg.Interface)
	if err != nil {
		return fmt.Errorf("no such interface: %w", err)
	}
	if _, err := linkOf(d.hardware); err != nil {
		return err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.meet(d); d.up {
		return g.missing
	}
	return nil
}

// List are the rings; each belongs to one goroutine.
func (g *Rings) List() []*Ring { return g.list }

// Alone is why there is one ring where more were asked for; nil otherwise.
func (g *Rings) Alone() error { return g.alone }

// Missing is why the interface is not read now; nil if it is.
func (g *Rings) Missing() error {
	g.lookAfter()
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.missing
}

// Outages is how often the interface was down, gone or renamed.
func (g *Rings) Outages() uint64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.outages
}

// lookAfter finds out whether the interface is there, if that is not known of late.
func (g *Rings) lookAfter() {
	now := time.Now().UnixNano()
	if at := g.lookAt.Load(); now < at || !g.lookAt.CompareAndSwap(at, now+int64(lookAgain)) {
		return
	}
	g.find(false)
}

// find looks at the interface; fell says that the kernel has told that it went down.
func (g *Rings) find(fell bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return
	}
	d, err := findDevice(g.look, g.cfg.Interface)
	if err != nil && !errors.Is(err, unix.ENODEV) {
		return // known later
	}
	if fell && g.missing == nil && d.up && d.index == g.at.index {
		g.outages++ // it is up again already
	}
	g.meet(d)
}

// meet has the rings read the interface as it is now; the caller holds mu.
func (g *Rings) meet(d iface) {
	if g.at.index != 0 && (g.at.index != d.index || g.at.hardware != d.hardware) {
		g.part()
	}
	defer func() { g.away.Store(g.missing != nil) }()
	switch {
	case d.index == 0:
		g.miss(fmt.Errorf("there is no interface %s", g.cfg.Interface))
	case !d.up:
		g.miss(fmt.Errorf("the interface %s is down", g.cfg.Interface))
	case g.at.index == 0:
		if err := g.attach(d); err != nil {
			g.miss(fmt.Errorf("read interface %s: %w", g.cfg.Interface, err))
			return
		}
		g.missing = nil
	default:
		g.missing = nil
	}
}

// miss notes why the interface is not read; the caller holds mu.
func (g *Rings) miss(why error) {
	if g.missing == nil && g.generation.Load() > 0 {
		g.outages++
	}
	g.missing = why
}

// attach makes sockets for an interface; the caller holds mu.
func (g *Rings) attach(d iface) (err error) {
	var sockets []*ringSocket
	defer func() {
		if err != nil {
			for _, s := range sockets {
				err = errors.Join(err, s.close())
			}
		}
	}()
	for range g.list {
		s, err := newRingSocket(&g.cfg)
		if err != nil {
			return err
		}
		sockets = append(sockets, s)
		if err := s.deafen(); err != nil {
			return err
		}
		if err := s.bind(d, g.cfg.Promiscuous); err != nil {
			return err
		}
	}
	if g.fanout != nil {
		if err := g.fanout.join(sockets, g.cfg.Incoming); err != nil {
			return err
		}
	}
	for _, s := range sockets {
		if err := s.hear(g.gate); err != nil {
			return err
		}
	}
	g.at = d
	g.hand(sockets)
	return nil
}

// part gives an interface up, because it is gone or bears another name; the caller
// holds mu. What the rings have of it is lost.
func (g *Rings) part() {
	if g.missing == nil {
		g.outages++
	}
	g.at, g.missing = iface{}, errParted
	g.hand(make([]*ringSocket, len(g.list)))
}

// errParted stands for a moment, until it is known why.
var errParted = errors.New("the interface is another one")

// hand gives each ring its socket, to be taken at its next turn; the caller holds mu.
func (g *Rings) hand(sockets []*ringSocket) {
	for i, r := range g.list {
		if r.want != r.socket { // nobody has read it
			r.lost += r.want.lost()
			_ = r.want.close()
		}
		r.want = sockets[i]
	}
	if g.generation.Add(1) == 1 {
		return // nobody waits yet
	}
	for _, r := range g.list {
		r.Wake()
	}
}

// Stats are the counters of all rings so far.
func (g *Rings) Stats() (s RingStats) {
	for _, r := range g.list {
		one := r.Stats()
		s.Packets, s.Bytes, s.Lost = s.Packets+one.Packets, s.Bytes+one.Bytes, s.Lost+one.Lost
	}
	return s
}

// Close makes each waiting Next return io.EOF and frees the rings.
func (g *Rings) Close() error {
	g.mu.Lock()
	was := g.closed
	g.closed = true
	g.mu.Unlock()
	if was {
		return nil
	}
	var errs []error
	for _, r := range g.list {
		errs = append(errs, r.close())
	}
	if g.look >= 0 {
		errs = append(errs, unix.Close(g.look))
	}
	return errors.Join(append(errs, g.gate.close(), g.fanout.close())...)
}
