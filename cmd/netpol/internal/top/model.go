package top

import (
	"context"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/netpol/netpol/enforcer/telemetry"
)

// Source is where the screen has its figures from. Its methods are called one at a
// time.
type Source interface {
	// Flows lists connections that meet the criteria.
	Flows() ([]telemetry.Flow, error)
	// Use goes over to other criteria; an error leaves those before.
	Use(criteria string) error
	// Why is the account of a connection, as text that is safe for a terminal.
	Why(*telemetry.Flow) (string, error)
}

// Model is the screen and what it shows.
type Model struct {
	source   Source
	every    time.Duration
	flows    []telemetry.Flow
	view     View
	order    Order
	from     View   // of which inside is a row
	inside   string // empty: all flows
	cursor   int
	offset   int
	account  string // of a connection; empty shows rows
	criteria string
	typing   bool
	typed    string
	fault    string
	asking   bool

	width, height int
}

// New makes a screen.
func New(source Source, v View, criteria string, every time.Duration) *Model {
	return &Model{source: source, view: v, every: every, criteria: criteria, width: 80, height: 24}
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
	tickMsg  struct{}
	flowsMsg struct {
		flows []telemetry.Flow
		err   error
	}
	whyMsg struct {
		text string
		err  error
	}
	useMsg struct {
		criteria string
		err      error
	}
)

// Init asks for flows.
func (m *Model) Init() tea.Cmd { return m.fetch() }

func (m *Model) fetch() tea.Cmd {
	m.asking = true
	return func() tea.Msg {
		flows, err := m.source.Flows()
		return flowsMsg{flows, err}
	}
}

func (m *Model) tick() tea.Cmd {
	return tea.Tick(m.every, func(time.Time) tea.Msg { return tickMsg{} })
}

// Update takes a message in. Of questions to netpold one is under way at a time.
func (m *Model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.width, m.height = max(msg.Width, leastWidth), max(msg.Height, frame+1)
	case tickMsg:
		if m.asking {
			return m, m.tick()
		}
		return m, m.fetch()
	case flowsMsg:
		m.asking = false
		if m.fault = faultOf(msg.err); msg.err == nil {
			m.flows = msg.flows
		}
		m.move(0)
		return m, m.tick()
	case whyMsg:
		m.asking = false
		if m.fault = faultOf(msg.err); msg.err == nil {
			m.account, m.offset = msg.text, 0
		}
	case useMsg:
		m.asking = false
		if m.fault = faultOf(msg.err); msg.err == nil {
			m.criteria = msg.criteria
		}
	case tea.KeyPressMsg:
		return m, m.key(msg)
	}
	return m, nil
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
	v.AltScreen = true
	return v
}

// rows are those of the view at hand.
func (m *Model) rows() []Row {
	flows := m.flows
	if m.inside != "" {
		flows = within(m.from, m.inside, flows)
	}
	return Rows(m.view, m.order, flows)
}

// body is how many rows the screen has room for.
func (m *Model) body() int { return max(1, m.height-frame) }

// move moves the cursor, and the rows under it.
func (m *Model) move(by int) {
	if m.account != "" {
		m.offset = max(0, m.offset+by)
		return
	}
	m.cursor = max(0, min(m.cursor+by, len(m.rows())-1))
	m.offset = max(m.cursor-m.body()+1, min(m.offset, m.cursor))
}
