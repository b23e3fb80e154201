package enforcer

import (
	"maps"
	"time"

	"github.com/netpol/netpol/compiler/artifact"
)

// SetFault is that a set does not take flows.
type SetFault struct {
	Set    string // FlowSet.ID
	Kind   artifact.FaultKind
	Err    error
	WayOut string
	Since  time.Time
	Last   time.Time
	Count  uint64 // flows since
}

// wayOut says what an operator can do about a fault.
func wayOut(f artifact.MemberFault) string {
	switch f.Kind {
	case artifact.FaultFull:
		return "raise size in the set block (for a set of your own where you create it), or add fewer flows"
	case artifact.FaultMissing:
		if f.Set.Managed {
			return "run netpol apply, which creates it"
		}
		return "create it, or write managed = true in the set block"
	case artifact.FaultMismatch:
		return "make the block's type, families and timeout those of the set that is there"
	case artifact.FaultDenied:
		return "netpold needs CAP_NET_ADMIN"
	case artifact.FaultOther:
	}
	return "see netpol doctor"
}

// renew has sets given all of their elements again.
func (k *keeper) renew(ids []string) {
	k.mu.Lock()
	k.renewal = append(k.renewal, ids...)
	k.mu.Unlock()
	k.flush()
}

// healed forgets the faults of a set that took something: all but that it is full,
// which it still is for others. That ends when nothing was refused for two rounds
// of elementRetry. The caller holds mu.
func (k *keeper) healed(id string) {
	for _, kind := range artifact.FaultKinds() {
		if kind != artifact.FaultFull {
			delete(k.faults, id+" "+string(kind))
		}
	}
}

// forget ends faults of full sets that have come to an end.
func (k *keeper) forget(now time.Time) {
	maps.DeleteFunc(k.faults, func(_ string, f SetFault) bool {
		return f.Kind == artifact.FaultFull && now.Sub(f.Last) > 2*elementRetry
	})
}

// told are the faults of now.
func (k *keeper) told() []SetFault {
	k.mu.Lock()
	defer k.mu.Unlock()
	list := make([]SetFault, 0, len(k.faults))
	for _, f := range k.faults {
		list = append(list, f)
	}
	return list
}

// holds are the elements that each set should have at least; of sets with faults
// nothing is known.
func (k *keeper) holds() map[string]int {
	k.mu.Lock()
	defer k.mu.Unlock()
	held := maps.Clone(k.held)
	for _, f := range k.faults {
		delete(held, f.Set)
	}
	return held
}

// SetFaults are the sets that do not take flows now. Safe for concurrent use, as
// are the two below.
func (e *Engine) SetFaults() []SetFault {
	if k := e.keeper.Load(); k != nil {
		return k.told()
	}
	return nil
}

// SetElements are how many elements each set should have at least, by
// FlowSet.ID. Sets with faults are left out.
func (e *Engine) SetElements() map[string]int {
	if k := e.keeper.Load(); k != nil {
		return k.holds()
	}
	return nil
}

// RenewSets has sets, by FlowSet.ID, given all of their elements again.
func (e *Engine) RenewSets(ids ...string) {
	if k := e.keeper.Load(); k != nil {
		k.renew(ids)
	}
}
