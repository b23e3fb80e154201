package daemon

import (
	"errors"
	"io"
	"sync"
	"sync/atomic"

	"github.com/netpol/netpol/enforcer/kernel/capture"
	"github.com/netpol/netpol/enforcer/packet"
)

// groupSource is the live packet source. It can change over to another NFLOG
// group while the engine reads, because a new bundle may name another one.
// Next and Pending belong to the engine; the rest is safe for concurrent use.
type groupSource struct {
	current atomic.Pointer[capture.NFLog]

	mu    sync.Mutex // guards group and changes of current
	group uint16
	lost  uint64 // by the sources before current
}

func openGroup(group uint16) (*groupSource, error) {
	log, err := capture.OpenNFLog(capture.NFLogConfig{Group: group})
	if err != nil {
		return nil, err
	}
	s := &groupSource{group: group}
	s.current.Store(log)
	return s, nil
}

// use changes over to a group; the one in use is no change.
func (s *groupSource) use(group uint16) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if group == s.group {
		return nil
	}
	log, err := capture.OpenNFLog(capture.NFLogConfig{Group: group})
	if err != nil {
		return err
	}
	old := s.current.Swap(log)
	s.group = group
	s.lost += old.Stats().Lost
	return old.Close()
}

// Next reads the next packet.
func (s *groupSource) Next(raw *packet.Raw) error {
	log := s.current.Load()
	err := log.Next(raw)
	if errors.Is(err, io.EOF) && s.current.Load() != log {
		return packet.ErrIdle // the group changed meanwhile
	}
	return err
}

// Pending reports whether Next would return a packet without waiting.
func (s *groupSource) Pending() bool { return s.current.Load().Pending() }

// Lost counts packets that the kernel logged and nobody read.
func (s *groupSource) Lost() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lost + s.current.Load().Stats().Lost
}

// Close ends the source for good; a waiting Next returns io.EOF.
func (s *groupSource) Close() error { return s.current.Load().Close() }
