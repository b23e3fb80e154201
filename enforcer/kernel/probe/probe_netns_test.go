//go:build linux

package probe

import (
	"errors"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/kernel/capture"
	"github.com/netpol/netpol/enforcer/kernel/kerneltest"
	"github.com/netpol/netpol/enforcer/kernel/nft"
)

func TestAllLeavesNoTrace(t *testing.T) {
	ns := kerneltest.NewNS(t)
	for _, r := range All() {
		if r.Err != nil {
			t.Errorf("%s: %v (the kernels netpol is tested on have it)", r.Feature, r.Err)
		}
	}
	if out := ns.Run("nft", "list ruleset"); out != "" {
		t.Errorf("ruleset after probing:\n%s", out)
	}
}

// What no kernel can do is reported as not supported, with the way out.
func TestUnsupportedIsNamed(t *testing.T) {
	kerneltest.NewNS(t)
	// To a jump to nowhere the kernel says what it says to a missing module.
	err := try("time travel", "99.1", "nft_tardis", artifact.Rule{Do: []artifact.Statement{{Kind: artifact.DoJump, Name: "np_nowhere"}}})
	if !errors.Is(err, ErrNotSupported) || !errors.Is(err, unix.ENOENT) {
		t.Fatalf("got %v, want ErrNotSupported and ENOENT", err)
	}
	for _, want := range []string{"time travel", "99.1", "nft_tardis"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in %v", want, err)
		}
	}
}

// A kernel may be without flowtables; it must say so in a way that a person can act on.
func TestFlowtableIsThereOrNamed(t *testing.T) {
	kerneltest.NewNS(t)
	err := HaveFlowtable()
	if err == nil {
		return
	}
	if !errors.Is(err, ErrNotSupported) || !strings.Contains(err.Error(), "CONFIG_NF_FLOW_TABLE") {
		t.Errorf("got %v", err)
	}
}

func TestNoPermissionIsInconclusive(t *testing.T) {
	ns := kerneltest.NewNS(t)
	var err error
	ns.DoUnprivileged(func() { err = HaveInet() })
	if err == nil || errors.Is(err, ErrNotSupported) || !strings.Contains(err.Error(), "CAP_NET_ADMIN") {
		t.Errorf("got %v, want an error about CAP_NET_ADMIN that is not ErrNotSupported", err)
	}
}

// The kernels netpol is tested on hold packets, one way or the other.
func TestQueueIsThere(t *testing.T) {
	ns := kerneltest.NewNS(t)
	form, err := HaveQueue()
	if err != nil || form != nft.QueueNative && form != nft.QueueTarget {
		t.Errorf("got %q, %v", form, err)
	}
	if out := ns.Run("nft", "list ruleset"); out != "" {
		t.Errorf("ruleset after probing:\n%s", out)
	}
	if err := capture.CanQueue(); err != nil {
		t.Error(err)
	}
	ns.DoUnprivileged(func() { _, err = HaveQueue() })
	if err == nil || errors.Is(err, ErrNotSupported) {
		t.Errorf("got %v, want an error about permission", err)
	}
}
