//go:build sink_http && sink_mqtt && sink_nats && sink_kafka && sink_otlp && sink_tls

package sink

import (
	"net"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/telemetry/record"
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

// TestReconnectsLeakNothing has each kind of sink that connects meet a server that resets its
// connections, a thousand times: neither goroutines nor files nor memory become more.
func TestReconnectsLeakNothing(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_ = conn.(*net.TCPConn).SetLinger(0)
			conn.Close()
		}
	}()
	at := l.Addr().String()
	for _, one := range []artifact.Sink{
		{Name: "http", Kind: artifact.SinkHTTP, URL: "http://" + at},
		{Name: "https", Kind: artifact.SinkHTTP, URL: "https://" + at},
		{Name: "otlp", Kind: artifact.SinkOTLP, URL: "http://" + at},
		{Name: "grpc", Kind: artifact.SinkOTLP, Transport: "grpc", URL: "http://" + at},
		{Name: "grpcs", Kind: artifact.SinkOTLP, Transport: "grpc", URL: "https://" + at},
		{Name: "mqtt", Kind: artifact.SinkMQTT, URL: "mqtt://" + at, Topic: "t", QoS: 1},
		{Name: "nats", Kind: artifact.SinkNATS, Servers: []string{"nats://" + at}, Topic: "t", Stream: "T"},
		{Name: "kafka", Kind: artifact.SinkKafka, Servers: []string{at}, Topic: "t"},
		{Name: "syslog", Kind: artifact.SinkSyslog, Transport: "tcp", Address: at},
		{Name: "syslog-tls", Kind: artifact.SinkSyslog, Transport: "tls", Address: at},
		{Name: "ipfix", Kind: artifact.SinkIPFIX, Transport: "tcp", Address: at, MessageSize: 1400, TemplateInterval: time.Minute, TemplateMessages: 1000},
	} {
		t.Run(one.Name, func(t *testing.T) {
			one.Queue = 1 << 20
			r := newRunner(one, Config{})
			defer r.stop()
			end := &record.FlowEnd{FlowHead: record.FlowHead{Head: record.Head{Type: record.KindFlowEnd, SchemaVersion: 1}}}
			lines := r.add(nil, end, 1<<16)
			reconnect := func(times int) {
				for range times {
					if to, err := r.target(); err == nil {
						_, _ = to.write(lines)
						_ = to.close()
					}
				}
			}
			reconnect(20)
			before := resources(t)
			reconnect(1000)
			var after [3]int
			for range 50 { // what is closed may end a little later
				if after = resources(t); after[0] <= before[0]+2 && after[1] <= before[1]+2 {
					break
				}
				time.Sleep(100 * time.Millisecond)
			}
			t.Logf("goroutines, files, bytes: %v, then %v", before, after)
			if after[0] > before[0]+2 || after[1] > before[1]+2 || after[2] > before[2]+1<<20 {
				t.Errorf("goroutines, files, bytes: %v, and after 1000 connections %v", before, after)
			}
		})
	}
}

// resources are goroutines, open files and bytes of the heap that are in use.
func resources(t *testing.T) [3]int {
	t.Helper()
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return [3]int{runtime.NumGoroutine(), len(files), int(m.HeapAlloc)}
}
