//go:build sink_nats && sink_mqtt

package sink

import (
	"bytes"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/netpol/netpol/compiler/artifact"
)

// inLetter are the host names in a message, which is what it says to be.
func inLetter(t *testing.T, media, encoding string, body []byte) (names []string) {
	t.Helper()
	in, err := unpacked(encoding, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(in)
	if err != nil || media != "application/x-ndjson" {
		t.Fatalf("%v, %s", err, media)
	}
	for line := range bytes.Lines(text) {
		names = append(names, hostIn(line))
	}
	return names
}

// offerOfTwo offers records of two applications by turns.
func offerOfTwo(s *Set, n int) {
	for i := range n {
		r := flowOf(fmt.Sprint("host", i))
		r.Flow.ApplicationName = []string{"even", "odd"}[i%2]
		s.Offer(0, r)
	}
}

// TestMQTTBatches has a message of MQTT hold up to a hundred records, compressed: those of
// one topic, all of them once and in order.
func TestMQTTBatches(t *testing.T) {
	b := newBroker(t)
	in := b.subscribe()
	for qos, compress := range []string{"", "gzip", "zstd"} {
		if compress == "zstd" && !haveZstd {
			continue
		}
		one := b.sink(qos)
		one.Batch, one.Compress = 100, compress
		s := New(Config{})
		s.Use([]artifact.Sink{one})
		offerOfTwo(s, 1000)
		before := in.len()
		got := map[string][]string{}
		eventually(t, "a thousand records", func() bool {
			got = map[string][]string{}
			in.mu.Lock()
			defer in.mu.Unlock()
			sum := 0
			for _, p := range in.list[before:] {
				names := inLetter(t, p.Properties.ContentType, p.Properties.User.Get("content-encoding"), p.Payload)
				if len(names) > 100 {
					t.Fatalf("%d records are in a message", len(names))
				}
				got[p.Topic], sum = append(got[p.Topic], names...), sum+len(names)
			}
			return sum == 1000
		})
		if n := in.len() - before; n > 20 {
			t.Errorf("%d messages came, and ten of each topic would do", n)
		}
		for i := range 1000 {
			topic := "netpol/flow/" + []string{"even", "odd"}[i%2]
			if qos == 0 && got[topic][i/2] != fmt.Sprint("host", i) {
				t.Fatalf("record %d of %s is %s", i/2, topic, got[topic][i/2])
			}
		}
		if st := s.Status()[0]; st.Fault != "" || len(st.Dropped) > 0 {
			t.Errorf("got %+v", st)
		}
		s.Close()
	}
}

// TestNATSBatches has one of NATS do so, which stays below what the server takes, and kills the
// server between.
func TestNATSBatches(t *testing.T) {
	n := newNATS(t, "max_payload: 16KB")
	n.stream(jetstream.StreamConfig{Subjects: []string{"netpol.>"}})
	one := n.sink()
	one.Batch, one.Compress, one.Stream = 100, "gzip", "NETPOL"
	s := New(Config{})
	defer s.Close()
	s.Use([]artifact.Sink{one})
	offerOfTwo(s, 1000)
	eventually(t, "a write", func() bool { return s.Status()[0].Bytes > 0 })
	n.stop()
	offerOfTwo(s, 1000)
	eventually(t, "a fault", func() bool { return s.Status()[0].Fault != "" })
	n.start()
	got := make(chan *nats.Msg, 3000)
	js, err := n.client().JetStream()
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "no fault", func() bool { return s.Status()[0].Fault == "" })
	if _, err := js.ChanSubscribe("netpol.>", got, nats.DeliverAll()); err != nil {
		t.Fatal(err)
	}
	times := map[string]int{}
	for sum := 0; sum < 2000; {
		select {
		case m := <-got:
			for _, name := range inLetter(t, m.Header.Get("Content-Type"), m.Header.Get("Content-Encoding"), m.Data) {
				times[name]++
				sum++
			}
		case <-time.After(20 * time.Second):
			t.Fatalf("%d of 2000 records came: %+v", sum, s.Status()[0])
		}
	}
	for name, n := range times {
		if n != 2 {
			t.Errorf("%s came %d times, and was offered twice", name, n)
		}
	}
	if st := s.Status()[0]; len(st.Dropped) > 0 {
		t.Errorf("got %+v", st)
	}
}
