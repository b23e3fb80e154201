package daemon

import (
	"fmt"

	"github.com/netpol/netpol/enforcer/control"
	"github.com/netpol/netpol/enforcer/dissect"
)

// dissectorFaults are the dissectors that failed, in any of the engines.
func (e *enforcement) dissectorFaults() []dissect.Fault {
	faults := e.engine.Faults()
	for _, other := range e.inputs.engines() {
		faults = append(faults, other.Faults()...)
	}
	return faults
}

// examineDissectors logs what failed first, once for each dissector, and tells of
// those that are switched off. The caller holds d.examining.
func (d *daemon) examineDissectors(faults []dissect.Fault) {
	var reasons []control.Reason
	for _, f := range faults {
		if !d.faulty[f.Name] {
			d.faulty[f.Name] = true
			d.log.Error("dissector failed: please report it with a capture of such a connection", "dissector", f.Name, "error", f.First)
		}
		if f.Off {
			reasons = append(reasons, offReason(f))
		}
	}
	d.health.tell("dissectors", reasons...)
}

// offReason words a dissector that is switched off.
func offReason(f dissect.Fault) control.Reason {
	return control.Reason{
		Code: "dissector-off", About: f.Name, Count: f.Panics,
		Detail: fmt.Sprintf("the dissector failed %d times, the last of them in quick succession, and is asked no more: what it recognises has no name; the first time: %s", f.Panics, f.First),
		WayOut: "please report it with a capture; systemctl reload netpold has it asked again, --dissector-panics says how often it may fail",
	}
}
