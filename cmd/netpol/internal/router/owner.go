package router

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"github.com/netpol/netpol/enforcer/control"
)

// changeTable runs a change of the kernel's table. A table that netpold owns
// takes changes from nobody else, so netpold is asked to let go of it before,
// and to own it again after. Without a netpold nobody owns the table.
func (r Router) changeTable(live *Live, change func() error) error {
	if !live.Table.Persist {
		return change()
	}
	there, err := r.askOwner((*control.Client).Release)
	if err != nil {
		return fmt.Errorf("have netpold let go of the table %s %s: %w", family, table, err)
	}
	err = change()
	if there {
		// netpold owns the table by itself soon, should it not hear this.
		_, _ = r.askOwner((*control.Client).Adopt)
	}
	if errors.Is(err, syscall.EPERM) && live.Table.Owner != 0 && !there {
		// Not wrapped: it is not a capability that is missing.
		return fmt.Errorf("%s; the process of netlink port %d owns the table, and no netpold answers on %s: stop it, or give --run-dir; if netpold is just stopping, try again", err.Error(), live.Table.Owner, r.SocketPath())
	}
	return err
}

// askOwner asks netpold; there is false where none runs.
func (r Router) askOwner(what func(*control.Client) error) (there bool, err error) {
	c, err := control.Dial(r.SocketPath())
	switch {
	case errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED):
		return false, nil
	case err != nil:
		return false, err
	}
	defer func() { _ = c.Close() }()
	return true, what(c)
}
