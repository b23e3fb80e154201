package buildinfo

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"
)

func TestVersionOf(t *testing.T) {
	commit := debug.BuildSetting{Key: "vcs.revision", Value: "0123456789abcdef"}
	changed := debug.BuildSetting{Key: "vcs.modified", Value: "true"}
	for _, tt := range []struct {
		module   string
		settings []debug.BuildSetting
		want     string
	}{
		{"v1.2.3", []debug.BuildSetting{commit}, "v1.2.3"},
		{"(devel)", []debug.BuildSetting{commit}, "devel-0123456789ab"},
		{"", []debug.BuildSetting{commit, changed}, "devel-0123456789ab+changes"},
		{"", []debug.BuildSetting{changed}, "devel"},
		{"", nil, "devel"},
	} {
		info := &debug.BuildInfo{Main: debug.Module{Version: tt.module}, Settings: tt.settings}
		if got := versionOf(info); got != tt.want {
			t.Errorf("%+v: got %q, want %q", info, got, tt.want)
		}
	}
}

// TestPackagesHaveTheirVersion: the linker knows the variable by the name that .ci/dist gives it.
func TestPackagesHaveTheirVersion(t *testing.T) {
	const flag = "-X github.com/netpol/netpol/cmd/internal/buildinfo.release="
	program := filepath.Join(t.TempDir(), "netpold")
	if out, err := exec.Command("go", "build", "-ldflags", flag+"1.2.3", "-o", program, "../../netpold").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	out, err := exec.Command(program, "--version").Output()
	if err != nil || !strings.HasPrefix(string(out), "netpold 1.2.3\n") {
		t.Errorf("got %q, %v", out, err)
	}
	if script, err := os.ReadFile("../../../.ci/dist"); err != nil || !strings.Contains(string(script), flag) {
		t.Errorf(".ci/dist does not give %q: %v", flag, err)
	}
}
