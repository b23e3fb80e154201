package daemon

import (
	"log/slog"
	"sync"
	"time"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/control"
	"github.com/netpol/netpol/enforcer/kernel/nftset"
)

// ownership is whether netpold owns the kernel's table, as a bundle may ask for:
// then no flush of all tables takes it, and it outlives netpold. netpol changes
// the table while netpold lets go of it.
type ownership struct {
	owner  *nftset.Owner
	log    *slog.Logger
	health *health

	mu     sync.Mutex // guards what follows
	wanted bool       // the bundle in force asks for it
	free   time.Time  // until then the table is somebody else's to change
}

func newOwnership(log *slog.Logger, h *health) *ownership {
	return &ownership{owner: &nftset.Owner{}, log: log, health: h}
}

// use goes over to a bundle; nil is none.
func (o *ownership) use(b *artifact.Bundle) error {
	o.mu.Lock()
	o.wanted = b != nil && b.Ruleset.Persist
	o.mu.Unlock()
	return o.adopt()
}

// release lets go of the table for a while.
func (o *ownership) release() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.free = time.Now().Add(control.Lease)
	return o.owner.Release()
}

// adopt ends that time.
func (o *ownership) adopt() error {
	o.mu.Lock()
	o.free = time.Time{}
	o.mu.Unlock()
	return o.keep()
}

// keep owns the table if the bundle asks for it and nobody is at work on it. A
// table that is not there is no fault: it is adopted when it comes.
func (o *ownership) keep() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case !o.wanted:
		o.health.tell("owner")
		return o.owner.Release()
	case time.Now().Before(o.free) || o.owner.Owns():
		return nil
	}
	owned, err := o.owner.Adopt(ownFamily, ownTable)
	if err != nil {
		o.health.tell("owner", control.Reason{
			Code: "owner", Detail: err.Error(),
			WayOut: "stop the process that owns the table (nft list tables names it), or take table_owner = true out of the netpol block",
		})
		return err
	}
	o.health.tell("owner")
	if owned {
		o.log.Info("table owned")
	}
	return nil
}

// close lets go of the table for good.
func (o *ownership) close() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.wanted = false
	return o.owner.Release()
}
