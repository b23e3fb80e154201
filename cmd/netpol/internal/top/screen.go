package top

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/netpol/netpol/cmd/netpol/internal/view"
)

const (
	reverse, plain = "\x1b[7m", "\x1b[0m"
	// frame is how many lines are no rows: title, heading, a blank one, help.
	frame = 4
	// figures is how wide the columns of numbers are, and count the last of them.
	figures, count = 28, 10
	// leastWidth is what lines are cut to on terminals that do not say their size.
	leastWidth = 20
)

// Table is rows as lines of at most width columns, with a heading, for --once.
func Table(v View, rows []Row, width int) string {
	var b strings.Builder
	b.WriteString(heading(v, width) + "\n")
	for i := range rows {
		b.WriteString(line(&rows[i], width) + "\n")
	}
	return b.String()
}

var titles = [views]string{"APPLICATION", "HOST", "CONNECTION", "POLICY"}

func heading(v View, width int) string {
	flows := "FLOWS"
	if v == Flows {
		flows = ""
	}
	return columns(titles[v], "RATE", "BYTES", flows, width)
}

func line(r *Row, width int) string {
	flows := fmt.Sprint(r.Flows)
	if r.Flow != nil {
		flows = ""
	}
	return columns(view.Line(r.Name), rate(r.Rate), size(r.Bytes), flows, width)
}

func columns(name, rate, bytes, flows string, width int) string {
	if flows == "" {
		return fmt.Sprintf("%s %14s %12s", fit(name, max(width-figures, leastWidth)), rate, bytes)
	}
	return fmt.Sprintf("%s %14s %12s %9s", fit(name, max(width-figures-count, leastWidth)), rate, bytes, flows)
}

// fit cuts or pads text to a number of columns. Names are ASCII but for what a packet
// said, which may be off by some.
func fit(s string, width int) string {
	n := utf8.RuneCountInString(s)
	if n <= width {
		return s + strings.Repeat(" ", width-n)
	}
	return string([]rune(s)[:max(width-1, 0)]) + "…"
}

// render is the whole screen.
func (m *Model) render() string {
	var b strings.Builder
	b.WriteString(fit(m.title(), m.width) + "\n")
	switch {
	case m.account != "":
		m.renderAccount(&b)
	default:
		m.renderRows(&b)
	}
	b.WriteString("\n" + fit(m.help(), m.width))
	return b.String()
}

func (m *Model) title() string {
	text := "netpol top"
	for v := range views {
		mark := " "
		if v == m.view {
			mark = "*"
		}
		text += fmt.Sprintf("  %d%s%s", v+1, mark, names[v])
	}
	text += fmt.Sprintf("   %d flows, by %s", len(m.flows), orderNames[m.order])
	if m.inside != "" {
		text += ", " + names[m.from] + " " + view.Line(m.inside)
	}
	if m.criteria != "" {
		text += ", " + view.Line(m.criteria)
	}
	return text
}

func (m *Model) help() string {
	switch {
	case m.typing:
		return "/" + view.Line(m.typed) + "_"
	case m.fault != "":
		return view.Line(m.fault)
	case m.account != "":
		return "esc back  up/down scroll  q quit"
	case m.view == Flows:
		return "enter why  esc back  s sort  / criteria  tab view  q quit"
	}
	return "enter flows  s sort  / criteria  tab view  q quit"
}

func (m *Model) renderRows(b *strings.Builder) {
	rows := m.rows()
	b.WriteString(fit(heading(m.view, m.width), m.width) + "\n")
	for i := range m.body() {
		at := m.offset + i
		if at >= len(rows) {
			b.WriteString("\n")
			continue
		}
		text := fit(line(&rows[at], m.width), m.width)
		if at == m.cursor {
			text = reverse + text + plain
		}
		b.WriteString(text + "\n")
	}
}

func (m *Model) renderAccount(b *strings.Builder) {
	lines := strings.Split(strings.TrimRight(m.account, "\n"), "\n")
	m.offset = max(0, min(m.offset, len(lines)-m.body()-1))
	for i := range m.body() + 1 {
		text := ""
		if at := m.offset + i; at < len(lines) {
			text = lines[at]
		}
		b.WriteString(fit(text, m.width) + "\n")
	}
}
