package procfs

import (
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Usage is what this process uses.
type Usage struct {
	User, System          time.Duration // processor time since its start
	Resident, MaxResident uint64        // bytes of memory, now and at most
}

// Self reads it; what cannot be read is 0.
func Self() (u Usage) {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err == nil {
		u.User, u.System = time.Duration(r.Utime.Nano()), time.Duration(r.Stime.Nano())
		u.MaxResident = uint64(r.Maxrss) << 10 // getrusage(2): in kilobytes
	}
	data, err := os.ReadFile("/proc/self/statm") // proc(5): size resident ..., in pages
	if fields := strings.Fields(string(data)); err == nil && len(fields) > 1 {
		pages, _ := strconv.ParseUint(fields[1], 10, 64)
		u.Resident = pages * uint64(os.Getpagesize())
	}
	return u
}
