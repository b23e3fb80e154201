package files

import (
	"fmt"
	"syscall"
)

// LeastRoom is what a state directory must have left for an apply, in bytes: two
// copies of a large bundle.
const LeastRoom = 4 << 20

// readOnlyFlag is ST_RDONLY (statfs(2)).
const readOnlyFlag = 1

// Space is what an unprivileged process may still write in a directory, in bytes,
// and whether its file system takes writes at all.
func Space(dir string) (free uint64, readOnly bool, err error) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return 0, false, fmt.Errorf("ask for room in %s: %w", dir, err)
	}
	return st.Bavail * uint64(st.Bsize), st.Flags&readOnlyFlag != 0, nil
}
