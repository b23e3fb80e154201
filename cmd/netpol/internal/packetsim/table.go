package packetsim

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/netpol/netpol/compiler/artifact"
)

// errUnknown says that a table asks for what the simulation does not know.
var errUnknown = errors.New("only a kernel can answer it")

// maxJumps bounds jumps as the kernel does (NFT_JUMP_STACK_SIZE,
// include/net/netfilter/nf_tables.h).
const maxJumps = 16

// Table is an nftables table, ready to be walked. It is immutable but for
// Alive, and not safe for concurrent use.
type Table struct {
	chains  map[string]*artifact.Chain
	sets    map[string]*artifact.Set
	objects map[string]artifact.Object
	bases   map[string][]*artifact.Chain // by hook, by priority
	// Alive says that the enforcer answers: sets that it keeps filled have
	// their elements.
	Alive bool
	// Judge, if set, is what the enforcer writes on the connection of a packet
	// that waits for it.
	Judge func(*Connection)

	tested int // rules that the last packet was held against
}

// New makes a table of a ruleset whose enforcer answers.
func New(rs *artifact.Ruleset) *Table {
	t := &Table{
		chains:  make(map[string]*artifact.Chain, len(rs.Chains)),
		sets:    make(map[string]*artifact.Set, len(rs.Sets)),
		objects: make(map[string]artifact.Object, len(rs.Objects)),
		bases:   map[string][]*artifact.Chain{},
		Alive:   true,
	}
	for i := range rs.Sets {
		t.sets[rs.Sets[i].Name] = &rs.Sets[i]
	}
	for _, o := range rs.Objects {
		t.objects[o.Name] = o
	}
	for i := range rs.Chains {
		c := &rs.Chains[i]
		t.chains[c.Name] = c
		if c.Hook != "" {
			t.bases[c.Hook] = append(t.bases[c.Hook], c)
		}
	}
	for _, list := range t.bases {
		// The kernel puts a hook before those of the same priority that are there already
		// (nf_hook_entries_grow, net/netfilter/core.c).
		slices.Reverse(list)
		slices.SortStableFunc(list, func(a, b *artifact.Chain) int { return cmp.Compare(a.Priority, b.Priority) })
	}
	return t
}

// Verdict is what becomes of a packet.
type Verdict uint8

// Verdicts.
const (
	Pass Verdict = iota // it goes on
	Drop
	Reject // stopped, or made to end the connection, and the sender is told
)

// Result is what the table did to a packet.
type Result struct {
	Verdict Verdict
	DSCP    *uint8 // that the packet leaves with; nil: the one it came with
	// Priority that the packet leaves with; nil: the one it came with.
	Priority *uint32
	Mark     uint32 // that rules gave the packet (meta mark)
	Logged   int    // copies for the enforcer
	Held     int    // times that the packet waited for the enforcer
	// Accepted are the base chains that a rule ended with accept, in words.
	Accepted []string
	// Rules are the ids of the rules that acted, in order.
	Rules []string
	// Jumps is how many chains were entered.
	Jumps int
}

// Send passes a packet through every hook of its way. The connection is
// counted before, as conntrack does, and confirmed after.
func (t *Table) Send(c *Connection, p *Packet) (Result, error) {
	own := *p // which a rule may take from conntrack
	w := &walk{table: t, conn: c, packet: &own}
	t.tested = 0
	if c.Offloaded && p.Path == Forward {
		w.track() // the flowtable counts for conntrack
		return w.result, nil
	}
	for _, hook := range p.Path.hooks() {
		stopped, err := w.hook(hook)
		if err != nil || stopped {
			return w.result, err
		}
	}
	c.Confirmed = c.Confirmed || !own.Untracked
	return w.result, nil
}

// conntrackPriority is where conntrack sees a packet (NF_IP_PRI_CONNTRACK,
// linux/netfilter_ipv4.h).
const conntrackPriority = -200

// track is what conntrack does with a packet that it is to see.
func (w *walk) track() {
	if w.tracked {
		return
	}
	w.tracked = true
	if p, c := w.packet, w.conn; !p.Untracked {
		c.Packets[p.Direction]++
		c.Bytes[p.Direction] += p.Size
		c.Answered = c.Answered || p.Direction == Reply
	}
}

// Marking is the code point that the table gives a packet that passes it,
// were it not stopped on its way: nil for none. The connection stays as it is.
func (t *Table) Marking(c *Connection, p *Packet) (*uint8, error) {
	if c.Offloaded {
		return nil, nil
	}
	scratch := *c
	w := &walk{table: t, conn: &scratch, packet: p, tracked: true}
	hooks := p.Path.hooks()
	_, err := w.hook(hooks[len(hooks)-1])
	return w.result.DSCP, err
}

// walk is one packet's way.
type walk struct {
	table  *Table
	conn   *Connection
	packet *Packet
	hooked string // the hook that the packet is at
	base   string // the base chain
	result Result

	tracked bool // conntrack has had its turn
}

// end says how a chain was left.
type end uint8

const (
	fell    end = iota // at its end, or by return: the caller goes on
	done               // the base chain is over, the packet goes on
	stopped            // the packet is gone
)

// hook walks the base chains of a hook, by priority.
func (w *walk) hook(name string) (gone bool, err error) {
	w.hooked = name
	for _, c := range w.table.bases[name] {
		if w.base = c.Name; c.Priority > conntrackPriority {
			w.track()
		}
		e, err := w.chain(c, 0)
		if err != nil {
			return false, fmt.Errorf("chain %s: %w", c.Name, err)
		}
		if e == stopped {
			return true, nil
		}
	}
	w.track()
	return false, nil
}

func (w *walk) chain(c *artifact.Chain, depth int) (end, error) {
	if depth > maxJumps {
		return fell, fmt.Errorf("more than %d jumps", maxJumps)
	}
	for i := range c.Rules {
		r := &c.Rules[i]
		w.table.tested++
		hit, err := w.holds(r)
		if err == nil && hit {
			w.result.Rules = append(w.result.Rules, r.ID)
			var e end
			var leave bool
			if e, leave, err = w.run(r, depth); err == nil && leave {
				return e, nil
			}
		}
		if err != nil {
			return fell, fmt.Errorf("rule %s: %w", r.ID, err)
		}
	}
	return fell, nil
}

func (w *walk) holds(r *artifact.Rule) (bool, error) {
	for i := range r.Match {
		if hit, err := w.match(&r.Match[i]); err != nil || !hit {
			return false, err
		}
	}
	return true, nil
}

// jump enters another chain.
func (w *walk) jump(name string, depth int) (end, error) {
	c, ok := w.table.chains[name]
	if !ok {
		return fell, fmt.Errorf("jump to %q: no such chain", name)
	}
	w.result.Jumps++
	return w.chain(c, depth+1)
}

// find looks a key up in a set or a map; nil if no element has it.
func (t *Table) find(name string, key []byte) (*artifact.Element, error) {
	s, ok := t.sets[name]
	if !ok {
		return nil, fmt.Errorf("set %q: no such set", name)
	}
	if len(key) != s.Type.Width() {
		return nil, fmt.Errorf("set %q: key of %d bytes for elements of %d", name, len(key), s.Type.Width())
	}
	i, found := slices.BinarySearchFunc(s.Elements, key, func(e artifact.Element, key []byte) int {
		switch {
		case bytes.Compare(e.High, key) < 0:
			return -1
		case bytes.Compare(e.Low, key) > 0:
			return 1
		}
		return 0
	})
	if !found {
		return nil, nil
	}
	return &s.Elements[i], nil
}

// heldMark is the bits that the table takes off packets again which have waited.
func (t *Table) heldMark() artifact.HoldMark {
	for _, c := range t.chains {
		for _, r := range c.Rules {
			if r.ID == "back/judged" {
				return artifact.HoldMark(r.Do[0].Mask)
			}
		}
	}
	return artifact.DefaultHoldMark
}
