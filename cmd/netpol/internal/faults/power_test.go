package faults

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/netpol/netpol/enforcer/kernel/kerneltest"
)

const (
	// imageBytes is small, so that it is read twice between two writes.
	imageBytes = 12 << 20
	// historyFits is how many revisions of 0.6 MB are let grow in it.
	historyFits = 5
)

// powerCut takes copies of a disk at moments within applies, as it would be found
// after the power was lost, and starts a router from each.
func powerCut(t *trial) {
	t.need("mkfs.ext4", "strace")
	e := newEditor(t)
	ram := e.path("ram")
	if err := os.Mkdir(ram, 0o755); err != nil {
		t.Fatal(err)
	}
	e.mount("-t", "tmpfs", "-o", "size=512M", "netpol-test", ram)
	disk := e.disk(filepath.Join(ram, "disk"))
	if err := os.RemoveAll(e.path("state")); err != nil {
		t.Fatal(err)
	}
	e.mount("--bind", disk, e.mkdir("state"))
	e.apply()
	images := e.cuts(filepath.Join(ram, "disk"), rounds(3, 60))
	old := 0
	var starts times
	for i, image := range images {
		took, was := e.boot(filepath.Join(ram, "cut"+strconv.Itoa(i)), image)
		starts = append(starts, took)
		old += was
	}
	e.usually(starts, 2*time.Second, "starting")
	t.measure("%d cuts within applies: all start, whole and without drift, in %s; %d found an apply to finish or take back, torn 0", len(images), starts, old)
}

func (h *host) mkdir(name string) string {
	h.Helper()
	if err := os.MkdirAll(h.path(name), 0o755); err != nil {
		h.Fatal(err)
	}
	return h.path(name)
}

// disk makes a file system in a file and mounts it.
func (h *host) disk(image string) (dir string) {
	h.Helper()
	if err := os.WriteFile(image, make([]byte, imageBytes), 0o644); err != nil {
		h.Fatal(err)
	}
	if out, err := exec.Command("mkfs.ext4", "-q", "-m", "0", "-b", "1024", "-N", "512", image).CombinedOutput(); err != nil {
		h.unable("mkfs.ext4: %v %s", err, out)
	}
	dir = image + ".mnt"
	if err := os.Mkdir(dir, 0o755); err != nil {
		h.Fatal(err)
	}
	h.mount("-o", "loop", image, dir)
	return dir
}

// applyOn applies changes until end is closed; busy says when. Each write that
// counts is followed by a pause, in which the disk can be read.
func (e *editor) applyOn(end <-chan struct{}, busy *atomic.Bool) {
	for {
		select {
		case <-end:
			return
		default:
		}
		e.edit()
		apply := e.command("apply", "--auto-approve", e.path("policies"))
		busy.Store(true)
		e.ns.Do(func() {
			_ = exec.Command("strace", append([]string{
				"-f", "-qq", "-o", "/dev/null", "-e", "trace=fsync,renameat,unlinkat",
				"-e", "inject=fsync,renameat,unlinkat:delay_exit=30000",
			}, apply.Args...)...).Run()
		})
		busy.Store(false)
		e.forgetHistory()
	}
}

// cuts copies a disk at moments at which applies are at work on it.
func (e *editor) cuts(image string, n int) (images [][]byte) {
	e.Helper()
	var busy atomic.Bool
	end := make(chan struct{})
	var applying sync.WaitGroup
	applying.Go(func() { e.applyOn(end, &busy) })
	for deadline := time.Now().Add(2 * time.Minute); len(images) < n && time.Now().Before(deadline); {
		time.Sleep(time.Duration(len(images)%7) * 11 * time.Millisecond) // anywhere
		if !busy.Load() {
			continue
		}
		if copied := still(image); copied != nil {
			images = append(images, copied)
		}
	}
	close(end)
	applying.Wait()
	if len(images) < n {
		e.Errorf("only %d of %d cuts: the disk was never still", len(images), n)
	}
	return images
}

// forgetHistory keeps the disk from getting full.
func (e *editor) forgetHistory() {
	bundles, _ := filepath.Glob(e.path("state/revisions/*.npb")) // the pattern is well formed
	if len(bundles) < historyFits {
		return
	}
	for _, b := range bundles {
		serial, _ := strconv.Atoi(strings.TrimSuffix(filepath.Base(b), ".npb"))
		if serial%100 < e.n%100-historyFits+1 {
			_ = os.Remove(b)
			_ = os.Remove(strings.TrimSuffix(b, ".npb") + ".json")
		}
	}
}

// still copies a file that two readings in a row find the same: what was written
// between them was not, so that the copy is the file at one moment. nil if it
// was not still.
func still(path string) []byte {
	first, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	second, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(first, second) {
		return nil
	}
	return first
}

// boot starts a router from a disk, and fails unless it runs what was applied as a
// whole. undone is 1 if an apply had to be finished or taken back.
func (e *editor) boot(path string, image []byte) (took time.Duration, undone int) {
	e.Helper()
	if err := os.WriteFile(path, image, 0o644); err != nil {
		e.Fatal(err)
	}
	dir := path + ".mnt"
	if err := os.Mkdir(dir, 0o755); err != nil {
		e.Fatal(err)
	}
	e.mount("-o", "loop", path, dir)
	lab := kerneltest.NewNS(e) // a kernel that has just started
	h := &host{trial: e.trial, ns: lab, dir: dir}
	run := func(want int, verb string, args ...string) string {
		cmd := exec.Command(e.path("bin/netpol"), append([]string{verb, "--state-dir", dir, "--run-dir", dir, "--etc-dir", e.path("etc")}, args...)...)
		out, code := h.run(cmd)
		if code != want {
			e.Errorf("netpol %s: exit code %d, want %d\n%s", verb, code, want, out)
		}
		return out
	}
	began := time.Now()
	out := run(0, "restore")
	took = time.Since(began)
	e.want(run(0, "plan", "--refresh-only", "--detailed-exitcode"), "No drift.")
	if shown := run(0, "show"); strings.Contains(shown, "damaged") {
		e.Errorf("after a power cut:\n%s", shown)
	}
	if strings.Contains(out, "interrupted") {
		undone = 1
	}
	_ = exec.Command("umount", dir).Run()
	_ = os.Remove(path)
	return took, undone
}
