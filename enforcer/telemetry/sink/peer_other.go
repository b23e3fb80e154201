//go:build !linux

package sink

import "net"

// peer says who is at the other end.
func peer(conn net.Conn) string { return conn.RemoteAddr().String() }
