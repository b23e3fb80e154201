package router

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/control"
	"github.com/netpol/netpol/enforcer/kernel/files"
	"github.com/netpol/netpol/enforcer/kernel/iprule"
	"github.com/netpol/netpol/enforcer/kernel/nft"
	"github.com/netpol/netpol/enforcer/reconcile"
)

// Names under the router's directories.
const (
	bundleName = "bundle.npb"   // under StateDir
	socketName = "netpold.sock" // under RunDir
)

// The table that netpol owns.
const (
	family = "inet"
	table  = "netpol"
)

// ConnlabelFiles are the label files under EtcDir. Which of them a tool (nft,
// conntrack, iptables) reads depends on how it was built.
func ConnlabelFiles() []string { return []string{"connlabel.conf", "xtables/connlabel.conf"} }

// Router names the places of one router; the network namespace is that of the
// calling thread.
type Router struct {
	StateDir string
	RunDir   string
	EtcDir   string

	// stopAt is told of each step of a change before and after it is done; tests
	// die there. nil otherwise.
	stopAt func(step string)
}

func (r Router) at(step string) {
	if r.stopAt != nil {
		r.stopAt(step)
	}
}

// Live is a router as it was read.
type Live struct {
	// State is everything of netpol's on the router, as objects.
	State reconcile.State
	// Bundle is the applied bundle; nil when there is none, or none that
	// this version of netpol can read.
	Bundle *artifact.Bundle
	// Table is the kernel's side, with counters.
	Table nft.State

	sets       []reconcile.Object // the managed sets of Bundle
	routes     []iprule.Rule
	connlabels []files.Connlabel // in the order of ConnlabelFiles
	damaged    error             // why the bundle file cannot be read

	// interrupted says that an apply is at work or was stopped midway; the state
	// is then as Recover will leave it.
	interrupted bool
}

// BundlePath is where the applied bundle lies.
func (r Router) BundlePath() string { return filepath.Join(r.StateDir, bundleName) }

// PendingPath is where a change that waits to be confirmed is noted.
func (r Router) PendingPath() string { return filepath.Join(r.StateDir, control.PendingName) }

// SocketPath is where netpold listens.
func (r Router) SocketPath() string { return filepath.Join(r.RunDir, socketName) }

func (r Router) connlabelPath(i int) string { return filepath.Join(r.EtcDir, ConnlabelFiles()[i]) }

// Read looks at the router. It changes nothing.
func (r Router) Read() (*Live, error) {
	live := &Live{}
	for i := range ConnlabelFiles() {
		c, err := files.ReadConnlabel(r.connlabelPath(i))
		if err != nil {
			return nil, err
		}
		live.connlabels = append(live.connlabels, c)
	}
	var err error
	live.Bundle, err = readBundleFile(r.BundlePath())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		// A bundle that cannot be read does not keep netpol from replacing it.
		live.damaged = err
	}
	live.Table, err = nft.Read(family, table, r.labelNames(live))
	if err != nil {
		return nil, err
	}
	if live.sets, err = readFlowSets(live.Bundle); err != nil {
		return nil, err
	}
	if live.routes, err = iprule.Read(); err != nil {
		return nil, err
	}
	if err := r.asRecovered(live); err != nil {
		return nil, err
	}
	if live.Bundle != nil {
		if err := live.Table.Clock(live.Bundle.Ruleset.Sets, time.Now()); err != nil {
			return nil, err
		}
	}
	live.State = r.liveState(live)
	return live, nil
}

// labelNames are the names of bits for people, from the primary label file.
func (r Router) labelNames(live *Live) map[int]string {
	names := map[int]string{}
	for _, l := range slices.Concat(live.connlabels[0].Foreign, live.connlabels[0].Own) {
		names[l.Bit] = l.Name
	}
	return names
}

// asRecovered makes live what Recover will make of an apply that was stopped
// midway, so that a plan made now is the plan of the apply that comes next.
func (r Router) asRecovered(live *Live) error {
	j, err := r.readJournal()
	if errors.Is(err, ErrJournal) {
		live.interrupted = true
		return nil
	}
	if err != nil || j == nil {
		return err
	}
	live.interrupted = true
	committed, b, err := r.committed(j)
	if err != nil {
		return err
	}
	for i := range live.connlabels {
		c := &live.connlabels[i]
		if committed {
			c.HasBlock, c.Own = true, b.Labels
		} else {
			c.HasBlock, c.Own = j.Files[i].Present, j.Files[i].Labels
		}
	}
	if committed {
		live.Bundle, live.damaged = b, nil
	} else {
		b = r.before(j)
	}
	b = cmp.Or(b, &artifact.Bundle{}) // nothing was in force
	live.sets, live.routes = flowSetObjects(b), iprule.Of(b.Routes)
	return nil
}

// Interrupted reports whether an apply is at work or was stopped midway.
func (l *Live) Interrupted() bool { return l.interrupted }

// Damaged is why the applied bundle cannot be read; nil if it can, or is not
// there.
func (l *Live) Damaged() error { return l.damaged }

// readBundleFile loads a bundle; the error wraps fs.ErrNotExist when there is
// none.
func readBundleFile(path string) (*artifact.Bundle, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read applied bundle: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, artifact.MaxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read applied bundle: %w", err)
	}
	return artifact.Decode(data)
}

// liveState is what Read found, as objects, in the order of a plan.
func (r Router) liveState(live *Live) reconcile.State {
	objects := append(policyObjects(live.Bundle), labelObjects(live.connlabels[0].Own)...)
	objects = append(objects, tableObjects(live.Table)...)
	objects = append(objects, live.sets...)
	objects = append(objects, routeObjects(live.routes)...)
	for i, c := range live.connlabels {
		if c.HasBlock {
			objects = append(objects, r.fileObject(i, c.Own))
		}
	}
	switch {
	case live.damaged != nil:
		objects = append(objects, reconcile.Object{Kind: kindBundle, ID: r.BundlePath(), Body: "unreadable: " + live.damaged.Error()})
	case live.Bundle != nil:
		objects = append(objects, r.bundleObject(live.Bundle))
	}
	return reconcile.State{Objects: objects}
}

// Want is what the router is to be under a bundle.
func (r Router) Want(b *artifact.Bundle) reconcile.State {
	objects := append(policyObjects(b), labelObjects(b.Labels)...)
	objects = append(objects, tableObjects(nft.Canonical(&b.Ruleset))...)
	objects = append(objects, flowSetObjects(b)...)
	objects = append(objects, routeObjects(iprule.Of(b.Routes))...)
	for i := range ConnlabelFiles() {
		objects = append(objects, r.fileObject(i, b.Labels))
	}
	return reconcile.State{Objects: append(objects, r.bundleObject(b))}
}

// fileObject is netpol's block of a label file.
func (r Router) fileObject(i int, labels []artifact.Label) reconcile.Object {
	body := ""
	for _, l := range labels {
		body += fmt.Sprintf("%d %s\n", l.Bit, l.Name)
	}
	summary := "netpol's block, 1 label"
	if len(labels) != 1 {
		summary = fmt.Sprintf("netpol's block, %d labels", len(labels))
	}
	return reconcile.Object{Kind: kindFile, ID: r.connlabelPath(i), Body: body, Summary: summary}
}

// Digest tells one state of the router from another, the order of rules
// included, which the digest of the objects alone leaves out.
func (l *Live) Digest() string {
	h := sha256.New()
	io.WriteString(h, l.State.Digest())
	for _, line := range l.Table.Lines() {
		io.WriteString(h, "\n"+line)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Diff is what has to be done so that the router runs the bundle; nil bundle
// means that nothing of netpol's is to be left.
func (r Router) Diff(live *Live, b *artifact.Bundle) []reconcile.Change {
	if b == nil {
		return reconcile.Diff(live.State, reconcile.State{})
	}
	changes := reconcile.Diff(live.State, r.Want(b))
	return append(changes, reordered(live.Table, nft.Canonical(&b.Ruleset))...)
}
