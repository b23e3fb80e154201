package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// maxBinary bounds the stripped daemon: routers have 16 MB of flash and less.
// Raise it only together with docs/architecture.md, and say what it bought.
const maxBinary = 12_000_000

func TestBinarySize(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a binary, which -short leaves out")
	}
	name := filepath.Join(t.TempDir(), "netpold")
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", name, ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	info, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("netpold: %.2f MB", float64(info.Size())/1e6)
	if info.Size() > maxBinary {
		t.Errorf("netpold has %d bytes, more than %d", info.Size(), maxBinary)
	}
}
