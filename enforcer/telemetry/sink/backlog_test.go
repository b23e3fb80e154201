//go:build sink_nats && sink_mqtt

package sink

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/netpol/netpol/compiler/artifact"
)

// spooled is a sink with a spool and a queue that is much too small.
func (n *natsServer) spooled(dir string) artifact.Sink {
	one := n.sink()
	one.Stream, one.Topic, one.Queue, one.Spool, one.SpoolSize = "NETPOL", "netpol.{type}", 128<<10, dir, 64<<20
	return one
}

// offerSlowly offers records at a pace that a disk keeps up with.
func offerSlowly(s *Set, name string, n int) {
	for i := range n {
		s.Offer(0, flowOf(fmt.Sprint(name, i)))
		for s.slot(0).queue.halfFull() {
			time.Sleep(time.Millisecond)
		}
	}
}

// TestSpoolOverOutages has no server while ten times as much comes as the queue has
// room for, goes over to another bundle meanwhile, ends and begins again: all
// arrives, once and in order.
func TestSpoolOverOutages(t *testing.T) {
	n := newNATS(t, "")
	n.stream(jetstream.StreamConfig{Subjects: []string{"netpol.>"}})
	n.stop()
	dir := filepath.Join(t.TempDir(), "spool")
	s := New(Config{})
	one := n.spooled(dir)
	use(t, s, one)
	offerSlowly(s, "a", 3000)
	eventually(t, "records on disk", func() bool { return s.Status()[0].SpoolRecords > 2500 })
	one.Topic = "netpol.other.{type}" // another sink, and the same spool
	use(t, s, one)
	offerSlowly(s, "b", 3000)
	s.Close()
	if left, err := filepath.Glob(filepath.Join(dir, "*.spool")); err != nil || len(left) == 0 {
		t.Fatalf("nothing is on disk: %v (%v)", left, err)
	}

	s = New(Config{})
	defer s.Close()
	use(t, s, one)
	eventually(t, "what is on disk", func() bool { return s.Status()[0].SpoolRecords == 6000 })
	offerSlowly(s, "c", 3000)
	n.start()
	var names map[string]int
	eventually(t, "all records", func() bool { _, names = n.stored(); return len(names) == 9000 })
	for name, times := range names {
		if times != 1 {
			t.Fatalf("%s is stored %d times", name, times)
		}
	}
	if order := n.order(); strings.Join(order, "") != "abc" {
		t.Errorf("got the order %q", order)
	}
	eventually(t, "an empty spool", func() bool { st := s.Status()[0]; return st.SpoolRecords == 0 && st.SpoolBytes == 0 })
	if st := s.Status()[0]; st.Fault != "" || len(st.Dropped) > 0 {
		t.Errorf("got %+v", st)
	}
	offerSlowly(s, "d", 10)
	eventually(t, "what comes after", func() bool { sum, _ := n.stored(); return sum == 9010 })
}

// order is the letters that names in the stream begin with, each once where it
// stands next to its like; it fails if numbers are not in order.
func (n *natsServer) order() (letters []string) {
	n.t.Helper()
	last := -1
	for _, name := range n.names() {
		if letter := name[:1]; len(letters) == 0 || letters[len(letters)-1] != letter {
			letters, last = append(letters, letter), -1
		}
		var i int
		if _, err := fmt.Sscan(name[1:], &i); err != nil || i != last+1 {
			n.t.Fatalf("%s comes after %d", name, last)
		}
		last = i
	}
	return letters
}

// TestSpoolKilled kills the program that offers, twice: what was on disk arrives
// when it runs again.
func TestSpoolKilled(t *testing.T) {
	const planIn = "NETPOL_SPOOL_SINK"
	if plan := os.Getenv(planIn); plan != "" {
		var one artifact.Sink
		if err := json.Unmarshal([]byte(plan), &one); err != nil {
			t.Fatal(err)
		}
		s := New(Config{})
		use(t, s, one)
		for i := 0; ; i++ {
			s.Offer(0, flowOf(fmt.Sprintf("%s-%d", one.Name, i)))
			time.Sleep(100 * time.Microsecond)
			if i%1000 == 0 {
				st, _ := json.Marshal(s.Status()[0])
				fmt.Printf("STATUS %s\n", st)
			}
		}
	}
	n := newNATS(t, "")
	n.stream(jetstream.StreamConfig{Subjects: []string{"netpol.>"}})
	n.stop()
	one := n.spooled(t.TempDir())
	kept := 0
	for _, name := range []string{"one", "two"} {
		one.Name = name
		kept = runKilled(t, planIn, one)
	}
	n.start()
	s := New(Config{})
	defer s.Close()
	s.Use([]artifact.Sink{one})
	var names map[string]int
	eventually(t, "what was on disk", func() bool {
		_, names = n.stored()
		return s.Status()[0].SpoolRecords == 0 && s.Status()[0].Fault == "" && len(names) >= kept
	})
	t.Logf("%d records were on disk when the program was last asked, %d arrived", kept, len(names))
	for _, name := range []string{"one", "two"} {
		for i := 0; names[fmt.Sprintf("%s-%d", name, i)] > 0; i++ {
			delete(names, fmt.Sprintf("%s-%d", name, i))
		}
	}
	if len(names) > 0 {
		t.Errorf("%d records have none before them", len(names))
	}
}

// runKilled runs the program until it has some thousand records on disk, kills it,
// and says how many it last had.
func runKilled(t *testing.T, planIn string, one artifact.Sink) (kept int) {
	t.Helper()
	plan, err := json.Marshal(one)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestSpoolKilled$")
	cmd.Env = append(os.Environ(), planIn+"="+string(plan))
	var out syncBuffer
	cmd.Stdout = &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer kill(cmd)
	before := -1
	eventually(t, "records on disk", func() bool {
		for line := range strings.Lines(out.String()) {
			var st struct {
				Spooled int `json:"spool_records"`
			}
			if text, ok := strings.CutPrefix(line, "STATUS "); ok && json.Unmarshal([]byte(text), &st) == nil {
				if kept = st.Spooled; before < 0 {
					before = kept
				}
			}
		}
		return kept > before+3000
	})
	kill(cmd)
	return kept
}

// TestSpoolFull drops the oldest records, counts them, and the rest arrives.
func TestSpoolFull(t *testing.T) {
	n := newNATS(t, "")
	n.stream(jetstream.StreamConfig{Subjects: []string{"netpol.>"}})
	n.stop()
	s := New(Config{})
	defer s.Close()
	one := n.spooled(t.TempDir())
	one.SpoolSize = 1 << 20
	use(t, s, one)
	offerSlowly(s, "a", 6000)
	eventually(t, "records to be shed", func() bool { st := s.Status()[0]; return st.Dropped["shed"] > 0 && st.SpoolBytes <= 1<<20 })
	if s.Losses(0) == 0 {
		t.Error("nobody hears of records that were shed")
	}
	n.start()
	eventually(t, "the rest", func() bool {
		st := s.Status()[0]
		sum, names := n.stored()
		return st.SpoolRecords == 0 && st.Fault == "" && sum > 0 && int(sum)+int(st.Dropped["shed"]) >= 6000 && names["a5999"] == 1
	})
}

// TestSpoolUnusable goes without a spool where there cannot be one, and says so.
func TestSpoolUnusable(t *testing.T) {
	n := newNATS(t, "")
	n.stream(jetstream.StreamConfig{Subjects: []string{"netpol.>"}})
	var log syncBuffer
	s := New(Config{Log: textLog(&log)})
	defer s.Close()
	s.Use([]artifact.Sink{n.spooled("/dev/null/spool")})
	s.Offer(0, flowOf("a"))
	eventually(t, "the record", func() bool { sum, _ := n.stored(); return sum == 1 })
	if st := s.Status()[0]; !strings.HasPrefix(st.Fault, "spool: mkdir /dev/null") || !strings.Contains(log.String(), "spool of sink") {
		t.Errorf("got %+v, log %s", st, log.String())
	}
}

// TestMQTTSpool keeps records on disk while the broker does not take the
// password.
func TestMQTTSpool(t *testing.T) {
	b := newBroker(t)
	in := b.subscribe()
	password := secretFile(t, "wrong")
	one := b.sink(1)
	one.URL, one.CAFile = fmt.Sprintf("mqtts://127.0.0.1:%d", b.secured), b.ca
	one.Username, one.PasswordFile = "router", password
	one.Queue, one.Spool, one.SpoolSize = 128<<10, t.TempDir(), 64<<20
	s := New(Config{})
	defer s.Close()
	s.Use([]artifact.Sink{one})
	eventually(t, "a refusal", func() bool { return s.Status()[0].Fault != "" })
	offerSlowly(s, "a", 2000)
	eventually(t, "records on disk", func() bool { return s.Status()[0].SpoolRecords > 1500 })
	if err := os.WriteFile(password, []byte("sesame\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	eventually(t, "all records", func() bool {
		in.mu.Lock()
		defer in.mu.Unlock()
		for _, p := range in.list {
			names[hostIn(bytes.Clone(p.Payload))] = true
		}
		in.list = nil
		return len(names) == 2000
	})
	if st := s.Status()[0]; st.Fault != "" || len(st.Dropped) > 0 {
		t.Errorf("got %+v", st)
	}
}
