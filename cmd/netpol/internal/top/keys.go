package top

import (
	"slices"

	tea "charm.land/bubbletea/v2"
)

// key does what a key asks for.
func (m *Model) key(k tea.KeyPressMsg) tea.Cmd {
	if k.String() == "ctrl+c" {
		return tea.Quit
	}
	if m.typing {
		return m.typeKey(k)
	}
	m.fault = ""
	switch word := k.String(); word {
	case "q":
		return tea.Quit
	case "up", "k":
		m.move(-1)
	case "down", "j":
		m.move(1)
	case "pgup":
		m.move(-m.body())
	case "pgdown", "space":
		m.move(m.body())
	case "home":
		m.move(-len(m.flows) - 1)
	case "end":
		m.move(len(m.flows) + 1)
	case "esc", "left", "backspace":
		m.back()
	case "enter", "right":
		return m.enter()
	case "tab":
		m.show((m.view + 1) % views)
	case "1", "2", "3", "4":
		m.show(View(word[0] - '1'))
	case "s":
		m.order = (m.order + 1) % orders
		m.cursor, m.offset = 0, 0
	case "/":
		m.typing, m.typed = true, m.criteria
	}
	return nil
}

// typeKey edits criteria.
func (m *Model) typeKey(k tea.KeyPressMsg) tea.Cmd {
	switch k.String() {
	case "esc":
		m.typing = false
	case "enter":
		m.typing, m.asking = false, true
		typed := m.typed
		return func() tea.Msg { return useMsg{typed, m.source.Use(typed)} }
	case "backspace":
		if r := []rune(m.typed); len(r) > 0 {
			m.typed = string(r[:len(r)-1])
		}
	case "ctrl+u":
		m.typed = ""
	default:
		m.typed += k.Text
	}
	return nil
}

// show goes over to another view of all flows.
func (m *Model) show(v View) {
	m.view, m.inside, m.account, m.cursor, m.offset = v, "", "", 0, 0
}

// back leaves an account, or the flows of a row.
func (m *Model) back() {
	switch {
	case m.account != "":
		m.account, m.offset = "", 0
		m.move(0)
	case m.inside != "":
		was, from := m.inside, m.from
		m.show(from)
		m.cursor = max(0, slices.IndexFunc(m.rows(), func(r Row) bool { return r.Name == was }))
		m.move(0)
	}
}

// enter goes into a row: to its flows, or to the account of one.
func (m *Model) enter() tea.Cmd {
	rows := m.rows()
	if m.account != "" || m.cursor >= len(rows) || m.asking {
		return nil
	}
	row := rows[m.cursor]
	if m.view != Flows {
		m.from, m.inside, m.view, m.cursor, m.offset = m.view, row.Name, Flows, 0, 0
		return nil
	}
	m.asking = true
	return func() tea.Msg {
		text, err := m.source.Why(row.Flow)
		return whyMsg{text, err}
	}
}
