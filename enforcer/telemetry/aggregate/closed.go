package aggregate

import (
	"cmp"
	"slices"

	"github.com/netpol/netpol/enforcer/telemetry/record"
)

// Closed is an interval that is over, to be told step by step, so that nothing waits for a million
// rows. It shares nothing with the account that it was, which may go on meanwhile. Not safe for
// concurrent use.
type Closed struct {
	account *Account
	table   *table
	words   words
	head    record.Aggregate
	other   Counts
	next    uint32   // the row to be looked at
	top     []uint32 // rows that carried most: the least of them first while they are looked for, then the most
	ordered int      // how many of top have their place, from its end
	rows    []record.AggregateRow
	chart   chart // of the rows' health
	record  record.Aggregate
}

const (
	// lookStep and orderStep bound a step: rows that are looked at, and those that are put in order,
	// 0.1 to 0.3 ms each. A row that has health and is not told takes ten times as long to look at.
	lookStep       = 4096
	lookHealthStep = 512
	orderStep      = 512
)

// Take ends an interval: the account begins anew. What is told of the interval besides is in
// head.
func (a *Account) Take(head record.Aggregate) *Closed {
	t := a.table
	head.Type, head.SchemaVersion = record.KindAggregate, record.SchemaVersion
	head.Aggregate, head.By = a.of.Name, a.of.By
	head.Exact, head.Error, head.Keys = t.evicts == 0, t.bound(), t.rows
	head.Total = sumOf(&a.total)
	told := min(max(a.of.Top, 0), t.rows)
	head.Parts = max(1, (told+a.perRecord()-1)/a.perRecord())
	if t.ward != nil {
		head.Total.Health = new(chart).of(t.ward, t.ward.total)
	}
	c := &Closed{account: a, table: t, words: a.words.snapshot(), head: head, other: a.total, next: 1, top: make([]uint32, 0, told)}
	a.total, a.table = Counts{}, t.successor()
	t.spare = nil
	return c
}

// Step does a part of what is left; false says that nothing is. tell is given the interval's records,
// which are valid during the call.
func (c *Closed) Step(tell func(*record.Aggregate)) (more bool) {
	switch {
	case int(c.next) <= c.table.rows:
		c.look()
	case c.ordered < len(c.top):
		c.order()
	default:
		c.tell(tell)
	}
	return c.head.Part < c.head.Parts
}

// Finish does all that is left.
func (c *Closed) Finish(tell func(*record.Aggregate)) {
	for c.Step(tell) {
	}
}

// Return gives the memory back to the account that it was, when nothing is left. What guards the
// account must be held.
func (c *Closed) Return() { c.account.table.inherit(c.table) }

// before says that row a is told before b.
func (c *Closed) before(a, b uint32) bool {
	x, y := c.table.at(a), c.table.at(b)
	if n := cmp.Compare(x.counts.bytes(), y.counts.bytes()); n != 0 {
		return n > 0
	}
	return slices.Compare(x.key[:], y.key[:]) < 0
}

// look looks for larger rows.
func (c *Closed) look() {
	step := lookStep
	if c.table.ward != nil {
		step = lookHealthStep
	}
	end := min(int(c.next)+step, c.table.rows+1)
	for ; int(c.next) < end; c.next++ {
		switch {
		case len(c.top) < cap(c.top):
			c.top = append(c.top, c.next)
			c.rise(len(c.top) - 1)
		case len(c.top) > 0 && c.before(c.next, c.top[0]):
			c.leave(c.top[0])
			c.top[0] = c.next
			c.fall(0, len(c.top))
		default:
			c.leave(c.next)
		}
	}
}

// leave takes note of a row that is not told.
func (c *Closed) leave(row uint32) {
	if c.table.ward != nil {
		c.table.ward.leave(row)
	}
}

// order puts some rows in order, the last ones first.
func (c *Closed) order() {
	end := min(c.ordered+orderStep, len(c.top))
	for ; c.ordered < end; c.ordered++ {
		last := len(c.top) - 1 - c.ordered
		c.other.sub(&c.table.at(c.top[0]).counts)
		c.top[0], c.top[last] = c.top[last], c.top[0]
		c.fall(0, last)
	}
}

func (c *Closed) tell(tell func(*record.Aggregate)) {
	n, ward := c.account.perRecord(), c.table.ward
	from := c.head.Part * n
	c.head.Part++
	c.rows = c.rows[:0]
	c.chart.reset()
	for _, i := range c.top[from:min(from+n, len(c.top))] {
		row := c.account.row(&c.words, c.table.at(i))
		if ward != nil {
			row.Health = c.chart.of(ward, ward.of(i))
		}
		c.rows = append(c.rows, row)
	}
	c.record = c.head
	c.record.Rows, c.record.Other = c.rows, sumOf(&c.other)
	if ward != nil {
		c.record.Other.Health = c.chart.of(ward, ward.other)
	}
	tell(&c.record)
}

// rise and fall put a row into its place among those that carried most, the least of which is
// first.
func (c *Closed) rise(i int) {
	for i > 0 && c.before(c.top[(i-1)/2], c.top[i]) {
		c.top[i], c.top[(i-1)/2] = c.top[(i-1)/2], c.top[i]
		i = (i - 1) / 2
	}
}

func (c *Closed) fall(i, n int) {
	for {
		last := 2*i + 1
		if last >= n {
			return
		}
		if last+1 < n && c.before(c.top[last], c.top[last+1]) {
			last++
		}
		if !c.before(c.top[i], c.top[last]) {
			return
		}
		c.top[i], c.top[last] = c.top[last], c.top[i]
		i = last
	}
}
