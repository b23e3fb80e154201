package probe

import (
	"errors"
	"fmt"
)

// ErrNotSupported says that the kernel lacks a feature.
var ErrNotSupported = errors.New("not supported by this kernel")

// UnsupportedError names the feature, the kernel that has it, and the module
// that may only be missing.
type UnsupportedError struct {
	Feature string
	Since   string // first kernel version with it
	Module  string
	Err     error // what the kernel said
}

// Error is one line with the way out.
func (e *UnsupportedError) Error() string {
	return fmt.Sprintf("%s is not supported by this kernel (needs Linux %s and module %s): %v", e.Feature, e.Since, e.Module, e.Err)
}

// Is makes errors.Is(err, ErrNotSupported) hold.
func (e *UnsupportedError) Is(target error) bool { return target == ErrNotSupported }

// Unwrap is the kernel's error.
func (e *UnsupportedError) Unwrap() error { return e.Err }

// Result is the outcome of one probe; Err is nil where the kernel has it.
type Result struct {
	Feature string
	Err     error
}
