package sink

import (
	"net"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/telemetry/record"
)

// typical is a flow_end as a router tells of a TLS connection.
func typical() *record.FlowEnd {
	r := connection(1)
	r.SchemaVersion, r.Timestamp, r.Interface, r.Internal = record.SchemaVersion, 1795351500021, "lan0", true
	d := &r.Flow.Detail
	d.SSL = record.SSL{
		Version: 0x0304, CipherSuite: 0x1301, ClientSNI: d.HostName, ClientJA4: "t13d1516h2_8daaf6152771_02713d6af862",
		ServerJA4: "t130200_1301_234ea6891581", ALPN: "h2,http/1.1", ALPNServer: "h2", HelloWasRead: true,
	}
	d.Category = record.Category{Application: "video-conference", Protocol: "web", Domain: "video-conference"}
	d.Evidence, d.Confidence, d.Complete, d.OtherType = "sni", 100, true, "remote"
	return r
}

// BenchmarkFlowRecordToUnixSocket offers records to a sink whose one client reads them
// all, and gives what it costs in processor time, the kernel's included, on both sides: the
// reader is in the same process. Nothing is dropped: what offers wait for is
// that the reader has caught up.
func BenchmarkFlowRecordToUnixSocket(b *testing.B) {
	for name, encoding := range map[string]artifact.Encoding{"json": artifact.EncodingJSON, "msgpack": artifact.EncodingMsgpack} {
		b.Run(name, func(b *testing.B) { benchmarkSocket(b, encoding) })
	}
}

func benchmarkSocket(b *testing.B, encoding artifact.Encoding) {
	const queue = 8 << 20
	path := filepath.Join(b.TempDir(), "s")
	s := New(Config{})
	s.Use([]artifact.Sink{{Name: "b", Kind: artifact.SinkUnix, Path: path, Queue: queue, Encoding: encoding, Records: []string{"flow_end"}}})
	var conn net.Conn
	for conn == nil {
		time.Sleep(time.Millisecond)
		conn, _ = net.Dial("unix", path)
	}
	for s.Status()[0].Clients == 0 {
		time.Sleep(time.Millisecond)
	}
	var read atomic.Int64
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 256<<10)
		for {
			n, err := conn.Read(buf)
			if read.Add(int64(n)); err != nil {
				return
			}
		}
	}()
	r := typical()
	size := int64(len(s.slot(0).add(nil, r, queue)))
	var offered int64
	before := processorTime()
	b.ReportAllocs()
	b.ResetTimer()
	for b.Loop() {
		if offered++; offered%1000 == 0 {
			for offered*size-read.Load() > queue/4 {
				time.Sleep(100 * time.Microsecond)
			}
		}
		s.Offer(0, r)
	}
	b.StopTimer()
	s.Close()
	<-done
	conn.Close()
	b.ReportMetric(float64(b.N)/(processorTime()-before).Seconds(), "records/core-s")
	b.ReportMetric(float64(read.Load())/float64(b.N), "B/record")
	if st := s.Status()[0]; len(st.Dropped) > 0 || st.SlowClients > 0 {
		b.Fatalf("got %+v", st)
	}
}

// processorTime is what this process has used, user and kernel.
func processorTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// TestOffersAllocateNothing holds for records that wait in a queue, in each encoding.
func TestOffersAllocateNothing(t *testing.T) {
	for name, one := range map[string]artifact.Sink{
		"json":    {Kind: artifact.SinkUnix, Queue: 1 << 20},
		"msgpack": {Kind: artifact.SinkUnix, Queue: 1 << 20, Encoding: artifact.EncodingMsgpack},
		"ipfix":   ipfixSink("udp", "192.0.2.1:1"),
	} {
		r := newRunner(one, Config{})
		end := typical()
		spare := make([]byte, 0, one.Queue)
		r.queue.put(end)
		if n := testing.AllocsPerRun(100, func() {
			r.queue.put(end)
			spare = r.queue.take(spare)
		}); n != 0 {
			t.Errorf("%s: got %v allocations, want 0", name, n)
		}
	}
}
