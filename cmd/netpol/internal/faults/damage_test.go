package faults

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/netpol/netpol/cmd/netpol/internal/router"
	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/control"
	"github.com/netpol/netpol/enforcer/kernel/kerneltest"
)

// damaged changes one byte of each file that netpol depends on, at each place,
// and fails unless the file's reader finds it.
func damaged(t *trial) {
	h := newHost(t, kerneltest.NewNS(t))
	h.apply()
	h.write("policies/some.netpol.hcl", strings.ReplaceAll(somePolicies, "cs5", "cs1"))
	h.netpol(0, "apply", "--auto-approve", "--confirm", "1h", h.path("policies"))
	defer h.netpol(0, "confirm")
	r := router.Router{StateDir: h.path("state"), RunDir: h.path("run"), EtcDir: h.path("etc")}
	record := h.path("state/revisions/2.json")
	journal, err := os.ReadFile(record)
	if err != nil {
		t.Fatal(err)
	}
	files := []struct {
		path string
		read func() error
	}{
		{record, func() error { _, err := r.History(); return err }},
		{r.PendingPath(), func() error { _, err := control.ReadPending(r.PendingPath()); return err }},
		{h.path("state/revisions/2.npb"), func() error { _, err := r.Bundle(2); return err }},
		{r.BundlePath(), func() error { _, err := r.CurrentSerial(); return err }},
		{h.path("state/journal.json"), func() error { return h.journalDamaged(r) }},
	}
	h.write("state/journal.json", string(journal))
	var figures []string
	for _, f := range files {
		offsets, found := h.flip(f.path, f.read)
		if found != offsets {
			t.Errorf("%s: %d of %d damages found", f.path, found, offsets)
		}
		figures = append(figures, fmt.Sprintf("%s %d of %d", filepath.Base(f.path), found, offsets))
	}
	if err := os.Remove(h.path("state/journal.json")); err != nil {
		t.Fatal(err)
	}
	offsets, found := smallBundle(t)
	if found != offsets {
		t.Errorf("a small bundle: %d of %d damages found", found, offsets)
	}
	t.measure("found: %s; a small bundle, every bit, %d of %d; 0 panics", strings.Join(figures, ", "), found, offsets)
}

// journalDamaged reads the journal as apply does, which says so when it is
// damaged, and sets it aside.
func (h *host) journalDamaged(r router.Router) (err error) {
	data, readErr := os.ReadFile(h.path("state/journal.json"))
	if readErr != nil {
		h.Fatal(readErr)
	}
	step := func(text string) {
		if strings.Contains(text, "damaged") {
			err = fmt.Errorf("recover: %s", text)
		}
	}
	if recoverErr := r.Recover(step); recoverErr != nil {
		h.Fatal(recoverErr)
	}
	h.write("state/journal.json", string(data))
	return err
}

// most offsets of a large file are tried in some seconds: its header's, and others
// at even distances.
func stride(size int) int {
	return max(1, size/rounds(40, 3000))
}

// flip changes bytes of a file one at a time and counts how many its reader finds.
func (h *host) flip(path string, read func() error) (offsets, found int) {
	h.Helper()
	whole, err := os.ReadFile(path)
	if err != nil {
		h.Fatal(err)
	}
	if err := read(); err != nil && filepath.Base(path) != "journal.json" {
		h.Fatalf("%s cannot be read undamaged: %v", path, err)
	}
	header := min(len(whole), rounds(20, 200))
	for i := 0; i < len(whole); i++ {
		if i > header {
			i = min(len(whole)-1, i-1+stride(len(whole)))
		}
		bad := append([]byte(nil), whole...)
		bad[i] ^= byte(1 << (i % 8))
		if err := os.WriteFile(path, bad, 0o644); err != nil {
			h.Fatal(err)
		}
		offsets++
		if read() != nil {
			found++
		} else {
			h.Errorf("%s: byte %d changed, and nobody noticed", path, i)
		}
	}
	if err := os.WriteFile(path, whole, 0o644); err != nil {
		h.Fatal(err)
	}
	return offsets, found
}

// smallBundle changes every bit of a bundle.
func smallBundle(t *trial) (offsets, found int) {
	t.Helper()
	b := &artifact.Bundle{
		Format: artifact.FormatVersion, ABI: "x", Labels: []artifact.Label{{Name: "zoom", Bit: 3}},
		Policies: []artifact.Policy{{Name: "p", File: "a", Line: 1}},
	}
	whole, err := artifact.Encode(b)
	if err != nil {
		t.Fatal(err)
	}
	for i := range whole {
		for bit := range 8 {
			bad := append([]byte(nil), whole...)
			bad[i] ^= 1 << bit
			offsets++
			if _, err := artifact.Decode(bad); err != nil {
				found++
			}
		}
	}
	return offsets, found
}

// damagedDeadline damages the file of a change that waits to be confirmed while
// its keeper knows it.
func damagedDeadline(t *trial) {
	h := newHost(t, kerneltest.NewNS(t))
	h.apply()
	before := h.table()
	d := h.netpold()
	h.write("policies/some.netpol.hcl", strings.ReplaceAll(somePolicies, "cs5", "cs1"))
	h.netpol(0, "apply", "--auto-approve", "--confirm", "3s", h.path("policies"))
	time.Sleep(time.Second) // the keeper has read it
	h.write("state/pending.json", `{"revision":1,"bef`)
	h.within(2*time.Second, "show tells", func() bool { return strings.Contains(h.netpol(0, "show"), "deadline cannot be read") })
	h.within(5*time.Second, "the change is taken back", func() bool { return !h.exists("state/pending.json") })
	if after := h.table(); after != before {
		t.Errorf("went back to\n%s\nwant\n%s", after, before)
	}
	if n := strings.Count(d.log.String(), "code=deadline"); n < 1 {
		t.Errorf("netpold does not tell:\n%s", d.log)
	}
	t.measure("told by show, and taken back all the same")
}
