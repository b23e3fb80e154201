package top

import (
	"slices"
	"strconv"

	tea "charm.land/bubbletea/v2"

	"github.com/netpol/netpol/enforcer/telemetry"
)

// key does what a key asks for.
func (m *Model) key(k tea.KeyPressMsg) tea.Cmd {
	switch word := k.String(); {
	case word == "ctrl+c":
		return tea.Quit
	case word == "ctrl+z":
		return tea.Suspend
	case m.prompt.open:
		return m.typeKey(k)
	case word == "q":
		return tea.Quit
	case m.helping || m.account != "":
		m.readKey(word)
		return nil
	default:
		m.fault = ""
		return m.rowKey(word)
	}
}

// readKey is a key while there is text to read.
func (m *Model) readKey(word string) {
	switch word {
	case "up", "k":
		m.scroll--
	case "down", "j":
		m.scroll++
	case "pgup":
		m.scroll -= m.body()
	case "pgdown", "space":
		m.scroll += m.body()
	case "home", "g":
		m.scroll = 0
	case "end", "G":
		m.scroll = 1 << 20 // as far as there is text
	case "esc", "left", "backspace", "h", "?", "f1":
		m.helping, m.account, m.scroll = false, "", 0
	}
}

// rowKey is a key while there are rows.
func (m *Model) rowKey(word string) tea.Cmd {
	switch word {
	case "up", "k":
		m.move(-1)
	case "down", "j":
		m.move(1)
	case "pgup":
		m.move(-m.body())
	case "pgdown", "space":
		m.move(m.body())
	case "home", "g":
		m.cursor, m.offset, m.chosen = 0, 0, "" // and it stays on top
	case "end", "G":
		m.move(len(m.rows))
	case "esc", "left", "backspace":
		return m.back()
	case "enter", "right":
		return m.enter()
	case "p":
		if m.held = !m.held; !m.held {
			return m.look()
		}
	case "/":
		m.prompt = prompt{open: true, text: m.criteria, checked: m.criteria, good: true}
	case "?", "h", "f1":
		m.helping, m.scroll = true, 0
	default:
		return m.choiceKey(word)
	}
	return nil
}

// orderKeys sort by a column.
var orderKeys = []struct {
	key   string
	order telemetry.Order
}{
	{"r", telemetry.OrderRate},
	{"u", telemetry.OrderUp},
	{"d", telemetry.OrderDown},
	{"b", telemetry.OrderBytes},
	{"f", telemetry.OrderFlows},
	{"a", telemetry.OrderNew},
	{"t", telemetry.OrderRTT},
	{"x", telemetry.OrderRetrans},
	{"c", telemetry.OrderPackets},
	{"n", telemetry.OrderName},
}

// choiceKey is a key for another view or order.
func (m *Model) choiceKey(word string) tea.Cmd {
	list, orders := Views(), m.view.orders()
	step := func(by int) tea.Cmd {
		at := slices.Index(orders, m.order)
		return m.sort(orders[(at+by+len(orders))%len(orders)])
	}
	switch at := slices.Index(list, m.view); word {
	case "tab":
		return m.show(list[(at+1)%len(list)])
	case "shift+tab":
		return m.show(list[(at+len(list)-1)%len(list)])
	case "o":
		m.skipped += len(m.layout().columns)
		if m.skipped >= len(figureColumns(m.view, m.now)) {
			m.skipped = 0
		}
		return nil
	case "s", ">":
		return step(1)
	case "S", "<":
		return step(-1)
	}
	for _, k := range orderKeys {
		if k.key == word && slices.Contains(orders, k.order) {
			return m.sort(k.order)
		}
	}
	if n, err := strconv.Atoi(word); err == nil && len(word) == 1 {
		return m.show(list[(n+len(list)-1)%len(list)])
	}
	return nil
}

func (m *Model) sort(by telemetry.Order) tea.Cmd {
	m.order, m.cursor, m.offset, m.chosen = by, 0, 0, ""
	return m.look()
}

// show goes over to another view of the same flows.
func (m *Model) show(v View) tea.Cmd { return m.goTo(place{view: v, path: m.path}) }

func (m *Model) goTo(p place) tea.Cmd {
	m.place, m.rows, m.loaded = p, nil, false
	if !slices.Contains(m.view.orders(), m.order) {
		m.order = telemetry.OrderRate
	}
	return m.look()
}

// back leaves the flows of a row.
func (m *Model) back() tea.Cmd {
	if len(m.trail) == 0 {
		return nil
	}
	last := m.trail[len(m.trail)-1]
	m.trail = m.trail[:len(m.trail)-1]
	return m.goTo(last)
}

// enter goes into a row: to what it is made of, or to the account of a connection.
func (m *Model) enter() tea.Cmd {
	if m.cursor >= len(m.rows) {
		return nil
	}
	row := m.rows[m.cursor]
	if m.view != Flows {
		m.chosen = row.key()
		m.trail = append(m.trail, m.place)
		path := append(slices.Clone(m.path), telemetry.Part{By: telemetry.Dimension(m.view), Name: row.Name})
		return m.goTo(place{view: m.view.next(m.path), path: path})
	}
	m.wanted = row.Flow
	return m.askWhy()
}

// move moves the cursor, which then stays on its row.
func (m *Model) move(by int) {
	m.cursor = max(0, min(m.cursor+by, len(m.rows)-1))
	if m.cursor < len(m.rows) {
		m.chosen = m.rows[m.cursor].key()
	}
	m.settle()
}
