//go:build sink_http && sink_mqtt && sink_nats && sink_kafka && sink_otlp && sink_tls

package sink

import (
	"net"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/netpol/netpol/compiler/artifact"
)

// TestStopsWhileServersHang has servers that take connections and never say anything: all sinks
// together are closed within half of the time that systemd gives netpold, and what was given to
// one with a spool is on disk.
func TestStopsWhileServersHang(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var mu sync.Mutex
	var conns []net.Conn
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			conns = append(conns, conn)
			mu.Unlock()
		}
	}()
	defer func() {
		mu.Lock()
		defer mu.Unlock()
		for _, c := range conns {
			c.Close()
		}
	}()
	at, flows := l.Addr().String(), []string{"flow"}
	list := []artifact.Sink{
		{Name: "http", Kind: artifact.SinkHTTP, URL: "http://" + at, Spool: filepath.Join(t.TempDir(), "spool"), SpoolSize: 16 << 20},
		{Name: "otlp", Kind: artifact.SinkOTLP, URL: "http://" + at},
		{Name: "grpc", Kind: artifact.SinkOTLP, Transport: "grpc", URL: "http://" + at},
		{Name: "https", Kind: artifact.SinkHTTP, URL: "https://" + at},
		{Name: "mqtt", Kind: artifact.SinkMQTT, URL: "mqtt://" + at, Topic: "t", QoS: 1},
		{Name: "nats", Kind: artifact.SinkNATS, Servers: []string{"nats://" + at}, Topic: "t", Stream: "T"},
		{Name: "kafka", Kind: artifact.SinkKafka, Servers: []string{at}, Topic: "t"},
		{Name: "tls", Kind: artifact.SinkSyslog, Transport: "tls", Address: at},
		{Name: "tcp", Kind: artifact.SinkSyslog, Transport: "tcp", Address: at},
	}
	for i := range list {
		list[i].Queue, list[i].Records = 8<<20, flows
	}
	s := New(Config{})
	s.Use(list)
	eventually(t, "a spool", func() bool { return s.slot(0).kept.isOpen() })
	for range 10_000 { // more than sockets hold
		for i := range list {
			s.Offer(i, flowOf("x"))
		}
	}
	time.Sleep(2 * time.Second) // until what goes together is under way
	begun := time.Now()
	s.Close()
	if took := time.Since(begun); took > 5*time.Second {
		t.Errorf("it took %v", took)
	}
	for _, st := range s.Status() {
		if st.Name == "http" && (st.SpoolRecords != 10_000 || len(st.Dropped) > 0) {
			t.Errorf("of the one with a spool: %+v", st)
		}
		if st.Name == "grpc" && st.Dropped["failed"] == 0 {
			t.Errorf("what was lost is not counted: %+v", st)
		}
	}
}
