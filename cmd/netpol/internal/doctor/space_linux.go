package doctor

import (
	"fmt"
	"syscall"
)

// readOnlyFlag is ST_RDONLY (statfs(2)).
const readOnlyFlag = 1

// freeSpace is what an unprivileged process may still write, in bytes.
func freeSpace(path string) (bytes uint64, readOnly bool, err error) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(path, &st); err != nil {
		return 0, false, fmt.Errorf("ask for room in %s: %w", path, err)
	}
	return st.Bavail * uint64(st.Bsize), st.Flags&readOnlyFlag != 0, nil
}
