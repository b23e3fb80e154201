package sink

import (
	"fmt"
	"net"
	"syscall"
)

// peer says who is at the other end: the address, or on a unix socket the
// process and user that connected (SO_PEERCRED, unix(7)).
func peer(conn net.Conn) string {
	u, ok := conn.(*net.UnixConn)
	if !ok {
		return conn.RemoteAddr().String()
	}
	raw, err := u.SyscallConn()
	if err != nil {
		return "unknown"
	}
	text := "unknown"
	_ = raw.Control(func(fd uintptr) {
		if c, err := syscall.GetsockoptUcred(int(fd), syscall.SOL_SOCKET, syscall.SO_PEERCRED); err == nil {
			text = fmt.Sprintf("process %d of user %d", c.Pid, c.Uid)
		}
	})
	return text
}
