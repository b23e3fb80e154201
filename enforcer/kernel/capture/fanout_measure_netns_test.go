//go:build linux

package capture

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/google/gopacket/layers"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/netpol/netpol/enforcer/kernel/kerneltest"
	"github.com/netpol/netpol/enforcer/packet"
)

// threadTime is the processor time of the calling thread so far.
func threadTime(t *testing.T) time.Duration {
	t.Helper()
	var use unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_THREAD, &use); err != nil {
		t.Fatal(err)
	}
	return time.Duration(use.Utime.Nano() + use.Stime.Nano())
}

// TestFanoutThroughput: what reading and decoding a packet costs its worker, and the
// sender, who does the kernel's part, with one and with two workers.
func TestFanoutThroughput(t *testing.T) {
	if os.Getenv("NETPOL_MEASURE") == "" {
		t.Skip("NETPOL_MEASURE is not set")
	}
	for range 3 {
		for _, workers := range []int{1, 2} {
			t.Run(fmt.Sprintf("workers=%d", workers), func(t *testing.T) { measureFanout(t, workers) })
		}
	}
}

func measureFanout(t *testing.T, workers int) {
	const packets, pairs = 1_000_000, 256
	lab := kerneltest.NewLab(t)
	var rings *Rings
	var err error
	rings, err = OpenRings(RingConfig{
		Interface: kerneltest.ClientDevice, Promiscuous: true, Incoming: true, Workers: workers,
		Socket: func() (fd int, err error) {
			lab.Router.Do(func() { fd, err = openPacketSocket() })
			return fd, err
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	used := make([]time.Duration, workers)
	for i, ring := range rings.List() {
		all.Go(func() {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			var raw packet.Raw
			var p packet.Parsed
			for before := threadTime(t); ; {
				switch err := ring.Next(&raw); {
				case errors.Is(err, io.EOF):
					used[i] = threadTime(t) - before
					return
				case err == nil:
					packet.Decode(&raw, &p)
				}
			}
		})
	}
	sent := sendPairs(t, lab, packets, pairs)
	time.Sleep(200 * time.Millisecond)
	stats := rings.Stats()
	var each []uint64
	for _, ring := range rings.List() {
		each = append(each, ring.Stats().Packets)
	}
	if err := rings.Close(); err != nil {
		t.Error(err)
	}
	all.Wait()
	var read time.Duration
	for _, d := range used {
		read += d
	}
	t.Logf("%d workers: %.0f packets/s sent, %v read by each, %d lost; a packet cost the sender %v, its worker %v", workers,
		packets/sent.wall.Seconds(), each, stats.Lost, sent.cpu/packets, read/time.Duration(max(1, stats.Packets)))
}

type sending struct{ wall, cpu time.Duration }

// sendPairs sends datagrams of as many pairs of hosts in turn from the client's end,
// as fast as one thread can.
func sendPairs(t *testing.T, lab *kerneltest.Lab, packets, pairs int) (s sending) {
	t.Helper()
	var frames [][]byte
	for pair := range pairs {
		b := frame(t, lab, 0, pairIPv4(pair, false), &layers.UDP{SrcPort: 5000, DstPort: 5001})
		copy(b, []byte{2, 0, 0x5e, 0x10, 0, 2}) // to another host: the router has no more to do with it
		frames = append(frames, b)
	}
	fd := -1
	var err error
	lab.Client.Do(func() {
		var l netlink.Link
		if l, err = netlink.LinkByName("eth0"); err != nil {
			return
		}
		if fd, err = openPacketSocket(); err == nil {
			err = unix.Bind(fd, &unix.SockaddrLinklayer{Ifindex: l.Attrs().Index})
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = unix.Close(fd) }()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	began, before := time.Now(), threadTime(t)
	for n := range packets {
		for {
			if _, err := unix.Write(fd, frames[n%pairs]); !errors.Is(err, unix.ENOBUFS) && !errors.Is(err, unix.EINTR) {
				break
			}
		}
	}
	return sending{time.Since(began), threadTime(t) - before}
}
