package sink

import (
	"net"
	"syscall"
	"unsafe"
)

// unacknowledged is how many bytes of a TCP connection the other end's kernel has not
// acknowledged (SIOCOUTQ, tcp(7)); 0 of one that cannot be asked.
func unacknowledged(conn net.Conn) (int, error) {
	if inner, ok := conn.(interface{ NetConn() net.Conn }); ok { // of TLS
		conn = inner.NetConn()
	}
	c, ok := conn.(*net.TCPConn)
	if !ok {
		return 0, nil
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return 0, err
	}
	var n int32
	var failed syscall.Errno
	err = raw.Control(func(fd uintptr) {
		_, _, failed = syscall.Syscall(syscall.SYS_IOCTL, fd, syscall.TIOCOUTQ, uintptr(unsafe.Pointer(&n)))
	})
	if err == nil && failed != 0 {
		err = failed
	}
	return int(n), err
}
