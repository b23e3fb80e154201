package top

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/netpol/netpol/cmd/netpol/internal/view"
)

const (
	reverse, bold, plain = "\x1b[7m", "\x1b[1m", "\x1b[0m"
	// trendWidth is the width from which rows have a trend.
	trendWidth = 110
	// roomy is the height from which there are lines for the views and for all flows.
	roomy = 10
)

// head is how many lines are above rows or text, foot how many below.
func (m *Model) head() int {
	switch {
	case m.height >= roomy:
		return 3
	case m.height >= 4:
		return 1
	}
	return 0
}

func (m *Model) foot() int {
	switch {
	case m.height < 2:
		return 0
	case m.prompt.open && m.height > 4:
		return 2
	}
	return 1
}

// body is how many lines there are for rows or text.
func (m *Model) body() int { return max(1, m.height-m.head()-m.foot()) }

// render is the whole screen: height lines of width columns.
func (m *Model) render() string {
	var lines []string
	if m.height >= roomy {
		lines = append(lines, bold+view.Fit(m.title(), m.width)+plain, view.Fit(m.status(), m.width))
	}
	switch {
	case m.helping:
		lines = append(lines, m.text(helpText)...)
	case m.account != "":
		lines = append(lines, m.text(m.account)...)
	default:
		lines = append(lines, m.table()...)
	}
	return strings.Join(append(lines, m.below()...), "\n")
}

// draws says that there is room for trends, and a terminal that has their characters.
func (m *Model) draws() bool { return m.width >= trendWidth && m.utf8 }

// title tells views and their keys, or the way to what is shown.
func (m *Model) title() string {
	var b strings.Builder
	if len(m.path) > 0 {
		for _, p := range m.path {
			fmt.Fprintf(&b, "%s %s > ", p.By, view.Line(p.Name))
		}
		return b.String() + string(m.view)
	}
	for i, v := range Views() {
		mark, key := " ", " "
		if v == m.view {
			mark = "*"
		}
		if i < 10 {
			key = strconv.Itoa((i + 1) % 10)
		}
		entry := key + mark + string(v) + " "
		if b.Len()+len(entry)+3 > m.width && v != m.view {
			return b.String() + "..."
		}
		b.WriteString(entry)
	}
	return b.String()
}

// status is what all flows that are meant carry, and which those are.
func (m *Model) status() string {
	text := Total(&m.seen)
	if m.draws() {
		text += "   " + m.trends.all.text()
	}
	switch late := time.Since(m.now).Round(time.Second); {
	case m.held:
		text += "   HELD"
	case m.loaded && late > m.every+2*time.Second:
		text += fmt.Sprintf("   %s AGO", late)
	}
	if n := m.seen.Count - len(m.seen.Rows); n > 0 {
		text += fmt.Sprintf("   first %s of %s", view.Thousands(len(m.seen.Rows)), view.Thousands(m.seen.Count))
	}
	if m.criteria != "" {
		text += "   / " + view.Line(m.criteria)
	}
	return text
}

// below are the lines of keys, of what is typed, and of what went wrong.
func (m *Model) below() []string {
	if m.foot() == 0 {
		return nil
	}
	fit := func(s string) string { return view.Fit(view.Line(s), m.width) }
	if m.prompt.open {
		fault := m.prompt.fault
		if fault == "" {
			fault = "enter takes it   esc leaves what was   a word alone is looked for in names and addresses"
		}
		typed := "/" + view.Line(m.prompt.text) + "_"
		for view.Columns(typed) > m.width && len(typed) > 1 { // its end is what is typed
			typed = string([]rune(typed)[1:])
		}
		if m.foot() == 1 {
			return []string{view.Fit(typed, m.width)}
		}
		return []string{view.Fit(typed, m.width), fit(fault)}
	}
	if m.fault != "" {
		return []string{fit(m.fault)}
	}
	return []string{fit(m.keys())}
}

func (m *Model) keys() string {
	switch {
	case m.helping || m.account != "":
		return "esc back   up/down scroll   q quit"
	case m.view == Flows && len(m.trail) > 0:
		return "? help   enter why   esc back   / filter   s sort   p hold   q quit"
	case m.view == Flows:
		return "? help   enter why   / filter   s sort   p hold   tab view   q quit"
	case len(m.trail) > 0:
		return "? help   enter into   esc back   / filter   s sort   p hold   q quit"
	}
	return "? help   enter into   / filter   s sort   p hold   tab view   q quit"
}

// layout is how rows are laid out now.
func (m *Model) layout() layout {
	width := m.width
	if m.draws() {
		width -= trendLooks + 1
	}
	return newLayout(m.view, m.order, figureColumns(m.view, m.now)[m.skipped:], width)
}

// table is the heading and the rows that there is room for.
func (m *Model) table() []string {
	l, draw := m.layout(), m.draws()
	var lines []string
	if m.head() > 0 {
		lines = append(lines, view.Fit(l.heading(), m.width))
	}
	for at := m.offset; at < m.offset+m.body(); at++ {
		switch {
		case at < len(m.rows):
			text := l.line(&m.rows[at])
			if draw {
				text += " " + m.trends.of(&m.rows[at])
			}
			if text = view.Fit(text, m.width); at == m.cursor {
				text = reverse + text + plain
			}
			lines = append(lines, text)
		case at == 0:
			lines = append(lines, view.Fit(m.nothing(), m.width))
		default:
			lines = append(lines, "")
		}
	}
	return lines
}

// nothing says why there are no rows.
func (m *Model) nothing() string {
	switch {
	case !m.loaded:
		return "..."
	case m.criteria != "" || m.prompt.checked != "" || len(m.path) > 0:
		return "No such connections now."
	}
	return "netpold tracks no connections."
}

// text is a text's lines as far as it is scrolled, with those that are too long broken.
func (m *Model) text(text string) []string {
	var all []string
	for _, line := range strings.Split(strings.TrimRight(text, "\n"), "\n") {
		all = append(all, view.Wrap(line, m.width)...)
	}
	room := m.body() + min(m.head(), 1)
	m.scroll = max(0, min(m.scroll, len(all)-room))
	lines := make([]string, room)
	for i := range lines {
		if at := m.scroll + i; at < len(all) {
			lines[i] = view.Fit(all[at], m.width)
		}
	}
	return lines
}
