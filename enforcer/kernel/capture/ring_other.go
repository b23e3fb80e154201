//go:build !linux

package capture

import (
	"errors"
	"fmt"
	"runtime"

	"github.com/netpol/netpol/enforcer/packet"
)

// Rings are packet sources that only Linux has.
type Rings struct{}

// OpenRings fails: AF_PACKET is part of the Linux kernel.
func OpenRings(RingConfig) (*Rings, error) {
	return nil, fmt.Errorf("open packet ring on %s: %w", runtime.GOOS, errors.ErrUnsupported)
}

// List is empty: there is no source.
func (*Rings) List() []*Ring { return nil }

// Alone is nil: there is no source.
func (*Rings) Alone() error { return nil }

// Missing is errors.ErrUnsupported: there is no source.
func (*Rings) Missing() error { return errors.ErrUnsupported }

// Outages are none: there is no source.
func (*Rings) Outages() uint64 { return 0 }

// Stats are all zero.
func (*Rings) Stats() RingStats { return RingStats{} }

// Close does nothing.
func (*Rings) Close() error { return nil }

// Ring is a packet source that only Linux has.
type Ring struct{}

// Next fails: there is no source.
func (*Ring) Next(*packet.Raw) error { return errors.ErrUnsupported }

// Pending reports false: there is no source.
func (*Ring) Pending() bool { return false }

// Wake does nothing.
func (*Ring) Wake() {}

// Stats are all zero.
func (*Ring) Stats() RingStats { return RingStats{} }
