package nfnl

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/netpol/netpol/enforcer/kernel/kerneltest"
)

// TestClosedSocketSpeaksToNobody: the kernel gives the number of a closed descriptor to what is opened next.
func TestClosedSocketSpeaksToNobody(t *testing.T) {
	s, err := Open(Options{})
	if err != nil {
		kerneltest.Unable(t, "no netfilter sockets here: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(filepath.Join(t.TempDir(), "next"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := s.Send([]byte("late")); !errors.Is(err, unix.EBADF) {
		t.Errorf("send by a closed socket: %v, want EBADF", err)
	}
	if _, err := s.TryReceive(make([]byte, 1)); !errors.Is(err, unix.EBADF) {
		t.Errorf("receive by a closed socket: %v, want EBADF", err)
	}
	if info, err := f.Stat(); err != nil || info.Size() != 0 {
		t.Errorf("what was opened next has %d bytes, %v", info.Size(), err)
	}
}
