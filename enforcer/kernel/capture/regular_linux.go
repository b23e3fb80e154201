package capture

import (
	"io"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// regular reads a file on a disk without telling Go's scheduler: such a read waits for
// nobody but the disk. Told of it, the scheduler's monitor takes the processor away each time that a read lasts
// longer than 20 µs, hands it to nobody, and wakes up 50,000 times a second to look on: 1,700 times for 430 MB, 2 to 3 %
// of what a capture costs (2026-11).
type regular struct {
	*os.File
	fd uintptr
}

// hasten gives a faster reader of the file where there is one.
func hasten(f *os.File) io.ReadCloser {
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return f
	}
	return &regular{File: f, fd: f.Fd()}
}

func (r *regular) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	for {
		n, _, errno := unix.RawSyscall(unix.SYS_READ, r.fd, uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)))
		switch {
		case errno == unix.EINTR:
		case errno != 0:
			return 0, errno
		case n == 0:
			return 0, io.EOF
		default:
			return int(n), nil
		}
	}
}
