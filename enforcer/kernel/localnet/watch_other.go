//go:build !linux

package localnet

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"runtime"
)

// Watch fails: rtnetlink is part of the Linux kernel.
func Watch(context.Context, Config, func([]netip.Prefix)) error {
	return fmt.Errorf("watch addresses and routes on %s: %w", runtime.GOOS, errors.ErrUnsupported)
}
