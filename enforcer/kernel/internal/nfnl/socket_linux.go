package nfnl

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// Options of a Socket; zero values leave the kernel's defaults.
type Options struct {
	ReadBuffer  int // bytes; SO_RCVBUFFORCE, then SO_RCVBUF as far as rmem_max lets
	WriteBuffer int // bytes; likewise
	// Acks asks for errors without a copy of the message they are about
	// (NETLINK_CAP_ACK), so that a receive buffer holds thousands, and with
	// the kernel's explanation (NETLINK_EXT_ACK).
	Acks bool
}

// Socket is a netlink socket bound to an address the kernel chose. It belongs
// to the network namespace of the thread that opened it. One goroutine may
// send while another receives; not more.
type Socket struct {
	fd int
}

// Open makes a NETLINK_NETFILTER socket. The caller must Close it.
func Open(o Options) (*Socket, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_NETFILTER)
	if err != nil {
		return nil, fmt.Errorf("open netfilter netlink socket: %w", err)
	}
	s := &Socket{fd: fd}
	if err := s.setup(o); err != nil {
		_ = unix.Close(fd)
		return nil, err
	}
	return s, nil
}

func (s *Socket) setup(o Options) error {
	if err := unix.Bind(s.fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return fmt.Errorf("bind netlink socket: %w", err)
	}
	// Connected to the kernel (port 0), plain write needs no address.
	if err := unix.Connect(s.fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return fmt.Errorf("connect netlink socket: %w", err)
	}
	setBuffer(s.fd, unix.SO_RCVBUFFORCE, unix.SO_RCVBUF, o.ReadBuffer)
	setBuffer(s.fd, unix.SO_SNDBUFFORCE, unix.SO_SNDBUF, o.WriteBuffer)
	if o.Acks {
		// Both are comforts: without them errors are longer and say less.
		_ = unix.SetsockoptInt(s.fd, unix.SOL_NETLINK, unix.NETLINK_CAP_ACK, 1)
		_ = unix.SetsockoptInt(s.fd, unix.SOL_NETLINK, unix.NETLINK_EXT_ACK, 1)
	}
	return nil
}

// setBuffer asks for size bytes past the system's limit, which takes
// CAP_NET_ADMIN in the first user namespace, and settles for the limit.
func setBuffer(fd, force, plain, size int) {
	if size > 0 && unix.SetsockoptInt(fd, unix.SOL_SOCKET, force, size) != nil {
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, plain, size)
	}
}

// ReadBuffer is the size the kernel granted, in bytes of its own accounting.
func (s *Socket) ReadBuffer() int {
	n, err := unix.GetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_RCVBUF)
	if err != nil {
		return 0
	}
	return n
}

// FD is the socket's descriptor, for poll.
func (s *Socket) FD() int { return s.fd }

// Send passes whole messages to the kernel, which has handled all of them,
// and queued its answers, when Send returns. EINTR is retried.
func (s *Socket) Send(b []byte) error {
	for {
		_, err := unix.Write(s.fd, b)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return fmt.Errorf("netlink send: %w", err)
		}
		return nil
	}
}

// TryReceive reads one datagram without waiting. The error is a bare errno,
// so that the hot path allocates nothing: EAGAIN when nothing is there,
// ENOBUFS when the kernel had to drop something.
func (s *Socket) TryReceive(buf []byte) (int, error) {
	for {
		n, err := unix.Read(s.fd, buf)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		return n, err
	}
}

// Receive is TryReceive that waits up to timeout; EAGAIN then.
func (s *Socket) Receive(buf []byte, timeout time.Duration) (int, error) {
	deadline := time.Now().Add(timeout)
	for {
		n, err := s.TryReceive(buf)
		left := time.Until(deadline)
		if !errors.Is(err, unix.EAGAIN) || left <= 0 {
			return n, err
		}
		fds := [1]unix.PollFd{{Fd: int32(s.fd), Events: unix.POLLIN}}
		if _, err := unix.Poll(fds[:], int(left.Milliseconds())+1); err != nil && !errors.Is(err, unix.EINTR) {
			return 0, err
		}
	}
}

// Close releases the descriptor, whose number may be another's then: what comes later is refused.
func (s *Socket) Close() error {
	fd := s.fd
	s.fd = -1
	return unix.Close(fd)
}
