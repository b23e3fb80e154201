package nft

import (
	"bytes"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"github.com/netpol/netpol/compiler/artifact"
)

// TestTextIsAcceptedByNft checks every case with the real nft, in a network
// namespace of its own, twice over: on an empty ruleset and on itself.
func TestTextIsAcceptedByNft(t *testing.T) {
	path, err := exec.LookPath("nft")
	if err != nil {
		missing(t, "nft is not installed")
	}
	for name, in := range cases() {
		t.Run(name, func(t *testing.T) {
			text := Text(Emit(in), []artifact.Label{in.InitLabel})
			file := t.TempDir() + "/ruleset.nft"
			if err := os.WriteFile(file, text, 0o644); err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command("sh", "-c",
				`"$1" add table inet other && "$1" -c -f "$2" && "$1" -f "$2" && "$1" -f "$2" && "$1" list ruleset`, "sh", path, file)
			cmd.SysProcAttr = ownNamespace()
			out, err := cmd.CombinedOutput()
			if err != nil && len(out) == 0 {
				missing(t, "no network namespace: "+err.Error())
			}
			if err != nil {
				t.Fatalf("nft: %v\n%s", err, out)
			}
			if !bytes.Contains(out, []byte("table inet other")) || !bytes.Contains(out, []byte("chain np_init")) {
				t.Errorf("ruleset after loading:\n%s", out)
			}
		})
	}
}

// ownNamespace gives the child a network namespace, and a user namespace too
// where the test does not run as root.
func ownNamespace() *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	if os.Getuid() != 0 {
		attr.Cloneflags |= syscall.CLONE_NEWUSER
		attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	return attr
}

// missing skips the test, or fails it where the environment demands it.
func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("NETPOL_REQUIRE_NETNS") == "1" {
		t.Fatal(what)
	}
	t.Skip(what)
}
