package daemon

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer"
	"github.com/netpol/netpol/enforcer/control"
	"github.com/netpol/netpol/enforcer/kernel/files"
	"github.com/netpol/netpol/enforcer/kernel/flowset"
	"github.com/netpol/netpol/enforcer/kernel/nftwatch"
)

// setReason words a set that does not take flows.
func setReason(f enforcer.SetFault) control.Reason {
	return control.Reason{
		Code: "set-" + string(f.Kind), About: f.Set, WayOut: f.WayOut, Count: f.Count,
		Detail: fmt.Sprintf("%s did not take flows %d times: %v; policies' other effects on them act", f.Set, f.Count, f.Err),
	}
}

// targets are the tables that a keeper watches: netpol's own, and those of the
// sets that policies add flows to.
func targets(sets []artifact.FlowSet) []nftwatch.Target {
	list := []nftwatch.Target{{Family: ownFamily, Table: ownTable}}
	for _, s := range sets {
		if s.Kind != artifact.FlowSetNft {
			continue
		}
		i := slices.IndexFunc(list, func(t nftwatch.Target) bool { return t.Family == s.Family && t.Table == s.Table })
		if i < 0 {
			i = len(list)
			list = append(list, nftwatch.Target{Family: s.Family, Table: s.Table})
		}
		list[i].Sets = append(list[i].Sets, s.Name)
	}
	return list
}

// setWatch looks at ipsets, of which nobody announces changes: whether they are
// there, and whether they have lost elements.
type setWatch struct {
	every time.Duration
	next  time.Time
	short map[string]int // looks in a row at which a set had too few
}

// shortLooks is how many looks in a row must find too few elements: between what
// netpold notes and what it writes lie milliseconds.
const shortLooks = 2

// look counts, when it is time, and gives those that lost something.
func (w *setWatch) look(e *enforcement, now time.Time) (gone []lostSet) {
	if now.Before(w.next) {
		return nil
	}
	w.next = now.Add(w.every)
	held := e.engine.SetElements()
	short := make(map[string]int)
	for _, s := range e.sets() {
		if s.Kind != artifact.FlowSetIpset {
			continue
		}
		id := s.ID()
		n, err := flowset.Count(&s)
		switch {
		case errors.Is(err, flowset.ErrNoSet):
			if s.Managed {
				gone = append(gone, lostSet{id, true})
			}
		case err == nil && n < held[id]:
			if short[id] = w.short[id] + 1; short[id] < shortLooks {
				w.next = now // again at the next tick
				continue
			}
			gone = append(gone, lostSet{id, false})
		}
	}
	w.short = short
	return gone
}

// lostSet is a set that is gone, or has lost elements.
type lostSet struct {
	id      string
	removed bool
}

// ofTable are the IDs of the sets of flows in a table of nftables with one of
// the names.
func ofTable(sets []artifact.FlowSet, family, table string, names []string) (ids []string, managed bool) {
	for _, s := range sets {
		if s.Kind == artifact.FlowSetNft && s.Family == family && s.Table == table && slices.Contains(names, s.Name) {
			ids = append(ids, s.ID())
			managed = managed || s.Managed
		}
	}
	return ids, managed
}

// examineState looks whether the tool could change anything, were it called now. To
// the user netpol systemd shows all file systems read-only, which says nothing.
func (d *daemon) examineState() {
	var reasons []control.Reason
	free, readOnly, err := files.Space(d.cfg.stateDir)
	const wayOut = "make room, or mount it writable: until then netpol apply is refused, and changes nothing"
	switch {
	case err != nil: // not there: nothing was applied
	case readOnly && os.Geteuid() == 0:
		reasons = append(reasons, control.Reason{Code: "state", About: d.cfg.stateDir, Detail: "the state directory is on a read-only file system", WayOut: wayOut})
	case free < files.LeastRoom:
		reasons = append(reasons, control.Reason{
			Code: "state", About: d.cfg.stateDir, WayOut: wayOut,
			Detail: fmt.Sprintf("the state directory has %d KiB left", free>>10),
		})
	}
	d.health.tell("state", reasons...)
}
