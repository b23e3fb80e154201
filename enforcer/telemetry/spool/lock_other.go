//go:build !linux

package spool

import "os"

// lockFile only opens the file: netpold runs on Linux.
func lockFile(name string) (*os.File, error) {
	return os.OpenFile(name, os.O_RDWR|os.O_CREATE, fileMode)
}
