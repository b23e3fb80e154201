package spool

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/netpol/netpol/enforcer/kernel/kerneltest"
)

func open(t *testing.T, c Config) *Spool {
	t.Helper()
	if c.MaxBytes == 0 {
		c.MaxBytes = 1 << 20
	}
	s, err := Open(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// drain reads everything, and is done with it.
func drain(s *Spool) (list []string) {
	for {
		b, ok := s.Next()
		if !ok {
			return list
		}
		list = append(list, string(b.Records))
		s.Done(b)
	}
}

func number(i int) string { return fmt.Sprintf("record %d %s\n", i, strings.Repeat("x", i%1000)) }

// TestOrder writes and reads through several files and openings: everything
// comes once and in order, and nothing is left on the disk.
func TestOrder(t *testing.T) {
	c := Config{Dir: filepath.Join(t.TempDir(), "a", "b")}
	s := open(t, c)
	var want []string
	for i := range 1500 {
		if err := s.Append([]byte(number(i)), 1); err != nil {
			t.Fatal(err)
		}
		want = append(want, number(i))
		if i%100 == 99 {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			s = open(t, c)
		}
	}
	if err := s.PutBack([]byte("first\n"), 1); err != nil {
		t.Fatal(err)
	}
	if st := s.Stats(); st.Records != 1501 || st.Shed != 0 {
		t.Errorf("got %+v", st)
	}
	if got := drain(s); strings.Join(got, "") != "first\n"+strings.Join(want, "") {
		t.Errorf("got %d batches in another order", len(got))
	}
	files, err := filepath.Glob(filepath.Join(c.Dir, "*"+suffix))
	if err != nil || len(files) > 0 || !s.Empty() || s.Stats().Bytes != 0 {
		t.Errorf("left %v, %+v (%v)", files, s.Stats(), err)
	}
}

func TestOneAtATime(t *testing.T) {
	c := Config{Dir: t.TempDir(), MaxBytes: 1 << 20}
	s := open(t, c)
	if _, err := Open(c); !errors.Is(err, ErrInUse) {
		t.Errorf("got %v, want it in use", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	open(t, c)
	if err := s.Append([]byte("x"), 1); err == nil {
		t.Error("a closed spool takes records")
	}
}

// TestFull drops the oldest records, counts them, and stays within its bound, also
// when one of them is being read.
func TestFull(t *testing.T) {
	s := open(t, Config{Dir: t.TempDir(), MaxBytes: 256 << 10})
	reading, ok := s.Next()
	for i := range 2000 {
		if err := s.Append([]byte(number(i)), 1); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			reading, ok = s.Next()
		}
		if bytes := s.Stats().Bytes; bytes > 256<<10 {
			t.Fatalf("%d bytes", bytes)
		}
	}
	if string(reading.Records) != number(0) || !ok {
		t.Errorf("got %q, %v", reading.Records, ok)
	}
	s.Done(reading) // it is gone
	st := s.Stats()
	got := drain(s)
	if st.Shed == 0 || int(st.Shed)+len(got) != 2000 || st.Records != uint64(len(got)) || got[len(got)-1] != number(1999) || got[0] != number(2000-len(got)) {
		t.Errorf("got %d batches, %+v", len(got), st)
	}
	if st.Bytes < 256<<10*7/8 {
		t.Errorf("of %d bytes only %d are used", 256<<10, st.Bytes)
	}
}

// TestDamage cuts a file at each place and turns each byte: what is before is
// there, what is behind is skipped with a line in the log, and the spool goes on.
func TestDamage(t *testing.T) {
	dir := t.TempDir()
	s := open(t, Config{Dir: dir})
	for i := range 3 {
		if err := s.Append([]byte(number(i)), 1); err != nil {
			t.Fatal(err)
		}
	}
	name := s.segments[0].name
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	try := func(what string, at int, damaged []byte) {
		if err := os.WriteFile(name, damaged, fileMode); err != nil {
			t.Fatal(err)
		}
		var log bytes.Buffer
		s := open(t, Config{Dir: dir, Log: slog.New(slog.NewTextHandler(&log, nil))})
		if err := s.Append([]byte("after"), 1); err != nil {
			t.Fatal(err)
		}
		got := drain(s)
		var want []string
		for i, end := 0, segmentHead; i < 3; i++ {
			if end += frameHead + len(number(i)); at >= end {
				want = append(want, number(i))
			}
		}
		if strings.Join(got, "") != strings.Join(want, "")+"after" {
			t.Errorf("%s at %d: got %q", what, at, got)
		}
		if boundary := len(damaged) == segmentHead+len(strings.Join(want, ""))+len(want)*frameHead; boundary == (log.Len() > 0) {
			t.Errorf("%s at %d: logged %q", what, at, log.String())
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for at := range whole {
		try("cut", at, whole[:at])
		turned := bytes.Clone(whole)
		turned[at] ^= 0x40
		try("turned", at, turned)
	}
	if err := os.WriteFile(filepath.Join(dir, "other"+suffix), whole, fileMode); err != nil {
		t.Fatal(err)
	}
	if got := drain(open(t, Config{Dir: dir})); len(got) > 0 {
		t.Errorf("a file of another name has %q", got)
	}
}

// TestFormat drops what is written in another format.
func TestFormat(t *testing.T) {
	c := Config{Dir: t.TempDir(), Format: "json"}
	s := open(t, c)
	if err := s.Append([]byte("{}\n"), 1); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	c.Format, c.Log = "msgpack", slog.New(slog.NewTextHandler(&log, nil))
	if s := open(t, c); !s.Empty() || !strings.Contains(log.String(), "it holds no records of format msgpack") {
		t.Errorf("got %+v, log %s", s.Stats(), log.String())
	}
}

// TestKilled kills the program that writes: all that Append had returned from is
// there.
func TestKilled(t *testing.T) {
	const dirIn = "NETPOL_SPOOL_DIR"
	if dir := os.Getenv(dirIn); dir != "" {
		s := open(t, Config{Dir: dir, MaxBytes: 1 << 30})
		for i := 0; ; i++ {
			if err := s.Append([]byte(number(i)), 1); err != nil {
				t.Fatal(err)
			}
			if i%10 == 9 {
				if b, ok := s.Next(); ok {
					s.Done(b)
				}
			}
			fmt.Printf("appended %d\n", i)
		}
	}
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0], "-test.run=^TestKilled$")
	cmd.Env = append(os.Environ(), dirIn+"="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	last := -1
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if _, err := fmt.Sscanf(lines.Text(), "appended %d", &last); err == nil && last == 20_000 {
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := cmd.Wait(); err == nil || last < 20_000 {
		t.Fatalf("the program ended with %v after %d", err, last)
	}
	got := drain(open(t, Config{Dir: dir, MaxBytes: 1 << 30}))
	first := -1
	if _, err := fmt.Sscanf(got[0], "record %d", &first); err != nil || first > last/10+1 {
		t.Fatalf("the first is %q: more is gone than was done with", got[0][:20])
	}
	for i, one := range got {
		if one != number(first+i) {
			t.Fatalf("batch %d is %q, want record %d", i, one[:20], first+i)
		}
	}
	if end := first + len(got) - 1; end < last {
		t.Errorf("it had appended %d, and %d is there", last, end)
	}
}

// TestDiskFull has no room on the disk: Append says so, and nothing that was
// written before is harmed.
func TestDiskFull(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=128k"); err != nil {
		kerneltest.Unable(t, "cannot mount a small file system: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	s := open(t, Config{Dir: dir, MaxBytes: 1 << 20})
	n, failed := 0, 0
	for i := range 1000 {
		switch err := s.Append([]byte(number(i)), 1); {
		case err == nil:
			n++
		case errors.Is(err, syscall.ENOSPC):
			failed++
		default:
			t.Fatal(err)
		}
	}
	if failed == 0 || n == 0 {
		t.Fatalf("%d fitted, %d did not", n, failed)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if got := drain(open(t, Config{Dir: dir, MaxBytes: 1 << 20})); len(got) != n || got[0] != number(0) {
		t.Errorf("got %d batches, want %d", len(got), n)
	}
}

// FuzzSegment opens files with anything in them: no more than is there comes out,
// and it comes whole.
func FuzzSegment(f *testing.F) {
	seed := append(headOf("json"), 0, 0, 0, 2, 0, 0, 0, 1)
	seed = append(seed, 0, 0, 0, 0, '{', '}')
	f.Add(seed)
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, data []byte) {
		name := filepath.Join(dir, fmt.Sprintf("%016x%s", middle, suffix))
		if err := os.WriteFile(name, data, fileMode); err != nil {
			t.Fatal(err)
		}
		s, err := Open(Config{Dir: dir, MaxBytes: 1 << 20, Format: "json"})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		sum := segmentHead
		for _, one := range drain(s) {
			sum += frameHead + len(one)
		}
		if sum > max(len(data), segmentHead) {
			t.Errorf("%d bytes came of %d", sum, len(data))
		}
	})
}
