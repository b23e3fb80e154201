package top

import (
	"context"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/netpol/netpol/enforcer/telemetry"
)

// Source is where the screen has its figures from. Its methods are called from
// goroutines, Look and Why one at a time.
type Source interface {
	// Look answers a question about the flows that criteria mean, which Check has found
	// good.
	Look(criteria string, q telemetry.Question) (telemetry.Overview, error)
	// Check says what is wrong with criteria.
	Check(criteria string) error
	// Why is the account of a connection, as text that is safe for a terminal.
	Why(*telemetry.Flow) (string, error)
}

// Options are how a screen begins.
type Options struct {
	View     View
	Order    telemetry.Order
	Criteria string
	Every    time.Duration
	UTF8     bool // the terminal has characters beyond ASCII
}

// mostRows is how many rows are asked for: a person does not page through more.
const mostRows = 2000

// Model is the screen and what it shows.
type Model struct {
	source Source
	every  time.Duration
	utf8   bool

	place            // what is shown of flows
	trail    []place // that back goes through
	order    telemetry.Order
	criteria string
	skipped  int  // columns of figures, to make room for others
	held     bool // nothing changes on the screen but by keys
	seen     telemetry.Overview
	rows     []Row
	loaded   bool // rows are those of the place
	trends   trends
	account  string // of a connection; empty shows rows
	helping  bool
	scroll   int // of account or help
	prompt   prompt
	fault    string
	asking   bool
	stale    bool            // what was asked for is not what is to be shown now
	wanted   *telemetry.Flow // of which the account is to be asked for next
	now      time.Time

	width, height int
}

// place is a view, of some flows, and where the cursor is in it.
type place struct {
	view   View
	path   []telemetry.Part
	cursor int
	offset int
	chosen string // the row that the cursor stays on; empty: on its line
}

// New makes a screen.
func New(source Source, o Options) *Model {
	return &Model{
		source: source, place: place{view: o.View}, order: o.Order, criteria: o.Criteria, every: o.Every, utf8: o.UTF8,
		trends: trends{}, width: 80, height: 24,
	}
}

// Run shows the screen until somebody quits or ctx ends.
func Run(ctx context.Context, m *Model, options ...tea.ProgramOption) error {
	_, err := tea.NewProgram(m, append(options, tea.WithContext(ctx))...).Run()
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// Messages of the screen to itself.
type (
	tickMsg struct{}
	seenMsg struct {
		seen telemetry.Overview
		err  error
	}
	whyMsg struct {
		text string
		err  error
	}
	checkedMsg struct {
		criteria string
		err      error
	}
)

// Init looks for the first time.
func (m *Model) Init() tea.Cmd { return tea.Batch(m.look(), m.tick()) }

// look asks for what is to be shown. Of questions to netpold one is under way at a time.
func (m *Model) look() tea.Cmd {
	if m.asking {
		m.stale = true
		return nil
	}
	m.asking, m.stale = true, false
	criteria, q := m.criteria, telemetry.Question{Order: m.order, Within: m.path}
	if m.prompt.open && m.prompt.good {
		criteria = m.prompt.checked
	}
	if m.view == Flows {
		q.Flows = mostRows
	} else {
		q.By, q.Rows = telemetry.Dimension(m.view), mostRows
	}
	return func() tea.Msg {
		seen, err := m.source.Look(criteria, q)
		return seenMsg{seen, err}
	}
}

// askWhy asks for the account that somebody wants, as soon as nothing else is asked.
func (m *Model) askWhy() tea.Cmd {
	flow := m.wanted
	if flow == nil || m.asking {
		return nil
	}
	m.asking, m.wanted = true, nil
	return func() tea.Msg {
		text, err := m.source.Why(flow)
		return whyMsg{text, err}
	}
}

func (m *Model) tick() tea.Cmd {
	return tea.Tick(m.every, func(time.Time) tea.Msg { return tickMsg{} })
}

// Update takes a message in.
func (m *Model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.width, m.height = max(msg.Width, 1), max(msg.Height, 1)
		m.settle()
		return m, tea.ClearScreen // tmux keeps what was beside a smaller screen
	case tickMsg:
		if m.held || m.asking {
			return m, m.tick()
		}
		return m, tea.Batch(m.look(), m.tick())
	case seenMsg:
		m.asking = false
		if m.stale {
			return m, m.look()
		}
		m.take(msg)
		return m, m.askWhy()
	case whyMsg:
		m.asking = false
		if m.fault = faultOf(msg.err); msg.err == nil {
			m.account, m.scroll = msg.text, 0
		}
		if m.stale {
			return m, m.look()
		}
	case checkedMsg:
		return m, m.checked(msg)
	case tea.PasteMsg:
		if m.prompt.open {
			return m, m.edit(m.prompt.text + msg.Content)
		}
	case tea.KeyPressMsg:
		return m, m.key(msg)
	}
	return m, nil
}

// take shows what was seen. What was known stays when nobody answers.
func (m *Model) take(msg seenMsg) {
	if m.fault = faultOf(msg.err); msg.err != nil {
		return
	}
	m.seen, m.now, m.loaded = msg.seen, time.Now(), true
	m.rows = Rows(m.view, &m.seen)
	m.trends.add(m.view, m.rows, &m.seen.Total)
	m.settle()
}

// settle puts the cursor on the row that it was on, wherever that is now.
func (m *Model) settle() {
	if m.chosen != "" {
		for i := range m.rows {
			if m.rows[i].key() == m.chosen {
				m.cursor = i
				break
			}
		}
	}
	m.cursor = max(0, min(m.cursor, len(m.rows)-1))
	m.offset = max(0, m.cursor-m.body()+1, min(m.offset, m.cursor))
}

func faultOf(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// View is the screen.
func (m *Model) View() tea.View {
	v := tea.NewView(m.render())
	v.AltScreen, v.WindowTitle = true, "netpol top"
	return v
}
