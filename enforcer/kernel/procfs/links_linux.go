package procfs

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// Link is what an interface carried since it was made.
type Link struct {
	Name                                    string
	RxBytes, RxPackets, RxErrors, RxDropped uint64
	TxBytes, TxPackets, TxErrors, TxDropped uint64
}

// Links lists the interfaces of the network namespace that the calling thread is
// in, in the kernel's order. It reads /proc/net/dev, because /sys shows the
// namespace that it was mounted in.
func Links() ([]Link, error) {
	f, err := os.Open("/proc/thread-self/net/dev")
	if err != nil {
		return nil, fmt.Errorf("list interfaces: %w", err)
	}
	defer f.Close()
	var out []Link
	for in := bufio.NewScanner(f); in.Scan(); {
		if l, ok := parseLink(in.Text()); ok {
			out = append(out, l)
		}
	}
	return out, nil
}

// parseLink reads a line of net/dev (dev_seq_printf_stats, net/core/net-procfs.c):
// after the name eight numbers of what was received, bytes, packets, errs and drop
// first, and as many of what was sent.
func parseLink(line string) (l Link, ok bool) {
	name, rest, ok := strings.Cut(line, ":")
	fields := strings.Fields(rest)
	if !ok || len(fields) < 16 {
		return l, false
	}
	number := func(i int) uint64 {
		n, err := strconv.ParseUint(fields[i], 10, 64)
		ok = ok && err == nil
		return n
	}
	l = Link{
		Name:    strings.TrimSpace(name),
		RxBytes: number(0), RxPackets: number(1), RxErrors: number(2), RxDropped: number(3),
		TxBytes: number(8), TxPackets: number(9), TxErrors: number(10), TxDropped: number(11),
	}
	return l, ok
}
