package sink

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/telemetry/record"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func flowOf(name string) *record.Flow {
	r := &record.Flow{FlowHead: record.FlowHead{Head: record.Head{Type: record.KindFlow, SchemaVersion: 1, Timestamp: time.Now().UnixMilli()}}}
	r.Flow.HostName = name
	return r
}

func fileSink(path string) artifact.Sink {
	return artifact.Sink{Name: "f", Kind: artifact.SinkFile, Path: path, Queue: 1 << 20, Records: []string{"flow"}, Keep: 2}
}

// eventually waits for what a sink's goroutine does.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: it does not happen", what)
		}
	}
}

func lines(t *testing.T, path string) int {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(data) {
		if !json.Valid(line) {
			t.Fatalf("%s has a line that is no record: %q", path, line)
		}
	}
	return bytes.Count(data, []byte{'\n'})
}

// TestFile writes to a file, has somebody move it away, and goes over to another
// bundle, which leaves the sink open.
func TestFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log", "flows.jsonl")
	s := New(Config{})
	s.Use([]artifact.Sink{fileSink(path)})
	s.Offer(0, flowOf("a"))
	written := func(n uint64) func() bool {
		return func() bool {
			st := s.Status()[0]
			return st.Records == n && st.Bytes > 0 && len(s.slot(0).queue.waitingNow()) == 0
		}
	}
	eventually(t, "first record", written(1))
	first := s.slot(0)
	if err := os.Rename(path, path+".moved"); err != nil {
		t.Fatal(err)
	}
	changed := fileSink(path)
	changed.Name, changed.Records = "renamed", []string{"flow", "flow_end"}
	s.Use([]artifact.Sink{changed})
	if s.slot(0) != first {
		t.Error("the same file was opened again")
	}
	s.Offer(0, flowOf("b"))
	s.Close()
	if a, b := lines(t, path+".moved"), lines(t, path); a != 1 || b != 1 {
		t.Errorf("got %d records in the moved file and %d in the new one, want 1 and 1", a, b)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("got mode %v (%v), want 0640", info.Mode(), err)
	}
}

func (s *Set) slot(i int) *runner { return (*s.slots.Load())[i].runner }

func (q *queue) waitingNow() []byte {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.waiting
}

func TestRotation(t *testing.T) {
	path := filepath.Join(t.TempDir(), "flows.jsonl")
	one := fileSink(path)
	line := append(flowOf("x").AppendJSON(nil), '\n')
	one.RotateSize = int64(len(line) * 5 / 2)
	f, err := openFile(newRunner(one, Config{}))
	if err != nil {
		t.Fatal(err)
	}
	for range 9 {
		if _, err := f.write(line); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]int{path: 1, path + ".1": 2, path + ".2": 2} {
		if got := lines(t, name); got != want {
			t.Errorf("%s: got %d records, want %d", name, got, want)
		}
	}
	if _, err := os.Stat(path + ".3"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("more files than are to be kept: %v", err)
	}
	if err := f.close(); err != nil {
		t.Fatal(err)
	}

	// An old file is told by its first record, whoever wrote it.
	if err := os.WriteFile(path, []byte(`{"type":"flow","schema_version":1,"timestamp":1000,"x":1}`+"\n"), 0o640); err != nil {
		t.Fatal(err)
	}
	one.RotateSize, one.RotateAge, one.Keep = 0, time.Hour, 0
	if f, err = openFile(newRunner(one, Config{})); err != nil {
		t.Fatal(err)
	}
	defer f.close()
	for range 2 {
		if _, err := f.write(line); err != nil {
			t.Fatal(err)
		}
	}
	if got := lines(t, path); got != 2 {
		t.Errorf("got %d records, want the 2 of the new file", got)
	}
}

// TestFullDisk has a device that takes nothing in the file's place: what is lost
// is counted, and the sink goes on when there is room.
func TestFullDisk(t *testing.T) {
	path := filepath.Join(t.TempDir(), "flows.jsonl")
	if err := os.Symlink("/dev/full", path); err != nil {
		t.Fatal(err)
	}
	var log syncBuffer
	s := New(Config{Log: textLog(&log)})
	defer s.Close()
	s.Use([]artifact.Sink{fileSink(path)})
	s.Offer(0, flowOf("a"))
	eventually(t, "a fault", func() bool { return strings.Contains(s.Status()[0].Fault, "not a regular file") })
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	eventually(t, "recovery", func() bool { st := s.Status()[0]; return st.Fault == "" && st.Bytes > 0 })
	if got := lines(t, path); got != 1 {
		t.Errorf("got %d records, want the one that waited", got)
	}
	if n := strings.Count(log.String(), "open sink"); n != 1 {
		t.Errorf("the fault was logged %d times:\n%s", n, log.String())
	}
}

// TestTap says that another engine reaches the sinks of its own bundle alone,
// wherever they stand in the list by now.
func TestTap(t *testing.T) {
	dir := t.TempDir()
	a, b := fileSink(filepath.Join(dir, "a")), fileSink(filepath.Join(dir, "b"))
	s := New(Config{})
	tap := s.Tap()
	tap.Use([]artifact.Sink{b, a})
	tap.Offer(0, flowOf("too early"))
	s.Use([]artifact.Sink{a, b})
	tap.Offer(0, flowOf("x"))
	hidden := b
	hidden.Privacy.Addresses = artifact.DiscloseNone
	s.Use([]artifact.Sink{a, hidden})
	tap.Offer(0, flowOf("for a sink that is told less now"))
	tap.Offer(1, flowOf("y"))
	s.Close()
	if n, m := lines(t, a.Path), lines(t, b.Path); n != 1 || m != 1 {
		t.Errorf("got %d and %d records, want one each", n, m)
	}
}

// TestQueueIsBounded offers more than fits while the place cannot be opened.
func TestQueueIsBounded(t *testing.T) {
	one := fileSink(filepath.Join(t.TempDir(), "none", "none", "flows.jsonl"))
	one.Queue = 10_000
	s := New(Config{})
	defer s.Close()
	s.Use([]artifact.Sink{one})
	r := flowOf("a")
	for range 1000 {
		s.Offer(0, r)
	}
	eventually(t, "a fault", func() bool { return s.Status()[0].Fault != "" })
	st := s.Status()[0]
	if st.Records == 0 || st.Records > 30 || st.Dropped["full"] != 1000-st.Records || !strings.Contains(st.Fault, "no such file") {
		t.Errorf("got %+v", st)
	}
	if n := testing.AllocsPerRun(100, func() { s.Offer(0, r) }); n != 0 {
		t.Errorf("an offer allocates %v times", n)
	}
}

func TestUnixClients(t *testing.T) {
	path := filepath.Join(t.TempDir(), "flows.sock")
	var log syncBuffer
	s := New(Config{Log: textLog(&log)})
	one := artifact.Sink{Name: "u", Kind: artifact.SinkUnix, Path: path, Queue: 256 << 10, Records: []string{"flow"}}
	s.Use([]artifact.Sink{one})
	eventually(t, "the socket", func() bool { _, err := os.Stat(path); return err == nil })
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o660 {
		t.Errorf("got mode %v (%v), want 0660", info.Mode(), err)
	}
	s.Offer(0, flowOf("nobody listens"))
	eventually(t, "an unheard record", func() bool { return s.Status()[0].Dropped["unheard"] == 1 })
	var readers []*bufio.Reader
	var conns []net.Conn
	for range 3 { // the last reads nothing
		conn, err := net.Dial("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		conns = append(conns, conn)
		readers = append(readers, bufio.NewReader(conn))
	}
	eventually(t, "three clients", func() bool { return s.Status()[0].Clients == 3 })
	const n = 5000
	go func() {
		for i := range n {
			s.Offer(0, flowOf(fmt.Sprint(i)))
			if i%50 == 0 {
				time.Sleep(time.Millisecond)
			}
		}
	}()
	var wg sync.WaitGroup
	for _, r := range readers[:2] {
		wg.Go(func() {
			for i := range n {
				line, err := r.ReadString('\n')
				if err != nil || !strings.Contains(line, fmt.Sprintf(`"host_server_name":"%d"`, i)) {
					t.Errorf("record %d: got %q, %v", i, line, err)
					return
				}
			}
		})
	}
	wg.Wait()
	eventually(t, "the slow client let go", func() bool { st := s.Status()[0]; return st.Clients == 2 && st.SlowClients == 1 })
	if !strings.Contains(log.String(), fmt.Sprintf("process %d of user", os.Getpid())) || !strings.Contains(log.String(), "too slow") {
		t.Errorf("the log does not say who was too slow:\n%s", log.String())
	}
	conns[0].Close()
	eventually(t, "a client that hung up", func() bool { return s.Status()[0].Clients == 1 })
	s.Offer(0, flowOf("last"))
	s.Close()
	if rest, err := io.ReadAll(readers[1]); err != nil || !strings.Contains(string(rest), "last") {
		t.Errorf("got %q, %v, want the record that waited when the sink was closed", rest, err)
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket is still there: %v", err)
	}
}

// shelf is a place that keeps what it is given.
type shelf struct {
	taken  []byte
	closed chan struct{}
}

func (s *shelf) write(lines []byte) (int, error) {
	s.taken = append(s.taken, lines...)
	return len(lines), nil
}

func (s *shelf) close() error {
	close(s.closed)
	return nil
}

// TestOpensOnce has a sink stop while its place is being opened: that one gets what waits and is closed,
// and no other is opened beside it.
func TestOpensOnce(t *testing.T) {
	for name, waits := range map[string]bool{"records wait": true, "nothing waits": false} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "flows.jsonl")
			r := newRunner(fileSink(path), Config{})
			if waits {
				r.queue.put(flowOf("x"))
			}
			coming, late := make(chan outcome), &shelf{closed: make(chan struct{})}
			r.coming = coming
			r.stop()
			time.AfterFunc(10*time.Millisecond, func() { coming <- outcome{target: late} })
			r.end(nil, nil)
			<-late.closed
			if n := bytes.Count(late.taken, []byte{'\n'}); n == 1 != waits {
				t.Errorf("it was given %d records", n)
			}
			if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("another one was opened: %v", err)
			}
		})
	}
}

// stalled is a client that takes nothing, for as long as it is given.
type stalled struct{ socket }

func (stalled) send([]byte, time.Duration) error {
	return &net.OpError{Op: "write", Err: os.ErrDeadlineExceeded}
}

// TestStalledClient says that a client is too slow that takes nothing, also if what waits for it has room.
func TestStalledClient(t *testing.T) {
	var log syncBuffer
	r := newRunner(artifact.Sink{Kind: artifact.SinkUnix, Queue: 1 << 20}, Config{Log: textLog(&log)})
	l, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	lines := newListener(r, l, 1)
	ours, theirs := net.Pipe()
	defer theirs.Close()
	lines.welcome(stalled{socket{ours}}, "a test")
	if _, err := lines.write([]byte("{}\n")); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is let go", func() bool { return r.slow.Load() == 1 && r.clients.Load() == 0 })
	if err := lines.close(); err != nil || !strings.Contains(log.String(), "too slow") {
		t.Errorf("got %v and the log\n%s", err, log.String())
	}
}

// TestLosses says that a sink says when somebody may read it who has not read all that it took,
// and which records it does not take.
func TestLosses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "flows.sock")
	s := New(Config{})
	defer s.Close()
	s.Use([]artifact.Sink{{Name: "u", Kind: artifact.SinkUnix, Path: path, Queue: 128 << 10, Records: []string{"flow"}}})
	tap := s.Tap()
	tap.Use([]artifact.Sink{s.slot(0).sink})
	eventually(t, "the socket", func() bool { _, err := os.Stat(path); return err == nil })
	before := s.Losses(0)
	for clients := range 2 {
		conn, err := net.Dial("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		eventually(t, "a client", func() bool { return s.Status()[0].Clients == clients+1 })
		if now := s.Losses(0); now == before || now != tap.Losses(0) {
			t.Errorf("client %d: got %d and %d by a tap after %d", clients, now, tap.Losses(0), before)
		} else {
			before = now
		}
	}
	if !s.Offer(0, flowOf("short")) || !tap.Offer(0, flowOf("short")) || s.Losses(0) != before {
		t.Error("a record with room was not taken, or others lost by it")
	}
	if long := flowOf(strings.Repeat("x", 128<<10)); s.Offer(0, long) || tap.Offer(0, long) || s.Offer(1, flowOf("short")) {
		t.Error("a record was taken without room, or by no sink")
	}
}

func TestTooManyClients(t *testing.T) {
	s := New(Config{})
	defer s.Close()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	s.Use([]artifact.Sink{{Name: "t", Kind: artifact.SinkTCP, Address: address, Queue: 1 << 16, Records: []string{"flow"}}})
	eventually(t, "the port", func() bool {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			conn.Close()
		}
		return err == nil
	})
	for range maxClients {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
	}
	eventually(t, "64 clients", func() bool { return s.Status()[0].Clients == maxClients })
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("got %v, want to be sent away", err)
	}
}

// TestPrivacy says that addresses of hosts of one's own and names of servers are
// told as a sink is to be told them, and no more.
// TestPrivacyOfAggregates says that rows of hosts are not told as what they are, also
// where both sides of a flow are local.
func TestPrivacyOfAggregates(t *testing.T) {
	local := netip.MustParseAddr("192.168.1.7")
	r := &record.Aggregate{Head: record.Head{Type: record.KindAggregate}, Rows: []record.AggregateRow{
		{LocalIP: local, LocalMAC: "aa:bb:cc:dd:ee:ff", OtherIP: netip.MustParseAddr("198.51.100.1")},
		{LocalIP: local, OtherIP: netip.MustParseAddr("192.168.1.8"), OtherIsLocal: true},
	}}
	for name, p := range map[string]artifact.Privacy{"hash": {Addresses: artifact.DiscloseHash}, "drop": {Addresses: artifact.DiscloseNone}} {
		got := string(newRedactor(p, [32]byte{1}).redact(r).AppendJSON(nil))
		if strings.Contains(got, "192.168.1") || strings.Contains(got, "aa:bb") || !strings.Contains(got, "198.51.100.1") {
			t.Errorf("%s: got %s", name, got)
		}
		if name == "hash" && strings.Count(got, `"local_ip":"100::`) != 2 {
			t.Errorf("%s: got %s, want two pseudonyms", name, got)
		}
	}
	if r.Rows[0].LocalIP != local {
		t.Error("another sink's rows lost their addresses")
	}
}

func TestPrivacy(t *testing.T) {
	r := &record.PolicyMatch{FlowHead: record.FlowHead{Head: record.Head{Type: record.KindPolicyMatch}}}
	d := &r.Flow
	d.LocalIP, d.LocalMAC = netip.MustParseAddr("192.168.1.7"), "aa:bb:cc:dd:ee:ff"
	d.OtherIP, d.OtherMAC, d.OtherType = netip.MustParseAddr("198.51.100.1"), "00:11:22:33:44:55", "remote"
	d.HostName, d.SSL.ClientSNI, d.HTTP.URL, d.SSL.SubjectDN = "a.b.example.com", "a.b.example.com", "a.b.example.com/x", "CN=a.b.example.com"
	d.Rendered = &record.Rendered{}
	_ = r.AppendMsgpack(r.AppendJSON(nil)) // another sink was told all, and what it was told is remembered
	r.Policy.Evidence = []record.Attribute{{Name: "local_ip", Value: "192.168.1.7"}, {Name: "hostname", Value: "a.b.example.com"}, {Name: "application", Value: "zoom"}}
	text := func(p artifact.Privacy, key byte) string {
		return string(newRedactor(p, [32]byte{key}).redact(r).AppendJSON(nil))
	}
	hash := artifact.Privacy{Addresses: artifact.DiscloseHash}
	for name, tt := range map[string]struct {
		in         artifact.Privacy
		have, lack []string
	}{
		"hash":   {hash, []string{`"local_ip":"100::`, `"local_mac":"02:`, "198.51.100.1", "00:11:22", "a.b.example.com"}, []string{"192.168.1.7", "aa:bb"}},
		"drop":   {artifact.Privacy{Addresses: artifact.DiscloseNone}, []string{"198.51.100.1", "zoom"}, []string{"local_ip\":", "local_mac", "192.168.1.7"}},
		"domain": {artifact.Privacy{Names: artifact.DiscloseDomain}, []string{`"host_server_name":"example.com"`, "192.168.1.7"}, []string{"b.example.com", "url", "CN="}},
		"none":   {artifact.Privacy{Names: artifact.DiscloseNone}, []string{"192.168.1.7"}, []string{"example.com"}},
	} {
		got := text(tt.in, 1)
		for _, s := range tt.have {
			if !strings.Contains(got, s) {
				t.Errorf("%s: no %s in %s", name, s, got)
			}
		}
		for _, s := range tt.lack {
			if strings.Contains(got, s) {
				t.Errorf("%s: %s in %s", name, s, got)
			}
		}
	}
	if first := text(hash, 1); first != text(hash, 1) || first == text(hash, 2) {
		t.Error("a pseudonym must be the same for the same key, and another for another")
	}
	e := &record.Endpoints{Head: record.Head{Type: record.KindEndpoints}, Hosts: []record.Endpoint{{MAC: "aa:bb:cc:dd:ee:ff", Addresses: []netip.Addr{d.LocalIP}}}}
	if got := string(newRedactor(hash, [32]byte{1}).redact(e).AppendJSON(nil)); strings.Contains(got, "aa:bb") || !strings.Contains(got, "100::") || e.Hosts[0].Addresses[0] != d.LocalIP {
		t.Errorf("got endpoints %s", got)
	}
}

// BenchmarkUnix sends records to a client of a unix socket, all of which must
// arrive.
func BenchmarkUnix(b *testing.B) {
	path := filepath.Join(b.TempDir(), "flows.sock")
	s := New(Config{})
	defer s.Close()
	s.Use([]artifact.Sink{{Name: "u", Kind: artifact.SinkUnix, Path: path, Queue: 4 << 20, Records: []string{"flow"}}})
	var conn net.Conn
	for err := errors.New(""); err != nil; conn, err = net.Dial("unix", path) {
		time.Sleep(time.Millisecond)
	}
	for s.Status()[0].Clients == 0 {
		time.Sleep(time.Millisecond)
	}
	done := make(chan int)
	var arrived atomic.Int64
	go func() {
		n := 0
		buf := make([]byte, 1<<20)
		for {
			k, err := conn.Read(buf)
			n += bytes.Count(buf[:k], []byte{'\n'})
			arrived.Store(int64(n))
			if err != nil || n >= b.N {
				done <- n
				return
			}
		}
	}()
	r := flowOf("us04web.zoom.us")
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		for i%100 == 0 && int64(i)-arrived.Load() > 2000 { // the client is to keep up
			time.Sleep(50 * time.Microsecond)
		}
		s.Offer(0, r)
	}
	if n := <-done; n != b.N {
		b.Errorf("%d of %d arrived", n, b.N)
	}
	conn.Close()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
}
