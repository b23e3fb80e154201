package packetsim

import (
	"fmt"
	"time"

	"github.com/netpol/netpol/compiler/artifact"
)

// Limit is a count at which some rule begins to say otherwise.
type Limit struct {
	Bytes bool   // otherwise packets
	Of    string // original, reply, or empty for both
	Value uint64
}

// Limits are those of all rules, in no order and with repetitions.
func (t *Table) Limits() []Limit {
	var out []Limit
	for _, c := range t.chains {
		for i := range c.Rules {
			for _, s := range c.Rules[i].Do {
				if n := max(s.Bytes, t.objects[s.Name].Bytes); n > 0 {
					out = append(out, Limit{Bytes: true, Value: n + 1})
				}
			}
			for _, m := range c.Rules[i].Match {
				if m.Kind == artifact.MatchCTPackets || m.Kind == artifact.MatchCTBytes {
					out = append(out, Limit{Bytes: m.Kind == artifact.MatchCTBytes, Of: m.Name, Value: m.Limit})
				}
			}
		}
	}
	return out
}

// inForce answers for a set of times: its elements are those at which one of
// its schedules is in force, however far ahead the kernel has them.
func (t *Table) inForce(name string, at time.Time) (bool, error) {
	s, ok := t.sets[name]
	if !ok {
		return false, fmt.Errorf("set %q: no such set", name)
	}
	for _, schedule := range s.Schedules {
		if on, err := schedule.Active(at); err != nil || on {
			return on, err
		}
	}
	return false, nil
}
