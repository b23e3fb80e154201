package router

import (
	"errors"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/flow"
	"github.com/netpol/netpol/enforcer/kernel/ct"
	"github.com/netpol/netpol/enforcer/kernel/kerneltest"
	"github.com/netpol/netpol/enforcer/reconcile"
)

const foreignLine = "7 corporate\n"

// newRouter is a router in directories of its own, with a foreign label line.
func newRouter(t *testing.T) Router {
	t.Helper()
	dir := t.TempDir()
	r := Router{StateDir: filepath.Join(dir, "state"), RunDir: filepath.Join(dir, "run"), EtcDir: filepath.Join(dir, "etc")}
	if err := os.Mkdir(r.EtcDir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(r.connlabelPath(0), []byte(foreignLine), 0o644); err != nil {
		t.Fatal(err)
	}
	return r
}

func sampleBundle() *artifact.Bundle {
	return &artifact.Bundle{
		Format: artifact.FormatVersion,
		Labels: []artifact.Label{{Name: "np-seen", Bit: 0, Auto: true}, {Name: "zoom", Bit: 1}},
		Policies: []artifact.Policy{
			{Name: "zoom", File: "z.netpol.hcl", Line: 3, Criteria: "app == 'zoom'", Labels: []string{"zoom"}, DSCP: "cs5"},
		},
		Ruleset: artifact.Ruleset{Family: family, Table: table, Chains: []artifact.Chain{{
			Name: "np_init",
			Rules: []artifact.Rule{
				{ID: "init/np-seen", Do: []artifact.Statement{{Kind: artifact.DoSetCTLabel, Bit: 0, Name: "np-seen"}}},
				{ID: "end", Comment: "z.netpol.hcl:3 zoom", Do: []artifact.Statement{{Kind: artifact.DoReturn}}},
			},
		}}},
	}
}

func read(t *testing.T, r Router) *Live {
	t.Helper()
	live, err := r.Read()
	if err != nil {
		t.Fatal(err)
	}
	return live
}

func quiet(string) {}

func TestApplyThenNothingIsLeftToDo(t *testing.T) {
	kerneltest.NewNS(t)
	r, b := newRouter(t), sampleBundle()
	unlock, err := r.Lock()
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	before := read(t, r)
	if got := r.Diff(before, nil); len(got) != 0 {
		t.Errorf("a bare router has %v", got)
	}
	if err := r.Apply(b, before, quiet); err != nil {
		t.Fatal(err)
	}
	after := read(t, r)
	if got := r.Diff(after, b); len(got) != 0 {
		t.Errorf("after apply there is left: %v", got)
	}
	if after.Digest() == before.Digest() {
		t.Error("apply did not change the digest")
	}
	if after.Bundle == nil || after.Bundle.Digest() != b.Digest() {
		t.Error("the bundle was not left in the state directory")
	}
}

func TestApplyTakesBackWhatTheKernelRefused(t *testing.T) {
	kerneltest.NewNS(t)
	r, b := newRouter(t), sampleBundle()
	// A jump to a chain that does not exist: well formed, and refused.
	b.Ruleset.Chains[0].Rules = append(b.Ruleset.Chains[0].Rules,
		artifact.Rule{ID: "lost", Do: []artifact.Statement{{Kind: artifact.DoJump, Name: "np_nowhere"}}})
	unlock, err := r.Lock()
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Apply(b, read(t, r), quiet); err == nil {
		t.Fatal("the kernel took a jump to nowhere")
	}
	unlock()
	assertBare(t, r)
}

func TestApplyRefusesARulesetThatMoved(t *testing.T) {
	ns := kerneltest.NewNS(t)
	r, b := newRouter(t), sampleBundle()
	unlock, err := r.Lock()
	if err != nil {
		t.Fatal(err)
	}
	live := read(t, r)
	ns.Run("nft", "add table inet netpol")
	if err := r.Apply(b, live, quiet); !errors.Is(err, ErrMoved) {
		t.Errorf("got %v, want %v", err, ErrMoved)
	}
	unlock()
	ns.Run("nft", "delete table inet netpol")
	assertBare(t, r)
}

// assertBare fails unless the router is as newRouter made it.
func assertBare(t *testing.T, r Router) {
	t.Helper()
	if got := r.Diff(read(t, r), nil); len(got) != 0 {
		t.Errorf("left behind: %v", got)
	}
	if data, err := os.ReadFile(r.connlabelPath(0)); err != nil || string(data) != foreignLine {
		t.Errorf("the foreign file is %q, %v", data, err)
	}
	for _, path := range []string{r.connlabelPath(1), filepath.Dir(r.connlabelPath(1)), r.StateDir} {
		if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s is still there", path)
		}
	}
}

func TestApplyReplacesADamagedBundle(t *testing.T) {
	kerneltest.NewNS(t)
	r, b := newRouter(t), sampleBundle()
	unlock, err := r.Lock()
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	if err := os.WriteFile(r.BundlePath(), []byte("rubbish"), 0o644); err != nil {
		t.Fatal(err)
	}
	live := read(t, r)
	changes := r.Diff(live, b)
	last := changes[len(changes)-1]
	if last.Kind != kindBundle || last.Action != reconcile.Update || !strings.Contains(last.Before, "unreadable") {
		t.Errorf("got %+v, want the bundle replaced", last)
	}
	if err := r.Apply(b, live, quiet); err != nil {
		t.Fatal(err)
	}
	if got := r.Diff(read(t, r), b); len(got) != 0 {
		t.Errorf("left to do: %v", got)
	}
}

func TestDestroyLeavesNoTrace(t *testing.T) {
	kerneltest.NewNS(t)
	r := newRouter(t)
	unlock, err := r.Lock()
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Apply(sampleBundle(), read(t, r), quiet); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(r.RemoveBundle(), r.Destroy(read(t, r), quiet)); err != nil {
		t.Fatal(err)
	}
	unlock()
	assertBare(t, r)
}

// What the enforcer wrote on an open connection goes with destroy; what others
// wrote stays.
func TestDestroyClearsOpenConnections(t *testing.T) {
	lab := kerneltest.NewLab(t)
	lab.Router.Enter()
	r, b := newRouter(t), sampleBundle()
	b.Settings.DoneMark = 0x80000000
	b.Policies[0].Mark = &artifact.Mark{Value: 0x20, Mask: 0xf0}
	unlock, err := r.Lock()
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	if err := r.Apply(b, read(t, r), quiet); err != nil {
		t.Fatal(err)
	}
	lab.Client.Do(func() {
		c, err := net.Dial("udp", netip.AddrPortFrom(lab.ServerAddr4, 8801).String())
		if err != nil {
			t.Error(err)
			return
		}
		defer c.Close()
		if _, err := c.Write([]byte("hello")); err != nil {
			t.Error(err)
		}
	})
	tuple := onlyConn(t).Orig
	w, err := ct.NewWriter()
	if err != nil {
		t.Fatal(err)
	}
	set := flow.Update{
		Tuple: tuple, Labels: [16]byte{0x82}, LabelMask: [16]byte{0x82}, // zoom, and another's bit 7
		Mark: 0x80000023, MarkMask: 0xffffffff,
	}
	if err := errors.Join(w.Write(set), w.Close()); err != nil {
		t.Fatal(err)
	}
	if c := onlyConn(t); c.Labels != set.Labels || c.Mark != set.Mark {
		t.Fatalf("before: labels %x mark %#x", c.Labels, c.Mark)
	}
	live := read(t, r)
	if err := errors.Join(r.RemoveBundle(), r.Destroy(live, quiet)); err != nil {
		t.Fatal(err)
	}
	if c := onlyConn(t); c.Labels != [16]byte{0x80} || c.Mark != 0x3 {
		t.Errorf("after: labels %x mark %#x, want only bit 7 and 0x3", c.Labels, c.Mark)
	}
}

// onlyConn is the one UDP connection to the lab's server, once the kernel has it.
func onlyConn(t *testing.T) ct.Conn {
	t.Helper()
	client, err := ct.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = client.Close() }()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		var found []ct.Conn
		if err := client.Dump(func(c ct.Conn) error {
			if c.Orig.DstPort == 8801 {
				found = append(found, c)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if len(found) == 1 {
			return found[0]
		}
	}
	t.Fatal("the connection is not in conntrack")
	return ct.Conn{}
}
