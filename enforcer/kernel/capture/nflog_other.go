//go:build !linux

package capture

import (
	"errors"
	"fmt"
	"runtime"

	"github.com/netpol/netpol/enforcer/packet"
)

// NFLog is a packet source that only Linux has.
type NFLog struct{}

// OpenNFLog fails: NFLOG is part of the Linux kernel.
func OpenNFLog(NFLogConfig) (*NFLog, error) {
	return nil, fmt.Errorf("open nflog on %s: %w", runtime.GOOS, errors.ErrUnsupported)
}

// Next fails: there is no source.
func (*NFLog) Next(*packet.Raw) error { return errors.ErrUnsupported }

// Pending reports false: there is no source.
func (*NFLog) Pending() bool { return false }

// Stats are all zero.
func (*NFLog) Stats() NFLogStats { return NFLogStats{} }

// Close does nothing.
func (*NFLog) Close() error { return nil }
