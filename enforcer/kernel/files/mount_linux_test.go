package files

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// TestMountedFileIsWrittenInPlace runs itself again in a mount namespace in
// which the file is a mount of another.
func TestMountedFileIsWrittenInPlace(t *testing.T) {
	if path := os.Getenv("NETPOL_TEST_MOUNTED"); path != "" {
		mounted(t, path)
		return
	}
	dir := t.TempDir()
	source, path := filepath.Join(dir, "source"), filepath.Join(dir, "connlabel.conf")
	write(t, source, "0 bulk\nsome more text that is longer than what follows it\n")
	write(t, path, "")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, "-test.run=^TestMountedFileIsWrittenInPlace$")
	cmd.Env = append(os.Environ(), "NETPOL_TEST_MOUNTED="+path)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	if os.Geteuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
	}
	out, err := cmd.CombinedOutput()
	if err != nil && len(out) == 0 {
		if os.Getenv("NETPOL_REQUIRE_NETNS") == "1" {
			t.Fatalf("no mount namespace: %v", err)
		}
		t.Skipf("no mount namespace: %v", err)
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

func mounted(t *testing.T, path string) {
	source := filepath.Join(filepath.Dir(path), "source")
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount(source, path, "", syscall.MS_BIND, ""); err != nil {
		t.Fatal(err)
	}
	before := read(t, path)
	if err := WriteBlock(path, own); err != nil {
		t.Fatal(err)
	}
	if got := read(t, source); got != before+block {
		t.Errorf("behind the mount: %q", got)
	}
	if err := RemoveBlock(path); err != nil {
		t.Fatal(err)
	}
	if got := read(t, source); got != before {
		t.Errorf("after removal: %q", got)
	}
	noLeftovers(t, filepath.Dir(path))
}
