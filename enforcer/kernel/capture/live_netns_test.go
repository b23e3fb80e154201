package capture

import (
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"github.com/netpol/netpol/enforcer/kernel/kerneltest"
	"github.com/netpol/netpol/enforcer/packet"
)

// TestLiveIsWoken: whoever asks the engine something need not wait for packets,
// however long there were none, and packets are found in both ways of waiting.
func TestLiveIsWoken(t *testing.T) {
	ns := kerneltest.NewNS(t)
	ns.Enter()
	ns.Run("ip", "link", "set", "lo", "up")
	ns.Run("nft", "add table inet t; add chain inet t c { type filter hook output priority 0; }; add rule inet t c log group 7; add rule inet t c log group 8")
	l, err := OpenLive(LiveConfig{Groups: []uint16{7, 8}})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var r packet.Raw
	// In the kernel for the first waits, then in Go's poller. A busy machine may
	// make any one wait late; a wake-up that is lost makes all of them late.
	for way, waits := range []int{quietAfter, quietAfter} {
		prompt := 0
		for range waits {
			l.Wake()
			began := time.Now()
			if err := l.Next(&r); !errors.Is(err, packet.ErrIdle) {
				t.Fatalf("woken, got %v", err)
			}
			if time.Since(began) < idleWait/2 {
				prompt++
			}
		}
		if prompt == 0 {
			t.Errorf("way %d of waiting: Wake did not end any of %d waits", way, waits)
		}
		if err := l.Next(&r); !errors.Is(err, packet.ErrIdle) {
			t.Fatalf("got %v", err)
		}
	}
	in, err := net.ListenPacket("udp", "127.0.0.1:9000") // in the namespace that this thread has entered
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	for _, pause := range []time.Duration{0, 2 * idleWait} {
		time.AfterFunc(pause, func() { _, _ = in.WriteTo([]byte("x"), in.LocalAddr()) })
		for got := 0; got < 2; { // one of each group
			switch err := l.Next(&r); {
			case err == nil:
				got++
			case !errors.Is(err, packet.ErrIdle):
				t.Fatal(err)
			}
		}
	}
	closed := make(chan error)
	go func() { closed <- l.Next(&r) }()
	time.Sleep(10 * time.Millisecond)
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if err := <-closed; !errors.Is(err, io.EOF) && !errors.Is(err, packet.ErrIdle) {
		t.Errorf("after Close: %v", err)
	}
}
