package daemon

import "github.com/netpol/netpol/enforcer"

// inputTraffic is what an input has read.
type inputTraffic struct {
	name, device string
	read         enforcer.Traffic
	lost         uint64
}

// traffic is what the inputs have read that are at work.
func (s *inputs) traffic() (list []inputTraffic) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.readers {
		if one, ok := r.traffic(); ok {
			list = append(list, one)
		}
	}
	return list
}

func (r *inputReader) traffic() (out inputTraffic, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.engine == nil {
		return out, false
	}
	out = inputTraffic{name: r.input.Name, device: r.input.Interface, read: r.engine.Traffic()[r.input.Interface]}
	for _, ring := range r.rings.List() {
		out.lost += ring.Stats().Lost
	}
	return out, true
}
