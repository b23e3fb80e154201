package daemon

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/netpol/netpol/enforcer"
	"github.com/netpol/netpol/enforcer/control"
	"github.com/netpol/netpol/enforcer/dissect"
)

// A dissector that failed is logged once, with the place; one that is switched
// off is a reason until it is asked again.
func TestDissectorsAreTold(t *testing.T) {
	var log bytes.Buffer
	d := newDaemon(config{}, slog.New(slog.NewTextHandler(&log, nil)))
	const first = "index out of range [5] with length 3, in tls.parse (tls.go:88)"
	for _, f := range []dissect.Fault{
		{Name: "tls", Panics: 1, First: first},
		{Name: "tls", Panics: 9, First: first},
		{Name: "tls", Panics: 10, First: first, Off: true},
		{Name: "tls", Panics: 10, First: first, Off: true},
	} {
		d.examineDissectors([]dissect.Fault{f})
	}
	got := d.health.list()
	for i := range got {
		got[i].Since = time.Time{}
	}
	want := []control.Reason{{
		Code: "dissector-off", About: "tls", Count: 10,
		Detail: "the dissector failed 10 times, the last of them in quick succession, and is asked no more: what it recognises has no name; the first time: " + first,
		WayOut: "please report it with a capture; systemctl reload netpold has it asked again, --dissector-panics says how often it may fail",
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if n := strings.Count(log.String(), "level=ERROR"); n != 1 || strings.Count(log.String(), "msg=degraded") != 1 {
		t.Errorf("want one error and one reason:\n%s", log.String())
	}
	d.examineDissectors([]dissect.Fault{{Name: "tls", Panics: 10, First: first}}) // after a reload
	if got := d.health.list(); len(got) != 0 {
		t.Errorf("got %+v after a reload", got)
	}
}

func TestFuse(t *testing.T) {
	for n, want := range map[int]dissect.Fuse{0: {Panics: -1}, 3: {Panics: 3, Within: enforcer.PanicTime}} {
		if got := (config{panics: n}).fuse(); got != want {
			t.Errorf("%d: got %+v, want %+v", n, got, want)
		}
	}
}
