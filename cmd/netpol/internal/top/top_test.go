package top

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	tea "charm.land/bubbletea/v2"
	"github.com/google/go-cmp/cmp"

	"github.com/netpol/netpol/enforcer/telemetry"
)

// source has some connections, one with a hostile name.
type source struct{ criteria string }

func (s *source) Flows() ([]telemetry.Flow, error) {
	if s.criteria == "down" {
		return nil, errors.New("netpold does not run")
	}
	f := func(host byte, app, name string, rate, bytes uint64, policies ...string) telemetry.Flow {
		ip := netip.AddrFrom4([4]byte{192, 168, 1, host})
		return telemetry.Flow{
			IPProtocol: 6, SrcIP: ip, LocalIP: ip, SrcPort: 40000, DstIP: netip.MustParseAddr("2001:db8::1"), DstPort: 443,
			Application: app, Protocol: "tls", Hostname: name, Rate: rate, Bytes: bytes, Policies: policies,
		}
	}
	return []telemetry.Flow{
		f(2, "zoom", "us04web.zoom.us", 125_000, 5_000_000, "calls"), f(3, "zoom", "zoom.us", 1000, 400, "calls", "all"),
		f(2, "netflix", "evil\x1b[2Jname", 2_500_000, 900_000_000, "all"), f(4, "", "", 0, 60),
	}, nil
}

func (s *source) Use(criteria string) error {
	if criteria == "app =" {
		return errors.New("Unexpected token")
	}
	s.criteria = criteria
	return nil
}

func (s *source) Why(f *telemetry.Flow) (string, error) {
	if f.Application == "" {
		return "", errors.New("the connection is over")
	}
	return "why of " + f.Hostname + "\n" + strings.Repeat("line\n", 40) + "last\n", nil
}

// screen runs a model without a terminal: keys go in, and what they ask for is done at
// once.
type screen struct{ *Model }

func started(t *testing.T, v View) screen {
	t.Helper()
	s := screen{New(&source{}, v, "", time.Second)}
	s.do(s.Init())
	s.Update(tea.WindowSizeMsg{Width: 80, Height: 24})
	return s
}

func (s screen) do(cmd tea.Cmd) {
	if cmd == nil {
		return
	}
	msg := cmd()
	if _, ok := msg.(flowsMsg); ok {
		s.Update(msg) // the tick that follows is not waited for
		return
	}
	_, next := s.Update(msg)
	s.do(next)
}

func (s screen) press(words ...string) screen {
	keys := map[string]rune{"enter": tea.KeyEnter, "esc": tea.KeyEscape, "down": tea.KeyDown, "up": tea.KeyUp, "tab": tea.KeyTab, "end": tea.KeyEnd, "pgdown": tea.KeyPgDown, "backspace": tea.KeyBackspace}
	for _, w := range words {
		k := tea.KeyPressMsg{Code: keys[w]}
		if keys[w] == 0 {
			r, _ := utf8.DecodeRuneInString(w)
			k = tea.KeyPressMsg{Code: r, Text: w}
		}
		_, cmd := s.Update(k)
		s.do(cmd)
	}
	return s
}

// TestScreen holds the screen of 80 columns and 24 lines against what it was.
func TestScreen(t *testing.T) {
	want := `netpol top  1*apps  2 hosts  3 flows  4 policies   4 flows, by rate
APPLICATION                                          RATE        BYTES     FLOWS
>netflix                                       20.0 Mbit/s       900 MB         1
zoom                                           1.0 Mbit/s       5.0 MB         2
tls                                               0 bit/s         60 B         1`
	s := started(t, Applications)
	got := s.render()
	lines := strings.Split(got, "\n")
	if len(lines) != 24 {
		t.Errorf("%d lines, want 24", len(lines))
	}
	for _, l := range lines {
		if n := utf8.RuneCountInString(strings.NewReplacer(reverse, "", plain, "").Replace(l)); n > 80 {
			t.Errorf("%d columns: %q", n, l)
		}
	}
	var text []string
	for _, l := range lines[:5] {
		text = append(text, strings.TrimRight(strings.NewReplacer(reverse, ">", plain, "").Replace(l), " "))
	}
	if diff := cmp.Diff(want, strings.Join(text, "\n")); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestWalk goes through views, into a row, to an account and back.
func TestWalk(t *testing.T) {
	s := started(t, Applications)
	has := func(what string, words ...string) {
		t.Helper()
		got := s.render()
		if strings.Contains(got, "\x1b[2J") {
			t.Errorf("%s: a packet's word steers the terminal", what)
		}
		for _, w := range words {
			if !strings.Contains(got, w) {
				t.Errorf("%s: no %q in\n%s", what, w, got)
			}
		}
	}
	s.press("down", "enter")
	has("flows of zoom", "apps zoom", "zoom us04web.zoom.us 192.168.1.2:40000 >", "192.168.1.3:40000")
	s.press("enter")
	has("account", "why of us04web.zoom.us", "line")
	s.press("pgdown", "pgdown", "pgdown")
	has("its end", "last")
	s.press("esc", "esc")
	has("back", "APPLICATION", reverse+"zoom")
	s.press("3")
	has("all flows", "netflix", `evil\x1b`)
	s.press("end", "enter")
	has("one that is over", "the connection is over")
	s.press("tab")
	has("policies", "POLICY", "calls", "all")
	s.press("2", "s", "s")
	has("hosts", "by flows", "192.168.1.2")
	s.press("/", "a", "p", "p", " ", "=", "enter")
	has("criteria that are none", "Unexpected token")
	s.press("/", "d", "o", "w", "n", "enter")
	s.do(s.fetch())
	has("nobody answers", "netpold does not run", "192.168.1.2") // what was known stays
	if cmd := s.key(tea.KeyPressMsg{Code: 'q', Text: "q"}); cmd == nil {
		t.Error("q does not quit")
	}
}

// TestSmallTerminals says that no size breaks the screen.
func TestSmallTerminals(t *testing.T) {
	for _, size := range [][2]int{{0, 0}, {1, 1}, {10, 3}, {300, 100}} {
		s := started(t, Flows)
		s.Update(tea.WindowSizeMsg{Width: size[0], Height: size[1]})
		s.press("end", "up", "enter", "pgdown", "esc")
		if s.render() == "" {
			t.Errorf("%v: an empty screen", size)
		}
	}
}

func TestRowsOfManyFlows(t *testing.T) {
	var flows []telemetry.Flow
	for i := range 1000 {
		flows = append(flows, telemetry.Flow{LocalIP: netip.AddrFrom4([4]byte{10, 0, byte(i % 7), 1}), Rate: uint64(i), Bytes: 1})
	}
	rows := Rows(Hosts, ByRate, flows)
	sum := uint64(0)
	for i, r := range rows {
		sum += r.Bytes
		if i > 0 && r.Rate > rows[i-1].Rate {
			t.Errorf("%v after %v", r, rows[i-1])
		}
	}
	if len(rows) != 7 || sum != 1000 {
		t.Errorf("got %d rows of %d bytes", len(rows), sum)
	}
	if got := strings.Join([]string{rate(0), rate(125), rate(1_250_000), size(999), size(1_500_000)}, " "); got != "0 bit/s 1.0 kbit/s 10.0 Mbit/s 999 B 1.5 MB" {
		t.Errorf("got %s", got)
	}
}
