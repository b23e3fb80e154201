package localnet

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// Watch tells of the networks that there are, and again whenever they are others,
// until ctx ends. The list is the caller's.
func Watch(ctx context.Context, cfg Config, tell func([]netip.Prefix)) error {
	if cfg.Socket == nil {
		cfg.Socket = openRouteSocket
	}
	if cfg.Rest == 0 {
		cfg.Rest = time.Second
	}
	changed, stop, err := listen(cfg.Socket)
	if err != nil {
		return fmt.Errorf("watch addresses and routes: %w", err)
	}
	defer stop()
	var last []netip.Prefix
	for first := true; ; first = false {
		now, err := read(cfg.Socket)
		if err != nil {
			return fmt.Errorf("read addresses and routes: %w", err)
		}
		if list := now.networks(cfg.Roles); first || !slices.Equal(list, last) {
			last = list
			tell(slices.Clone(list))
		}
		select {
		case <-ctx.Done():
			return nil
		case err := <-changed:
			if err != nil {
				return fmt.Errorf("watch addresses and routes: %w", err)
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(cfg.Rest):
		}
		select { // what came meanwhile is read with it
		case err := <-changed:
			if err != nil {
				return fmt.Errorf("watch addresses and routes: %w", err)
			}
		default:
		}
	}
}

func openRouteSocket() (int, error) {
	return unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_ROUTE)
}

// listen says on a channel that something has changed, or why that is not known any
// more. Announcements that were lost are a change as well.
func listen(open func() (int, error)) (changed <-chan error, stop func(), err error) {
	fd, err := open()
	if err != nil {
		return nil, nil, err
	}
	const groups = unix.RTMGRP_LINK | unix.RTMGRP_IPV4_IFADDR | unix.RTMGRP_IPV6_IFADDR | unix.RTMGRP_IPV4_ROUTE | unix.RTMGRP_IPV6_ROUTE
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: groups}); err != nil {
		return nil, nil, errors.Join(err, unix.Close(fd))
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		return nil, nil, errors.Join(err, unix.Close(fd))
	}
	file := os.NewFile(uintptr(fd), "rtnetlink")
	events := make(chan error, 1)
	go func() {
		buf := make([]byte, 64<<10)
		for {
			_, err := file.Read(buf)
			if errors.Is(err, unix.ENOBUFS) {
				err = nil
			}
			if errors.Is(err, os.ErrClosed) {
				return
			}
			select {
			case events <- err:
			default: // one waits to be read
			}
			if err != nil {
				return
			}
		}
	}()
	return events, func() { _ = file.Close() }, nil
}
