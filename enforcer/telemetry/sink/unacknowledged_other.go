//go:build !linux

package sink

import "net"

// unacknowledged is 0: only Linux is asked.
func unacknowledged(net.Conn) (int, error) { return 0, nil }
