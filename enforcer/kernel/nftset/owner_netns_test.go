//go:build linux

package nftset

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/kernel/kerneltest"
	"github.com/netpol/netpol/enforcer/kernel/nft"
)

// owned is a table that may have an owner, with a set whose elements live on.
func owned() *artifact.Ruleset {
	return &artifact.Ruleset{
		Family: "inet", Table: "netpol", Persist: true,
		Sets:   []artifact.Set{{Name: "np_alive", Type: artifact.SetFamily, Heartbeat: artifact.HeartbeatLife, Elements: artifact.HeartbeatElements()}},
		Chains: []artifact.Chain{{Name: "np_in", Hook: "input", Type: "filter", Rules: []artifact.Rule{{ID: "count", Do: []artifact.Statement{{Kind: artifact.DoCounter}}}}}},
	}
}

// A table with an owner is passed by when all tables are flushed, takes elements
// from its owner alone, and is there for the next when the owner has gone.
func TestOwnerKeepsTheTable(t *testing.T) {
	ns := kerneltest.NewNS(t)
	ns.Enter()
	rs := owned()
	if err := nft.Apply(rs); err != nil {
		t.Fatal(err)
	}
	var o, other Owner
	if got, err := o.Adopt("inet", "nothing"); got || err != nil {
		t.Errorf("adopted a table that is not there: %v, %v", got, err)
	}
	if got, err := o.Adopt("inet", "netpol"); !got || err != nil {
		t.Fatalf("adopt: %v, %v", got, err)
	}
	if got, err := other.Adopt("inet", "netpol"); got || !errors.Is(err, ErrOwned) {
		t.Errorf("adopted twice: %v, %v", got, err)
	}
	ns.Run("nft", "flush ruleset")
	if out, err := exec.Command("nft", "delete table inet netpol").CombinedOutput(); err == nil {
		t.Errorf("anybody deletes it: %s", out)
	}
	if s := state(t); !s.Present || !s.Persist || s.Owner == 0 || len(s.Chains) != 1 {
		t.Fatalf("after a flush: %+v", s)
	}
	if err := Renew("inet", "netpol", rs.Sets); !errors.Is(err, unix.EPERM) {
		t.Errorf("a heartbeat past the owner: %v", err)
	}
	for range 3 {
		if err := o.Renew("inet", "netpol", rs.Sets); err != nil {
			t.Errorf("the owner's heartbeat: %v", err)
		}
	}
	if err := nft.Apply(rs); !errors.Is(err, unix.EPERM) || !strings.Contains(err.Error(), "no other process owns") {
		t.Errorf("another replaces it: %v", err)
	}
	if err := o.Release(); err != nil || o.Owns() {
		t.Fatal(err)
	}
	if s := state(t); !s.Present || s.Owner != 0 {
		t.Fatalf("after its owner went: %+v", s)
	}
	if err := nft.Apply(rs); err != nil {
		t.Errorf("replace the table that nobody owns: %v", err)
	}
	if got, err := other.Adopt("inet", "netpol"); !got || err != nil {
		t.Errorf("the next owner: %v, %v", got, err)
	}
	if err := other.Release(); err != nil {
		t.Error(err)
	}
}

// A refused transaction leaves the owning socket fit for the next.
func TestOwnerAfterARefusal(t *testing.T) {
	kerneltest.NewNS(t).Enter()
	rs := owned()
	if err := nft.Apply(rs); err != nil {
		t.Fatal(err)
	}
	var o Owner
	if _, err := o.Adopt("inet", "netpol"); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = o.Release() }()
	gone := []artifact.Set{rs.Sets[0], rs.Sets[0]}
	gone[1].Name = "np_gone"
	if err := o.Renew("inet", "netpol", gone); !errors.Is(err, ErrNoSet) {
		t.Errorf("a set that is not there: %v", err)
	}
	if err := o.Renew("inet", "netpol", rs.Sets); err != nil {
		t.Errorf("after that: %v", err)
	}
}

// A table without the flag is left as it is: it would go with its owner.
func TestOnlyLastingTablesAreAdopted(t *testing.T) {
	kerneltest.NewNS(t).Enter()
	rs := owned()
	rs.Persist = false
	if err := nft.Apply(rs); err != nil {
		t.Fatal(err)
	}
	var o Owner
	if got, err := o.Adopt("inet", "netpol"); got || err != nil {
		t.Errorf("adopt: %v, %v", got, err)
	}
	if err := o.Renew("inet", "netpol", rs.Sets); err != nil {
		t.Errorf("a heartbeat without owning: %v", err)
	}
	rs.Persist = true // the flags change with a new table
	if err := nft.Apply(rs); err != nil {
		t.Fatal(err)
	}
	if s := state(t); !s.Persist {
		t.Errorf("after the change: %+v", s)
	}
}

// The table of a process that is killed stays.
func TestTableOutlivesItsOwner(t *testing.T) {
	if os.Getenv("NETPOL_OWN_AND_WAIT") != "" {
		var o Owner
		if got, err := o.Adopt("inet", "netpol"); !got || err != nil {
			t.Fatal(got, err)
		}
		time.Sleep(time.Minute)
	}
	kerneltest.NewNS(t).Enter()
	if err := nft.Apply(owned()); err != nil {
		t.Fatal(err)
	}
	child := exec.Command(os.Args[0], "-test.run=^TestTableOutlivesItsOwner$")
	child.Env = append(os.Environ(), "NETPOL_OWN_AND_WAIT=1")
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(20 * time.Second); state(t).Owner == 0; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the child does not adopt the table")
		}
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait()
	if s := state(t); !s.Present || !s.Persist || s.Owner != 0 || len(s.Chains) != 1 {
		t.Errorf("after kill -9: %+v", s)
	}
}

func state(t *testing.T) nft.State {
	t.Helper()
	s, err := nft.Read("inet", "netpol", nil)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
