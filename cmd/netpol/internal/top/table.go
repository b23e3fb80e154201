package top

import (
	"fmt"
	"strings"
	"time"

	"github.com/netpol/netpol/cmd/netpol/internal/view"
	"github.com/netpol/netpol/enforcer/telemetry"
)

// column is one of figures.
type column struct {
	title string
	order telemetry.Order // that sorts by it
	width int
	text  func(*Row) string
}

// figureColumns are the columns of a view, the most wanted first: there are as many as the
// width has room for.
func figureColumns(v View, now time.Time) []column {
	list := []column{
		{"RATE", telemetry.OrderRate, 7, func(r *Row) string { return view.Bits(r.Rate) }},
		{"BYTES", telemetry.OrderBytes, 7, func(r *Row) string { return view.Figure(r.Bytes) }},
		{"UP", telemetry.OrderUp, 7, func(r *Row) string { return view.Bits(r.LocalRate) }},
		{"DOWN", telemetry.OrderDown, 7, func(r *Row) string { return view.Bits(r.OtherRate) }},
		{"FLOWS", telemetry.OrderFlows, 7, func(r *Row) string { return fmt.Sprint(r.Flows) }},
		{"RTT", telemetry.OrderRTT, 7, func(r *Row) string { return view.Micros(r.RTT) }},
		{"RETR", telemetry.OrderRetrans, 6, func(r *Row) string { return view.Figure(r.Retrans) }},
		{"PACKETS", telemetry.OrderPackets, 8, func(r *Row) string { return view.Figure(r.Packets) }},
		{"SENT", "", 7, func(r *Row) string { return view.Figure(r.LocalBytes) }},
		{"RECEIVED", "", 9, func(r *Row) string { return view.Figure(r.OtherBytes) }},
	}
	if v == Flows {
		list[4] = column{"AGE", telemetry.OrderNew, 6, func(r *Row) string { return view.Age(now.Sub(r.Flow.FirstSeen)) }}
	}
	return list
}

// leastName is what the column of names has at least, before a second figure is shown, and
// shortName what it has on terminals narrower than twice as much.
const (
	leastName = 28
	shortName = 18
)

// layout is how a table's lines are made.
type layout struct {
	view    View
	order   telemetry.Order
	name    int // columns of names
	columns []column
}

// newLayout has lines of a width, with those columns of figures that there is room for.
func newLayout(v View, by telemetry.Order, columns []column, width int) layout {
	l := layout{view: v, order: by, columns: columns}
	room, shown := width-leastName, 0
	if width < 2*leastName {
		room = width - shortName
	}
	for i, c := range l.columns {
		if room -= c.width; room < 0 && i > 0 {
			break
		}
		shown++
	}
	l.columns, l.name = l.columns[:shown], width
	for _, c := range l.columns {
		l.name -= c.width
	}
	l.name = max(l.name, 1)
	return l
}

func (l *layout) heading() string {
	var b strings.Builder
	b.WriteString(view.Fit(l.mark(l.view.title(), telemetry.OrderName), l.name))
	for _, c := range l.columns {
		fmt.Fprintf(&b, "%*s", c.width, l.mark(c.title, c.order))
	}
	return b.String()
}

// mark shows what lines are sorted by.
func (l *layout) mark(title string, by telemetry.Order) string {
	if by != "" && by == l.order {
		return "*" + title
	}
	return title
}

func (l *layout) line(r *Row) string {
	var b strings.Builder
	b.WriteString(view.Fit(view.Line(r.Name), l.name))
	for _, c := range l.columns {
		fmt.Fprintf(&b, "%*s", c.width, c.text(r))
	}
	return b.String()
}

// Table is rows as lines of at most width columns, with a heading, for scripts; 0 is no
// bound.
func Table(v View, by telemetry.Order, rows []Row, width int, now time.Time) string {
	l := newLayout(v, by, figureColumns(v, now), width)
	if width == 0 {
		l = layout{view: v, order: by, columns: figureColumns(v, now), name: leastName}
		for i := range rows {
			l.name = max(l.name, view.Columns(view.Line(rows[i].Name)))
		}
	}
	var b strings.Builder
	b.WriteString(l.heading() + "\n")
	for i := range rows {
		b.WriteString(l.line(&rows[i]) + "\n")
	}
	return b.String()
}

// Total is what all flows of a look carry, as one line.
func Total(o *telemetry.Overview) string {
	t := &o.Total
	text := fmt.Sprintf("%s flows   up %sb/s   down %sb/s", view.Thousands(t.Flows), view.Bits(t.LocalRate), view.Bits(t.OtherRate))
	if o.RatesIn > 0 {
		text += fmt.Sprintf("   rates in %d s", (o.RatesIn+999)/1000)
	}
	return text
}
