package control

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go.uber.org/goleak"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/flow"
	"github.com/netpol/netpol/enforcer/telemetry"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	known  = flow.Tuple{Src: netip.MustParseAddr("192.0.2.1"), Dst: netip.MustParseAddr("198.51.100.2"), SrcPort: 40000, DstPort: 443, Proto: 6}
	sample = telemetry.Flow{
		IPProtocol: 6, SrcIP: known.Src, SrcPort: 40000, DstIP: known.Dst, DstPort: 443,
		Protocol: "tls", Application: "zoom", Labels: []string{"zoom"}, Policies: []string{"p"},
		FirstSeen: time.Unix(1, 5).UTC(), LastSeen: time.Unix(2, 0).UTC(),
	}
	account = telemetry.Why{
		Flow: sample, Complete: true, Evidence: []telemetry.Evidence{{Attribute: "hostname", Value: "zoom.us"}},
		Policies: []telemetry.PolicyWhy{{Name: "p", File: "a.hcl", Line: 3, Matched: true, Terms: []telemetry.Term{{Text: "app == 'zoom'", Value: "zoom", Holds: true}}}},
	}
	status = Status{Version: "1", PID: 42, Started: time.Unix(3, 0).UTC(), Digest: "abc", Policies: 2, Labels: 1, Counters: map[string]uint64{"packets": 7}}
)

// fake is a netpold.
type fake struct{ broken error }

func (fake) Status() Status            { return status }
func (f fake) Reload() (Status, error) { return status, f.broken }

func (fake) Overview(q telemetry.Question, p *artifact.Program) (telemetry.Overview, error) {
	if p.Engine != artifact.Engine {
		return telemetry.Overview{}, errors.New("another engine")
	}
	return telemetry.Overview{Total: telemetry.Sum{Flows: 7}, Flows: fake{}.Flows(q.Flows)}, nil
}

func (fake) Flows(limit int) []telemetry.Flow {
	list := make([]telemetry.Flow, limit)
	for i := range list {
		list[i] = sample
	}
	return list
}

var foreign = []Change{{Time: time.Unix(4, 0).UTC(), PID: 7, Process: "nft", Command: "nft flush ruleset", Removed: true, Messages: 3}}

func (fake) Changes() []Change { return foreign }

func (fake) TrySinks(names []string) []telemetry.SinkTrial {
	return []telemetry.SinkTrial{{Name: names[0], Outcome: telemetry.TrialTaken, Took: 3}}
}

func (f fake) Release() error { return f.broken }
func (f fake) Adopt() error   { return f.broken }

func (fake) Why(t flow.Tuple) (telemetry.Why, bool) { return account, t == known }

// start serves h until the test ends.
func start(t *testing.T, h Handler) (path string, stop func() error) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "netpold.sock")
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- Serve(ctx, path, h) }()
	for range 500 {
		if _, err := os.Stat(path); err == nil {
			break
		}
		time.Sleep(2 * time.Millisecond)
	}
	stopped := false
	stop = func() error {
		if stopped {
			return nil
		}
		stopped = true
		cancel()
		return <-served
	}
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	return path, stop
}

func dial(t *testing.T, path string) *Client {
	t.Helper()
	c, err := Dial(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

var compare = cmp.Options{cmpopts.EquateComparable(netip.Addr{}), cmpopts.IgnoreFields(telemetry.Flow{}, "Event")}

func TestRequests(t *testing.T) {
	path, _ := start(t, fake{})
	c := dial(t, path)
	got, err := c.Status()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(status, got); diff != "" {
		t.Errorf("status, -want +got:\n%s", diff)
	}
	if got, err = c.Reload(); err != nil || got.Digest != "abc" {
		t.Errorf("reload: got %+v, %v", got, err)
	}
	changes, err := c.Changes()
	if diff := cmp.Diff(foreign, changes); diff != "" || err != nil {
		t.Errorf("changes: %v (-want +got)\n%s", err, diff)
	}
	flows, err := c.Flows(2)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]telemetry.Flow{sample, sample}, flows, compare); diff != "" {
		t.Errorf("flows, -want +got:\n%s", diff)
	}
	where := &artifact.Program{Engine: artifact.Engine, Clauses: make([]artifact.Clause, 1)}
	if seen, err := c.Overview(telemetry.Question{Flows: 5, Order: telemetry.OrderNew}, where); err != nil || seen.Total.Flows != 7 || len(seen.Flows) != 5 {
		t.Errorf("got %+v, %v; want 5 of 7 flows", seen, err)
	}
	if _, err := c.Overview(telemetry.Question{}, &artifact.Program{}); err == nil || !strings.Contains(err.Error(), "another engine") {
		t.Errorf("with a program that cannot run: got %v", err)
	}
	if seen, err := c.Overview(telemetry.Question{Flows: MaxFlows + 5}, where); err != nil || len(seen.Flows) != MaxFlows {
		t.Errorf("got %d flows, %v, want the cap of %d", len(seen.Flows), err, MaxFlows)
	}
	for _, q := range []telemetry.Question{{Order: "size"}, {By: "people"}, {Within: []telemetry.Part{{By: "x"}}}} {
		if _, err := c.Overview(q, where); err == nil || !strings.Contains(err.Error(), errQuestion.Error()) {
			t.Errorf("%+v: got %v", q, err)
		}
	}
	if flows, err = c.Flows(MaxFlows + 5); err != nil || len(flows) != MaxFlows {
		t.Errorf("got %d flows, %v, want the cap of %d", len(flows), err, MaxFlows)
	}
	if flows, err = c.Flows(-1); err != nil || len(flows) != 0 {
		t.Errorf("got %d flows, %v for a negative limit", len(flows), err)
	}
	trials, err := c.TrySinks([]string{"uplink"})
	if diff := cmp.Diff([]telemetry.SinkTrial{{Name: "uplink", Outcome: telemetry.TrialTaken, Took: 3}}, trials); diff != "" || err != nil {
		t.Errorf("trials: %v (-want +got)\n%s", err, diff)
	}
	why, ok, err := c.Why(known)
	if err != nil || !ok {
		t.Fatalf("why: %v, %v", ok, err)
	}
	if diff := cmp.Diff(account, why, compare); diff != "" {
		t.Errorf("why, -want +got:\n%s", diff)
	}
	if _, ok, err := c.Why(flow.Tuple{Src: known.Src, Dst: known.Dst}); ok || err != nil {
		t.Errorf("an unknown flow: got %v, %v", ok, err)
	}
}

func TestReloadFails(t *testing.T) {
	path, _ := start(t, fake{broken: errors.New("bundle does not match its digest")})
	got, err := dial(t, path).Reload()
	if err == nil || err.Error() != "netpold answers to reload: bundle does not match its digest" || got.Digest != "abc" {
		t.Errorf("got %+v, %v, want the error and the bundle that stays", got, err)
	}
}

// TestOlderServer: a request that the server does not know has a way out.
func TestOlderServer(t *testing.T) {
	path, _ := start(t, fake{})
	_, err := dial(t, path).ask(request{Op: "dance"})
	const want = "the netpold that runs is older than this netpol and does not know the request dance: install both of one version and start netpold again"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// TestHostileClients sends lines that no client of ours sends.
func TestHostileClients(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"not json", "hello\n", errNotJSON.Error()},
		{"an array", "[1]\n", errNotJSON.Error()},
		{"other version", `{"version":9,"op":"status"}` + "\n", errProtocol.Error()},
		{"unknown request", `{"version":1,"op":"halt"}` + "\n", `unknown request "halt"`},
		{"why without a tuple", `{"version":1,"op":"why"}` + "\n", "why: no tuple"},
		{"overview without a question", `{"version":1,"op":"overview"}` + "\n", errQuestion.Error()},
		{"bad address", `{"version":1,"op":"why","tuple":{"Src":"1.2.3"}}` + "\n", errNotJSON.Error()},
		{"endless line", strings.Repeat("x", maxRequest), errTooLong.Error()},
	}
	path, _ := start(t, fake{})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			conn, err := net.Dial("unix", path)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if _, err := io.WriteString(conn, tt.in); err != nil {
				t.Fatal(err)
			}
			var a answer
			if err := json.NewDecoder(conn).Decode(&a); err != nil {
				t.Fatal(err)
			}
			if a.Error != tt.want {
				t.Errorf("got error %q, want %q", a.Error, tt.want)
			}
		})
	}
	if _, err := dial(t, path).Status(); err != nil {
		t.Errorf("the server does not answer after that: %v", err)
	}
}

func TestTooManyClients(t *testing.T) {
	path, _ := start(t, fake{})
	var clients []*Client
	for range maxClients {
		clients = append(clients, dial(t, path))
	}
	for _, c := range clients { // each has an answer, so each is counted
		if _, err := c.Status(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := dial(t, path).Status(); err == nil || !strings.Contains(err.Error(), errBusy.Error()) {
		t.Errorf("client %d: got %v, want %v", maxClients+1, err, errBusy)
	}
	clients[0].Close()
	for range 100 {
		c, err := Dial(path)
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.Status()
		c.Close()
		if err == nil {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Error("no room after a client has left")
}

func TestSocketFile(t *testing.T) {
	path, stop := start(t, fake{})
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("got mode %v, want 0600", info.Mode().Perm())
	}
	if err := Serve(context.Background(), path, fake{}); !errors.Is(err, ErrServed) {
		t.Errorf("a second server: got %v, want ErrServed", err)
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1 {
		t.Errorf("got %v, %v in the run directory, want the socket alone", entries, err)
	}
	if err := stop(); err != nil {
		t.Errorf("Serve: %v", err)
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the socket is still there: %v", err)
	}
	if _, err := Dial(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Dial: got %v, want fs.ErrNotExist", err)
	}
}

func TestNoRunDirectory(t *testing.T) {
	err := Serve(context.Background(), filepath.Join(t.TempDir(), "missing", "x.sock"), fake{})
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want fs.ErrNotExist", err)
	}
}

func FuzzAnswer(f *testing.F) {
	f.Add([]byte(`{"version":1,"op":"flows","max":3}`))
	f.Add([]byte(`{"version":1,"op":"why","tuple":{"Src":"192.0.2.1","Dst":"192.0.2.2","Proto":6}}`))
	s := &server{handler: fake{}}
	f.Fuzz(func(t *testing.T, line []byte) {
		a := s.answer(line)
		if a.Error == "" && a.Status == nil && a.Flows == nil && a.Overview == nil && a.Why == nil && !strings.Contains(string(line), "why") {
			t.Errorf("neither an answer nor an error to %q", line)
		}
	})
}

// TestSilence waits for an answer no longer than somebody who looks on.
func TestSilence(t *testing.T) {
	near, far := net.Pipe()
	defer far.Close()
	go io.Copy(io.Discard, far)
	c := &Client{conn: near, in: bufio.NewReader(near)}
	defer c.Close()
	if _, err := c.Within(10 * time.Millisecond).Status(); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("got %v, want os.ErrDeadlineExceeded", err)
	}
}

func TestHalfAnAnswer(t *testing.T) {
	near, far := net.Pipe()
	c := &Client{conn: near, in: bufio.NewReader(near)}
	go func() {
		bufio.NewReader(far).ReadString('\n')
		io.WriteString(far, `{"version":1,`)
		far.Close()
	}()
	if _, err := c.Status(); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("half an answer: got %v, want io.ErrUnexpectedEOF", err)
	}
	c.Close()
}

// Letting go of the table and owning it again are answered with what went wrong.
func TestReleaseAndAdopt(t *testing.T) {
	path, _ := start(t, fake{})
	c := dial(t, path)
	if err := errors.Join(c.Release(), c.Adopt()); err != nil {
		t.Error(err)
	}
	path, _ = start(t, fake{broken: errors.New("the kernel is on fire")})
	c = dial(t, path)
	for _, err := range []error{c.Release(), c.Adopt()} {
		if err == nil || !strings.Contains(err.Error(), "the kernel is on fire") {
			t.Errorf("got %v", err)
		}
	}
}
