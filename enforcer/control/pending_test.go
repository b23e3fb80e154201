package control

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestPendingSurvivesTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), PendingName)
	if _, err := ReadPending(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v without a file, want %v", err, fs.ErrNotExist)
	}
	want := NewPending(7, 5, time.Hour)
	data, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	got, err := ReadPending(path)
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got)\n%s", err, diff)
	}
}

func TestPendingLeft(t *testing.T) {
	now := NewPending(2, 1, time.Hour)
	cases := []struct {
		name     string
		in       func(p Pending) Pending
		low, top time.Duration
	}{
		{"an hour", func(p Pending) Pending { return p }, 59 * time.Minute, time.Hour},
		{"passed", func(Pending) Pending { return NewPending(2, 1, -time.Minute) }, -2 * time.Minute, -time.Minute + time.Second},
		{"the clock was set", func(p Pending) Pending { p.Deadline = p.Deadline.Add(-9 * time.Hour); return p }, 59 * time.Minute, time.Hour},
		{"another start of the machine", func(p Pending) Pending { p.Boot = "x"; return p }, 0, 0},
		{"no clock but the wall's", func(p Pending) Pending { p.Boot = ""; return p }, 59 * time.Minute, time.Hour},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := c.in(now).Left(); got < c.low || got > c.top {
				t.Errorf("got %s, want between %s and %s", got, c.low, c.top)
			}
		})
	}
}

func FuzzPending(f *testing.F) {
	f.Add([]byte(`{"revision":2,"before":1,"deadline":"2026-01-02T03:04:05Z","boot":"x","uptime_ms":5}`))
	f.Add([]byte(`{"revision":1}`))
	f.Add([]byte(`[`))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := parsePending(data)
		if err == nil && (p.Serial < 1 || p.Before < 0 || p.Before >= p.Serial) {
			t.Errorf("took %+v", p)
		}
	})
}
