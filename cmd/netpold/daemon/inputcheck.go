package daemon

import (
	"fmt"
	"maps"

	"github.com/netpol/netpol/enforcer/control"
)

// inputsLost counts what all inputs have lost.
const inputsLost = "inputs_lost"

// counters are the figures of each input, by its name.
func (s *inputs) counters() map[string]uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := map[string]uint64{}
	var lost uint64
	for _, r := range s.readers {
		one := r.counters()
		lost += one[inputsLost]
		maps.Copy(out, one)
	}
	out[inputsLost] = lost
	if len(s.around.roles) > 0 {
		out["inputs_local_networks"] = uint64(len(s.around.found))
	}
	return out
}

func (r *inputReader) counters() map[string]uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	name := fmt.Sprintf("input_%s_", r.input.Name)
	if r.engine == nil {
		return map[string]uint64{name + "unreadable": 1}
	}
	stats, list := r.engine.Stats(), r.rings.List()
	out := map[string]uint64{name + "outages": r.rings.Outages(), name + "flows": stats.FlowsSeen, name + "evicted": stats.FlowsEvicted}
	for i, ring := range list {
		one := ring.Stats()
		out[name+"packets"] += one.Packets
		out[name+"lost"] += one.Lost
		out[inputsLost] += one.Lost
		if len(list) > 1 {
			out[fmt.Sprintf("%sworker_%d_packets", name, i)], out[fmt.Sprintf("%sworker_%d_lost", name, i)] = one.Packets, one.Lost
		}
	}
	return out
}

// reasons are the inputs that are not read now, and why.
func (s *inputs) reasons() []control.Reason {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []control.Reason
	if err := s.around.failed; err != nil {
		out = append(out, control.Reason{
			Code: "input", About: "local networks", Detail: fmt.Sprintf("the networks behind inputs with a role are not followed: %v", err),
			WayOut: "it is tried again every second; local_networks in the netpol block declares them",
		})
	}
	for _, r := range s.readers {
		if err := r.missing(); err != nil {
			out = append(out, control.Reason{
				Code: "input", About: r.input.Name, Detail: fmt.Sprintf("the input %s is not read: %v", r.input.Name, err),
				WayOut: "it is read as soon as the interface is there and up under this name; otherwise name the right one in the policies (ip link has them), or see Inputs in operations.md for the capabilities of netpold",
			})
		}
	}
	return out
}

// missing is why the interface is not read now; nil if it is, or is about to be.
func (r *inputReader) missing() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.engine == nil {
		return r.fault
	}
	return r.rings.Missing()
}
