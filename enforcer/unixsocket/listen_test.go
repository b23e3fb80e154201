package unixsocket

import (
	"net"
	"os"
	"path/filepath"
	"testing"
)

// TestStaleSocket: a process that was killed leaves its socket behind.
func TestStaleSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "netpold.sock")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	l.Close()
	s, err := Listen(path, 0o600)
	if err != nil {
		t.Fatalf("listen over a stale socket: %v", err)
	}
	s.Close()

	if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Listen(path, 0o600); err == nil {
		t.Error("a file that is no socket was replaced")
	}
}

// TestSuccessorKeepsItsSocket: an old server that ends late must not remove
// the file of the new one.
func TestSuccessorKeepsItsSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "netpold.sock")
	old, err := Listen(path, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	successor, err := Listen(path, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer successor.Close()
	old.Close()
	if _, err := os.Stat(path); err != nil {
		t.Errorf("the successor's socket is gone: %v", err)
	}
}
