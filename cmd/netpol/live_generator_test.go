package main

import (
	"encoding/binary"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/netpol/netpol/enforcer/kernel/kerneltest"
)

// generator sends datagrams of ever new connections from the client, each a frame
// of its own, as fast as one processor can: the thread that sends also does the
// router's work on them, up to the server.
type generator struct {
	t     *testing.T
	fd    int
	frame []byte // Ethernet, IPv4, UDP
}

const (
	etherBytes = 14
	ipBytes    = 20
	udpBytes   = 8
)

// newGenerator makes one that sends to the server.
func newGenerator(t *testing.T, lab *kerneltest.Lab, port uint16, payload []byte) *generator {
	t.Helper()
	var own, gateway netlink.Link
	var err error
	lab.Router.Do(func() { gateway, err = netlink.LinkByName(kerneltest.ClientDevice) })
	fd := -1
	lab.Client.Do(func() {
		if err == nil {
			own, err = netlink.LinkByName("eth0")
		}
		if err == nil {
			fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
		}
		if err == nil {
			err = unix.Bind(fd, &unix.SockaddrLinklayer{Ifindex: own.Attrs().Index})
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	g := &generator{t: t, fd: fd}
	g.frame = slices.Concat(gateway.Attrs().HardwareAddr, own.Attrs().HardwareAddr, []byte{8, 0})
	size := uint16(ipBytes + udpBytes + len(payload))
	ip := []byte{0x45, 0, byte(size >> 8), byte(size), 0, 0, 0x40, 0, 64, unix.IPPROTO_UDP, 0, 0}
	from, to := lab.ClientAddr4.As4(), lab.ServerAddr4.As4()
	ip = append(append(ip, from[:]...), to[:]...)
	udp := binary.BigEndian.AppendUint16(nil, 0)
	udp = binary.BigEndian.AppendUint16(udp, port)
	udp = binary.BigEndian.AppendUint16(udp, size-ipBytes)
	udp = append(udp, 0, 0) // no checksum (RFC 768)
	g.frame = slices.Concat(g.frame, ip, udp, payload)
	return g
}

// connection makes the next frames those of connection n: a source port, and
// every 50,000 another client's address.
func (g *generator) connection(n int) {
	ip := g.frame[etherBytes:]
	binary.BigEndian.PutUint16(ip[ipBytes:], uint16(10000+n%50000))
	ip[14], ip[15] = 77, byte(10+n/50000)
	ip[10], ip[11] = 0, 0
	sum := uint32(0)
	for i := 0; i < ipBytes; i += 2 {
		sum += uint32(binary.BigEndian.Uint16(ip[i:]))
	}
	for sum > 0xffff {
		sum = sum&0xffff + sum>>16
	}
	binary.BigEndian.PutUint16(ip[10:], ^uint16(sum))
}

// learnTheWay has the router find the server.
func (g *generator) learnTheWay() {
	g.connection(0)
	g.send()
	time.Sleep(200 * time.Millisecond)
}

func (g *generator) send() {
	for {
		_, err := unix.Write(g.fd, g.frame)
		if err == nil {
			return
		}
		if err != unix.ENOBUFS && err != unix.EINTR {
			g.t.Fatalf("send: %v", err)
		}
	}
}

// until busily waits for a moment.
func until(at time.Time) {
	for time.Now().Before(at) {
	}
}

// asTheWire has the calling thread's packets come as those of a wire do: they wait
// for no process of the router, and between them the processor is the router's.
// Such a thread's sleep is exact, but for the few µs in which it wakes up.
func asTheWire(t *testing.T) {
	t.Helper()
	attr := unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_FIFO, Priority: 1}
	if err := unix.SchedSetAttr(0, &attr, 0); err != nil {
		t.Fatal(err)
	}
}

// sleep waits for a moment without using the processor.
func sleep(until time.Time) {
	if left := time.Until(until); left > 0 {
		nap := unix.NsecToTimespec(left.Nanoseconds())
		_ = unix.Nanosleep(&nap, nil)
	}
}

// usage is what a process has used so far.
type usage struct {
	cpu      time.Duration // user and system
	resident int           // kB
	switches int           // that it made by waiting
}

// usageOf reads /proc/PID/stat (proc_pid_stat(5)), and the threads' own status.
func usageOf(t *testing.T, pid int) (u usage) {
	t.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	fields := strings.Fields(rest)
	for _, i := range []int{11, 12} { // utime and stime, in hundredths of a second
		ticks, _ := strconv.Atoi(fields[i])
		u.cpu += time.Duration(ticks) * 10 * time.Millisecond
	}
	tasks, _ := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	for _, task := range tasks {
		status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/status", pid, task.Name()))
		for line := range strings.Lines(string(status)) {
			var n int
			if _, err := fmt.Sscanf(line, "voluntary_ctxt_switches: %d", &n); err == nil {
				u.switches += n
			}
			if _, err := fmt.Sscanf(line, "VmRSS: %d kB", &n); err == nil {
				u.resident = n
			}
		}
	}
	return u
}

// stop ends netpold, which writes its profile then.
func (e *enforcer) stop() {
	_ = e.cmd.Process.Signal(unix.SIGTERM)
	_ = e.cmd.Wait()
}
