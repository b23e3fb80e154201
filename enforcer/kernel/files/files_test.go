package files

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/netpol/netpol/compiler/artifact"
)

var own = []artifact.Label{{Name: "zoom", Bit: 7}, {Name: "np-seen", Bit: 3, Auto: true}}

const block = "# BEGIN netpol: made by netpol apply, do not edit\n3 np-seen\n7 zoom\n# END netpol\n"

func TestBlock(t *testing.T) {
	made := strings.Replace(block, "edit", "edit; made: file", 1)
	cases := []struct {
		name, in string
		absent   bool
		want     string
	}{
		{"no file", "", true, made},
		{"empty file", "", false, block},
		{"foreign lines", "# mine\n0 bulk\n\n9\tother # x\n", false, "# mine\n0 bulk\n\n9\tother # x\n" + block},
		{"no newline at the end", "0 bulk", false, "0 bulk\n" + strings.Replace(block, "edit", "edit; made: newline", 1)},
		{"carriage returns and rubbish", "0 bulk\r\n\xff\xfe\x00zz\n", false, "0 bulk\r\n\xff\xfe\x00zz\n" + block},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "connlabel.conf")
			if !c.absent {
				write(t, path, c.in)
			}
			for range 2 {
				if err := WriteBlock(path, own); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(c.want, read(t, path)); diff != "" {
					t.Errorf("-want +got:\n%s", diff)
				}
			}
			if err := WriteBlock(path, own[:1]); err != nil {
				t.Fatal(err)
			}
			if got := read(t, path); strings.Contains(got, "np-seen") || !strings.Contains(got, "7 zoom\n") {
				t.Errorf("after a smaller block:\n%s", got)
			}
			for range 2 {
				if err := RemoveBlock(path); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := os.Lstat(path); c.absent != errors.Is(err, fs.ErrNotExist) {
				t.Fatalf("file after removal: %v, was absent before: %v", err, c.absent)
			}
			if !c.absent {
				if diff := cmp.Diff(c.in, read(t, path)); diff != "" {
					t.Errorf("after removal (-want +got):\n%s", diff)
				}
			}
			noLeftovers(t, filepath.Dir(path))
		})
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func noLeftovers(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".new") {
			t.Errorf("left behind: %s", e.Name())
		}
	}
}

// What others add to a file that netpol made keeps it alive.
func TestForeignLinesOutliveTheBlock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "xtables", "connlabel.conf")
	if err := WriteBlock(path, own); err != nil {
		t.Fatal(err)
	}
	write(t, path, "1 before\n"+read(t, path)+"2 after\n")
	c, err := ReadConnlabel(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]artifact.Label{{Name: "before", Bit: 1}, {Name: "after", Bit: 2}}, c.Foreign); diff != "" {
		t.Errorf("foreign labels (-want +got):\n%s", diff)
	}
	if err := WriteBlock(path, own[:1]); err != nil {
		t.Fatal(err)
	}
	if err := RemoveBlock(path); err != nil {
		t.Fatal(err)
	}
	if got := read(t, path); got != "1 before\n2 after\n" {
		t.Errorf("after removal: %q", got)
	}
}

func TestMadeDirectoryGoes(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "xtables")
	path := filepath.Join(dir, "connlabel.conf")
	if err := WriteBlock(path, own); err != nil {
		t.Fatal(err)
	}
	if err := RemoveBlock(path); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("directory is still there: %v", err)
	}
}

func TestParse(t *testing.T) {
	cases := []struct {
		name, in     string
		own, foreign []artifact.Label
	}{
		{"comments and blanks", "#1 a\n\n 2 b \n", nil, []artifact.Label{{Name: "b", Bit: 2}}},
		{"bases", "0x10 a\n010 b\n", nil, []artifact.Label{{Name: "a", Bit: 16}, {Name: "b", Bit: 8}}},
		{"out of range", "128 a\n-1 b\nx c\n", nil, nil},
		{"lost end", "# BEGIN netpol\n1 a\nfirst foreign\n2 b\n", []artifact.Label{{Name: "a", Bit: 1}}, []artifact.Label{{Name: "b", Bit: 2}}},
		{"end of file as end", "# BEGIN netpol\n1 a", []artifact.Label{{Name: "a", Bit: 1}}, nil},
		{"second block is foreign", block + "# BEGIN netpol\n9 z\n# END netpol\n", []artifact.Label{{Name: "np-seen", Bit: 3}, {Name: "zoom", Bit: 7}}, []artifact.Label{{Name: "z", Bit: 9}}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got := ParseConnlabel([]byte(c.in))
			if diff := cmp.Diff(c.own, got.Own); diff != "" {
				t.Errorf("own (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(c.foreign, got.Foreign); diff != "" {
				t.Errorf("foreign (-want +got):\n%s", diff)
			}
		})
	}
}

func TestClashes(t *testing.T) {
	c := ParseConnlabel([]byte("7 video\n9 zoom\n3 np-seen\n20 free\n"))
	want := []artifact.Label{{Name: "video", Bit: 7}, {Name: "zoom", Bit: 9}}
	if diff := cmp.Diff(want, c.Clashes(own)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestLinks(t *testing.T) {
	dir := t.TempDir()
	target, link := filepath.Join(dir, "target"), filepath.Join(dir, "link")
	write(t, target, "1 a\n")
	if err := os.Symlink(target, link); err != nil {
		t.Fatal(err)
	}
	if err := WriteBlock(link, own); err != nil {
		t.Fatal(err)
	}
	if got := read(t, target); got != "1 a\n"+block {
		t.Errorf("target of our own link: %q", got)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&fs.ModeSymlink == 0 {
		t.Errorf("the link was replaced: %v %v", info, err)
	}
	if os.Geteuid() != 0 {
		t.Skip("giving a link away needs root")
	}
	if err := os.Lchown(link, 65534, 65534); err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{"write": WriteBlock(link, nil), "remove": RemoveBlock(link)} {
		if err == nil || !strings.Contains(err.Error(), "another user") {
			t.Errorf("%s through a stranger's link: %v", name, err)
		}
	}
	if got := read(t, target); got != "1 a\n"+block {
		t.Errorf("target changed: %q", got)
	}
}

func TestRefusedFiles(t *testing.T) {
	dir := t.TempDir()
	large := filepath.Join(dir, "large")
	write(t, large, strings.Repeat("#", maxConnlabel+1))
	if err := WriteBlock(large, own); !errors.Is(err, errTooLarge) {
		t.Errorf("large file: %v", err)
	}
	if err := WriteBlock(dir, own); err == nil {
		t.Error("a directory was taken for a file")
	}
	if err := WriteBlock(filepath.Join(dir, "a", "b", "c"), own); err == nil {
		t.Error("more than one directory was made")
	}
	noLeftovers(t, dir)
}

func TestAtomicKeepsTheOldOnFailure(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "x")
	write(t, path, "old")
	s, err := Stage(path, []byte("new"), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if got := read(t, path); got != "old" {
		t.Errorf("before Commit: %q", got)
	}
	s.Discard()
	noLeftovers(t, dir)
	if err := Atomic(path, []byte("new"), 0o600); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 || read(t, path) != "new" {
		t.Errorf("after Atomic: %v %v", info, err)
	}
	if err := Atomic(dir, []byte("new"), 0o600); err == nil {
		t.Error("a directory was replaced")
	}
	noLeftovers(t, filepath.Dir(dir))
}

// FuzzBlock: whatever stands in the file, netpol's block goes in and foreign
// labels stay; out again, a file that had none is the same byte for byte.
func FuzzBlock(f *testing.F) {
	f.Add([]byte("0 bulk\n# BEGIN netpol\n1 a\n# END netpol\nx"))
	f.Add([]byte("0 bulk\r\n\x00"))
	f.Fuzz(func(t *testing.T, in []byte) {
		c := ParseConnlabel(in)
		again := ParseConnlabel(c.With(own))
		if len(again.Own) != len(own) || again.Own[0].Name != "np-seen" || again.Own[1].Name != "zoom" {
			t.Fatalf("block read back as %v", again.Own)
		}
		if diff := cmp.Diff(c.Foreign, again.Foreign); diff != "" {
			t.Fatalf("foreign labels changed:\n%s", diff)
		}
		got := again.without()
		if !c.HasBlock && !bytes.Equal(in, got) {
			t.Fatalf("%q became %q", in, got)
		}
	})
}
