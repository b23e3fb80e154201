package top

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	tea "charm.land/bubbletea/v2"
	gocmp "github.com/google/go-cmp/cmp"

	"github.com/netpol/netpol/cmd/netpol/internal/view"
	"github.com/netpol/netpol/enforcer/telemetry"
)

// source has some connections, one with a hostile name, and tells what it was asked.
type source struct {
	asked []telemetry.Question
	with  []string // criteria
	more  uint64   // that the last host carries
}

func (s *source) flows() []telemetry.Flow {
	f := func(host byte, app, name string, rate, bytes uint64) telemetry.Flow {
		ip := netip.AddrFrom4([4]byte{192, 168, 1, host})
		return telemetry.Flow{
			IPProtocol: 6, SrcIP: ip, LocalIP: ip, SrcPort: 40000, DstIP: netip.MustParseAddr("2001:db8::1"), DstPort: 443,
			Application: app, Protocol: "tls", Hostname: name, Bytes: bytes, FirstSeen: time.Now().Add(-90 * time.Second),
			Now: telemetry.Now{Rate: rate, LocalRate: rate / 5, OtherRate: rate - rate/5, RTTServer: 12_000, RTTClient: 400},
		}
	}
	return []telemetry.Flow{
		f(2, "netflix", "evil\x1b[2Jname", 2_500_000, 900_000_000), f(2, "zoom", "us04web.zoom.us", 125_000, 5_000_000),
		f(3, "zoom", "会議.example", 1000, 400), f(4, "", "", s.more, 60),
	}
}

func (s *source) Look(criteria string, q telemetry.Question) (out telemetry.Overview, err error) {
	s.asked, s.with = append(s.asked, q), append(s.with, criteria)
	if criteria == "down" {
		return out, errors.New("netpold does not run")
	}
	name := func(by telemetry.Dimension, f *telemetry.Flow) string {
		if by == telemetry.ByHost {
			return f.LocalIP.String()
		}
		return cmp.Or(f.Application, f.Protocol)
	}
	sums := map[string]telemetry.Sum{}
	for _, f := range s.flows() {
		if slices.ContainsFunc(q.Within, func(p telemetry.Part) bool { return name(p.By, &f) != p.Name }) {
			continue
		}
		out.Total.Carry(&f.Now, f.Packets, f.Bytes)
		if q.Flows > 0 {
			out.Flows = append(out.Flows, f)
			continue
		}
		one := sums[name(q.By, &f)]
		one.Name = name(q.By, &f)
		one.Carry(&f.Now, f.Packets, f.Bytes)
		sums[one.Name] = one
	}
	for _, one := range sums {
		out.Rows = append(out.Rows, one)
	}
	slices.SortFunc(out.Rows, func(a, b telemetry.Sum) int { return cmp.Compare(b.Rate, a.Rate) })
	out.Count = len(out.Rows)
	return out, nil
}

func (s *source) Check(criteria string) error {
	if strings.HasSuffix(criteria, "=") {
		return errors.New("Unexpected token")
	}
	return nil
}

func (s *source) Why(f *telemetry.Flow) (string, error) {
	if f.Application == "" {
		return "", errors.New("the connection is over")
	}
	return "why of " + f.Hostname + "\n" + strings.Repeat("a long word and more ", 6) + "\n" + strings.Repeat("line\n", 40) + "last\n", nil
}

// screen runs a model without a terminal: keys go in, and what they ask for is done at
// once.
type screen struct {
	*Model
	source *source
}

func started(t *testing.T, v View) screen {
	t.Helper()
	from := &source{}
	s := screen{New(from, Options{View: v, Order: telemetry.OrderRate, Every: time.Hour, UTF8: true}), from}
	s.do(s.look())
	s.size(80, 24)
	return s
}

func (s screen) size(width, height int) { s.Update(tea.WindowSizeMsg{Width: width, Height: height}) }

func (s screen) do(cmd tea.Cmd) {
	if cmd == nil {
		return
	}
	_, next := s.Update(cmd())
	s.do(next)
}

// again is the next look.
func (s screen) again() { s.do(s.look()) }

func (s screen) press(words ...string) screen {
	keys := map[string]rune{"enter": tea.KeyEnter, "esc": tea.KeyEscape, "down": tea.KeyDown, "up": tea.KeyUp, "tab": tea.KeyTab, "end": tea.KeyEnd, "pgdown": tea.KeyPgDown, "backspace": tea.KeyBackspace, "home": tea.KeyHome}
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

func (s screen) typed(text string) screen {
	for _, r := range text {
		s.press(string(r))
	}
	return s
}

// shown is the screen as somebody reads it, the row under the cursor with a mark.
func (s screen) shown() string {
	var out []string
	for _, l := range strings.Split(s.render(), "\n") {
		out = append(out, strings.TrimRight(strings.NewReplacer(reverse, ">", plain, "", bold, "").Replace(l), " "))
	}
	return strings.Join(out, "\n")
}

// TestScreen holds the screen of 80 columns and 24 lines against what it was.
func TestScreen(t *testing.T) {
	want := `1*apps 2 hosts 3 flows 4 policies 5 groups 6 stations 7 categories ...
4 flows   up 4.2Mb/s   down 16.8Mb/s
APPLICATION                       *RATE  BYTES     UP   DOWN  FLOWS    RTT  RETR
>netflix                           20.0M   900M   4.0M  16.0M      1      -     0
zoom                               1.0M   5.0M   202k   806k      2      -     0
tls                                   0     60      0      0      1      -     0`
	s := started(t, View(telemetry.ByApplication))
	lines := strings.Split(s.shown(), "\n")
	if len(lines) != 24 {
		t.Errorf("%d lines, want 24", len(lines))
	}
	if diff := gocmp.Diff(want, strings.Join(lines[:6], "\n")); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	s.press("3")
	want = `CONNECTION                         *RATE  BYTES     UP   DOWN   AGE    RTT  RETR
>netflix evil\x1b[2Jname 192.168.~  20.0M   900M   4.0M  16.0M  1m30   12ms     0
zoom us04web.zoom.us 192.168.1.2~   1.0M   5.0M   200k   800k  1m30   12ms     0
zoom 会議.example 192.168.1.3:40~   8.0k    400   1.6k   6.4k  1m30   12ms     0`
	if diff := gocmp.Diff(want, strings.Join(strings.Split(s.shown(), "\n")[2:6], "\n")); diff != "" {
		t.Errorf("connections, -want +got:\n%s", diff)
	}
}

// TestSizes says that each line has its columns and that there are as many as the terminal
// has, of whatever size and in whatever mode.
func TestSizes(t *testing.T) {
	for _, size := range [][2]int{{1, 1}, {2, 2}, {10, 3}, {20, 5}, {40, 10}, {80, 24}, {109, 9}, {110, 30}, {300, 100}} {
		for _, keys := range [][]string{nil, {"3"}, {"?"}, {"3", "enter"}, {"/", "x", "="}, {"enter", "end"}, {"7"}} {
			s := started(t, View(telemetry.ByApplication))
			s.press(keys...)
			s.size(size[0], size[1])
			s.press("end", "up", "pgdown", "home")
			lines := strings.Split(s.shown(), "\n")
			if len(lines) != size[1] {
				t.Errorf("%v after %v: %d lines", size, keys, len(lines))
			}
			for _, l := range lines {
				if n := view.Columns(strings.TrimPrefix(l, ">")); n > size[0] {
					t.Errorf("%v after %v: %d columns: %q", size, keys, n, l)
				}
			}
		}
	}
}

// TestWalk goes from an application to its hosts, to connections, to an account and back.
func TestWalk(t *testing.T) {
	s := started(t, View(telemetry.ByApplication))
	has := func(what string, words ...string) {
		t.Helper()
		got := s.shown()
		if strings.Contains(got, "\x1b") {
			t.Errorf("%s: a packet's word steers the terminal", what)
		}
		for _, w := range words {
			if !strings.Contains(got, w) {
				t.Errorf("%s: no %q in\n%s", what, w, got)
			}
		}
	}
	s.press("down", "enter")
	has("hosts of zoom", "apps zoom > hosts", ">192.168.1.2", "192.168.1.3", "2 flows")
	s.press("enter")
	has("connections of a host", "apps zoom > hosts 192.168.1.2 > flows", "us04web.zoom.us")
	s.press("enter")
	has("account", "why of us04web.zoom.us", "line", "\n    more a long word")
	s.press("pgdown", "pgdown", "pgdown")
	has("its end", "last")
	s.press("esc", "esc", "esc")
	has("back", "APPLICATION", ">zoom")
	s.press("enter", "3")
	has("connections of all hosts", "apps zoom > flows", "会議.example")
	s.press("esc", "3")
	has("all flows", "netflix", `evil\x1b`)
	s.press("end", "enter")
	has("one that is over", "the connection is over")
	s.press("?")
	has("help", "KEYS", "esc back")
	s.press("esc", "tab")
	has("policies", "POLICY")
}

// TestWhyWhileAsking takes enter for an answer that is still to come.
func TestWhyWhileAsking(t *testing.T) {
	s := started(t, Flows)
	look := s.look()
	_, why := s.Update(tea.KeyPressMsg{Code: tea.KeyEnter})
	if why != nil {
		t.Error("two questions at once")
	}
	s.do(look)
	if got := s.shown(); !strings.Contains(got, "why of evil") {
		t.Errorf("the account was not asked for:\n%s", got)
	}
}

// TestFilter is typed letter by letter: what is good is shown, what is not is told, and
// stays to be put right.
func TestFilter(t *testing.T) {
	s := started(t, Flows)
	s.press("/").typed("app =")
	if got := s.shown(); !strings.Contains(got, "/app =_") || !strings.Contains(got, "Unexpected token") {
		t.Errorf("got\n%s", got)
	}
	if last := s.source.with[len(s.source.with)-1]; last != "app " {
		t.Errorf("what was good is %q", last)
	}
	s.press("enter")
	if !s.prompt.open || s.criteria != "" {
		t.Error("enter has taken what is wrong")
	}
	s.typed("= 'zoom'").press("enter")
	if s.prompt.open || s.criteria != "app == 'zoom'" || s.source.with[len(s.source.with)-1] != s.criteria {
		t.Errorf("got %q", s.criteria)
	}
	s.press("/").typed("x").press("esc")
	if s.criteria != "app == 'zoom'" || s.source.with[len(s.source.with)-1] != s.criteria {
		t.Errorf("esc has left %q, asked with %v", s.criteria, s.source.with)
	}
	s.press("/")
	s.Update(tea.KeyPressMsg{Code: 'u', Mod: tea.ModCtrl})
	s.typed("down").press("enter")
	if got := s.shown(); !strings.Contains(got, "netpold does not run") || !strings.Contains(got, "192.168.1.2") {
		t.Errorf("what was known does not stay:\n%s", got)
	}
}

// TestCursor stays on its row when others overtake it, and on top where it was not moved.
func TestCursor(t *testing.T) {
	s := started(t, View(telemetry.ByHost))
	s.press("end")
	s.source.more = 9_000_000
	s.again()
	if got := s.shown(); !strings.Contains(got, ">192.168.1.4") {
		t.Errorf("the cursor has left its row:\n%s", got)
	}
	s.press("home")
	s.source.more = 1
	s.again()
	if got := s.shown(); !strings.Contains(got, ">192.168.1.2") {
		t.Errorf("the cursor has left the top:\n%s", got)
	}
}

// TestOrders sorts by each column that a view has, and shows by which.
func TestOrders(t *testing.T) {
	s := started(t, View(telemetry.ByApplication))
	s.press("b")
	if got := s.shown(); s.order != telemetry.OrderBytes || !strings.Contains(got, "*BYTES") {
		t.Errorf("got order %s\n%s", s.order, got)
	}
	s.press("a") // age is of connections
	if s.order != telemetry.OrderBytes {
		t.Errorf("got order %s of a view without ages", s.order)
	}
	for range s.view.orders() {
		s.press("s")
	}
	if s.order != telemetry.OrderBytes {
		t.Errorf("once around, it is by %s", s.order)
	}
	s.press("f", "3")
	if s.order != telemetry.OrderRate || s.source.asked[len(s.source.asked)-1].Order != telemetry.OrderRate {
		t.Errorf("connections are sorted by %s", s.order)
	}
}

// TestColumns goes through those that there is no room for, and around.
func TestColumns(t *testing.T) {
	s := started(t, View(telemetry.ByApplication))
	s.size(40, 10)
	heading := func() string { return strings.Join(strings.Fields(strings.Split(s.shown(), "\n")[2]), " ") }
	var got []string
	for range 5 {
		got = append(got, heading())
		s.press("o")
	}
	want := []string{"APPLICATION *RATE BYTES UP", "APPLICATION DOWN FLOWS RTT", "APPLICATION RETR PACKETS SENT", "APPLICATION RECEIVED", "APPLICATION *RATE BYTES UP"}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestHold has nothing change but by keys.
func TestHold(t *testing.T) {
	s := started(t, Flows)
	before := len(s.source.asked)
	s.press("p")
	s.Update(tickMsg{})
	if len(s.source.asked) != before || !strings.Contains(s.shown(), "HELD") {
		t.Errorf("%d looks while it is held", len(s.source.asked)-before)
	}
	s.press("p")
	if len(s.source.asked) != before+1 {
		t.Error("it does not go on")
	}
}

// TestTrend draws the rates of the last looks.
func TestTrend(t *testing.T) {
	var all trends
	row := []Row{{Sum: telemetry.Sum{Name: "a"}}}
	for _, rate := range []uint64{0, 1, 4, 8} {
		row[0].Rate = rate
		all.add(Flows, row, &row[0].Sum)
	}
	all.add(Flows, nil, &telemetry.Sum{})
	if got, want := all.of(&row[0])+"|"+all.all.text(), "         ▁▄█|        ▁▄█ "; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	for range trendLooks {
		all.add(Flows, nil, &telemetry.Sum{})
	}
	if len(all.rates) != 0 {
		t.Errorf("%d rows are remembered", len(all.rates))
	}
}

// TestTable is for scripts: names are whole.
func TestTable(t *testing.T) {
	rows := []Row{{Sum: telemetry.Sum{Name: strings.Repeat("n", 40), Rate: 125_000, Flows: 2}}}
	got := Table(View(telemetry.ByName), telemetry.OrderRate, rows, 0, time.Now())
	want := fmt.Sprintf("%-40s  *RATE  BYTES     UP   DOWN  FLOWS    RTT  RETR PACKETS   SENT RECEIVED\n%s   1.0M      0      0      0      2      -     0       0      0        0\n", "HOST NAME", rows[0].Name)
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
