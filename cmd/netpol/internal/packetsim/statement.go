package packetsim

import (
	"fmt"

	"github.com/netpol/netpol/compiler/artifact"
)

// run executes a rule's statements. leave says that the chain ends here, and
// the end how.
func (w *walk) run(r *artifact.Rule, depth int) (e end, leave bool, err error) {
	for i := range r.Do {
		s := &r.Do[i]
		switch s.Kind {
		case artifact.DoCounter, artifact.DoCountIn, artifact.DoSyslog, artifact.DoWithinLimit:
		case artifact.DoSetMark:
			w.result.Mark = w.result.Mark&^s.Mask | s.Value
		case artifact.DoSetPriority:
			v := s.Value
			w.result.Priority = &v
		case artifact.DoOverLimit: // one packet at a time is over no rate
			return fell, false, nil
		case artifact.DoOverQuota, artifact.DoUpdate:
			if on, err := w.account(s); err != nil || !on {
				return fell, false, err
			}
		case artifact.DoLog:
			w.result.Logged++
		case artifact.DoQueue:
			w.hold()
			return done, true, nil
		case artifact.DoSetDSCP4, artifact.DoSetDSCP6:
			w.setDSCP(s)
		case artifact.DoSetCTLabel:
			if !w.packet.Untracked {
				w.conn.set(s.Bit)
			}
		case artifact.DoSetCTMark:
			if !w.packet.Untracked {
				w.conn.Mark = w.conn.Mark&^s.Mask | s.Value
			}
		case artifact.DoFlowAdd:
			w.conn.Offloaded = true
		case artifact.DoNoTrack:
			w.packet.Untracked = w.packet.Untracked || !w.tracked
		case artifact.DoSetSynAck:
			w.result.Verdict = Reject // what asks for a reset tells the sender
		case artifact.DoReturn:
			return fell, true, nil
		case artifact.DoAccept:
			w.result.Accepted = append(w.result.Accepted, w.base)
			return done, true, nil
		case artifact.DoDrop:
			w.result.Verdict = Drop
			return stopped, true, nil
		case artifact.DoRejectTCPReset, artifact.DoRejectAdmin, artifact.DoRejectICMP:
			w.result.Verdict = Reject
			return stopped, true, nil
		case artifact.DoJump:
			if e, err = w.jump(s.Name, depth); err != nil || e != fell {
				return e, true, err
			}
		case artifact.DoVMap:
			e, hit, err := w.vmap(s, depth)
			if err != nil || e != fell {
				return e, true, err
			}
			if !hit {
				return fell, false, nil
			}
		case artifact.DoGoto: // does not come back
			e, err = w.jump(s.Name, depth)
			return e, true, err
		default:
			return fell, false, fmt.Errorf("statement %q: %w", s.Kind, errUnknown)
		}
	}
	return fell, false, nil
}

// hold has the enforcer read the packet and let it go on.
func (w *walk) hold() {
	w.result.Held++
	if w.table.Judge != nil {
		w.table.Judge(w.conn)
	}
	w.result.Mark = w.table.heldMark().On(w.result.Mark)
}

// account says whether a rule goes on after it has asked a quota, as if the
// connection were all that the quota has seen, or after it has counted.
func (w *walk) account(s *artifact.Statement) (bool, error) {
	quota := s.Bytes
	switch {
	case s.Kind == artifact.DoOverQuota:
		o, ok := w.table.objects[s.Name]
		if !ok {
			return false, fmt.Errorf("quota %q: no such object", s.Name)
		}
		quota = o.Bytes
	case s.Limit.Rate > 0:
		return false, nil // as DoOverLimit
	case s.Bytes == 0:
		return true, nil // a counter
	}
	return counted(w.conn.Bytes, "") > quota, nil
}

// vmap jumps where a map leads; where it leads nowhere the rule ends.
func (w *walk) vmap(s *artifact.Statement, depth int) (e end, hit bool, err error) {
	key, ok := w.key(s.Key)
	if !ok {
		return fell, false, nil
	}
	element, err := w.table.find(s.Name, key)
	if err != nil || element == nil {
		return fell, false, err
	}
	e, err = w.jump(element.Jump, depth)
	return e, true, err
}

// setDSCP writes the code point of the packet's own family; the other's rule
// has a match before it that does not hold.
func (w *walk) setDSCP(s *artifact.Statement) {
	v := uint8(s.Value)
	if (s.Kind == artifact.DoSetDSCP4) == (w.packet.version() == 4) {
		w.result.DSCP = &v
	}
}
