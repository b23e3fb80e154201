//go:build !linux

package capture

import (
	"errors"
	"fmt"
	"runtime"

	"github.com/netpol/netpol/enforcer/packet"
)

// Ring is a packet source that only Linux has.
type Ring struct{}

// OpenRing fails: AF_PACKET is part of the Linux kernel.
func OpenRing(RingConfig) (*Ring, error) {
	return nil, fmt.Errorf("open packet ring on %s: %w", runtime.GOOS, errors.ErrUnsupported)
}

// Next fails: there is no source.
func (*Ring) Next(*packet.Raw) error { return errors.ErrUnsupported }

// Pending reports false: there is no source.
func (*Ring) Pending() bool { return false }

// Stats are all zero.
func (*Ring) Stats() RingStats { return RingStats{} }

// Close does nothing.
func (*Ring) Close() error { return nil }
