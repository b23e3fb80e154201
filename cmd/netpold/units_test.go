package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/netpol/netpol/enforcer/kernel/kerneltest"
)

// TestUnitsAreValid has systemd itself read the units, with the programs where they
// say.
func TestUnitsAreValid(t *testing.T) {
	const analyze = "systemd-analyze"
	kerneltest.Need(t, analyze)
	root := t.TempDir()
	units := filepath.Join(root, "etc", "systemd", "system")
	program := filepath.Join(root, "netpol")
	if err := os.MkdirAll(units, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(program, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, pattern := range []string{"*.service", "*.path", "*.timer"} {
		found, _ := filepath.Glob(pattern) // the patterns are well formed
		for _, name := range found {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			placed := strings.NewReplacer("/usr/local/sbin/netpold", program, "/usr/local/sbin/netpol", program).Replace(string(text))
			path := filepath.Join(units, name)
			if err := os.WriteFile(path, []byte(placed), 0o644); err != nil {
				t.Fatal(err)
			}
			names = append(names, path)
		}
	}
	if len(names) < 6 {
		t.Fatalf("got %d units, want all of them", len(names))
	}
	cmd := exec.Command(analyze, append([]string{"verify", "--man=no", "--recursive-errors=no"}, names...)...)
	cmd.Env = append(os.Environ(), "SYSTEMD_UNIT_PATH="+units+":")
	out, err := cmd.CombinedOutput()
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, "netpol") && !strings.Contains(line, "Failed to connect") {
			t.Errorf("%s", strings.TrimSpace(line))
		}
	}
	if err != nil {
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}
}
