package lab

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Sighting is one packet that the observer saw arrive.
type Sighting struct {
	Time   time.Time
	TOS    uint8 // IPv4 type of service or IPv6 traffic class: DSCP << 2 | ECN
	TTL    uint8
	Proto  uint8 // IP protocol number
	Src    netip.AddrPort
	Dst    netip.AddrPort
	Length int // bytes of the IP packet
}

// DSCP is the packet's differentiated services code point (RFC 2474).
func (s Sighting) DSCP() uint8 { return s.TOS >> 2 }

// maxSightings bounds the observer's memory; a demo sees some hundreds, a
// played capture as many as it has packets.
const maxSightings = 1 << 20

// Observer listens on one interface for IP packets that arrive there, as
// tcpdump -Q in would.
type Observer struct {
	file   *os.File
	done   chan struct{}
	record *recording // nil for none

	mu   sync.Mutex
	seen []Sighting
}

// Observe starts an observer on an interface of ns. The caller must Close it.
func Observe(ns *Namespace, iface string) (*Observer, error) { return Record(ns, iface, nil) }

// Record is Observe that also writes every frame of both directions to w, as a
// pcap file.
func Record(ns *Namespace, iface string, w io.Writer) (*Observer, error) {
	record, err := newRecording(w)
	if err != nil {
		return nil, err
	}
	var fd int
	err = ns.Do(func() (err error) {
		fd, err = packetSocket(iface, unix.ETH_P_ALL)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("observe %s of %s: %w", iface, ns.Name, err)
	}
	o := &Observer{file: os.NewFile(uintptr(fd), "observer "+iface), done: make(chan struct{}), record: record}
	go o.run()
	return o, nil
}

// packetSocket opens a non-blocking AF_PACKET socket bound to an interface of
// the calling thread's namespace; protocol 0 receives nothing.
func packetSocket(iface string, protocol uint16) (int, error) {
	link, err := net.InterfaceByName(iface)
	if err != nil {
		return -1, err
	}
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return -1, fmt.Errorf("open packet socket: %w", err)
	}
	err = unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: networkOrder(protocol), Ifindex: link.Index})
	if err != nil {
		return -1, errors.Join(fmt.Errorf("bind packet socket: %w", err), unix.Close(fd))
	}
	return fd, nil
}

func networkOrder(v uint16) uint16 {
	return binary.NativeEndian.Uint16(binary.BigEndian.AppendUint16(nil, v))
}

func (o *Observer) run() {
	defer close(o.done)
	raw, err := o.file.SyscallConn()
	if err != nil {
		return
	}
	buf := make([]byte, maxMTU+ethernetLen)
	for {
		var n int
		var from unix.Sockaddr
		var received error
		err := raw.Read(func(fd uintptr) bool {
			n, from, received = unix.Recvfrom(int(fd), buf, 0)
			return !errors.Is(received, unix.EAGAIN)
		})
		if err != nil || received != nil {
			return
		}
		ll, ok := from.(*unix.SockaddrLinklayer)
		if !ok || n < ethernetLen {
			continue
		}
		o.record.write(buf[:n])
		if ll.Pkttype == unix.PACKET_OUTGOING {
			continue
		}
		if s, ok := sight(buf[ethernetLen:n]); ok {
			s.Time = time.Now()
			o.keep(s)
		}
	}
}

func (o *Observer) keep(s Sighting) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.seen) < maxSightings {
		o.seen = append(o.seen, s)
	}
}

// Sightings is what was seen so far, in order of arrival.
func (o *Observer) Sightings() []Sighting {
	o.mu.Lock()
	defer o.mu.Unlock()
	return append([]Sighting(nil), o.seen...)
}

// Close stops the observer and waits for it. The error may be one of writing
// the recording.
func (o *Observer) Close() error {
	err := o.file.Close()
	<-o.done
	return errors.Join(err, o.record.finish())
}
