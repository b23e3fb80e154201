package cli

import (
	"testing"

	"github.com/netpol/netpol/cmd/netpol/internal/router"
)

// TestRevisionBefore: going back goes back, past what was left before.
func TestRevisionBefore(t *testing.T) {
	rev := func(serial int, digest string, of int) router.Revision {
		return router.Revision{Serial: serial, Digest: digest, Of: of}
	}
	for name, c := range map[string]struct {
		history []router.Revision // the newest first; the first is in force
		want    int
	}{
		"the only one":                    {[]router.Revision{rev(1, "a", 0)}, 0},
		"the one before":                  {[]router.Revision{rev(2, "b", 0), rev(1, "a", 0)}, 1},
		"the same policies again":         {[]router.Revision{rev(3, "b", 0), rev(2, "b", 0), rev(1, "a", 0)}, 1},
		"nobody confirmed 2":              {[]router.Revision{rev(3, "a", 1), rev(2, "b", 0), rev(1, "a", 0)}, 0},
		"nobody confirmed 3":              {[]router.Revision{rev(4, "b", 2), rev(3, "c", 0), rev(2, "b", 0), rev(1, "a", 0)}, 1},
		"rolled back twice":               {[]router.Revision{rev(5, "a", 1), rev(4, "b", 2), rev(3, "c", 0), rev(2, "b", 0), rev(1, "a", 0)}, 0},
		"another since a timeout":         {[]router.Revision{rev(4, "c", 0), rev(3, "a", 1), rev(2, "b", 0), rev(1, "a", 0)}, 3},
		"the same again after a timeout":  {[]router.Revision{rev(4, "a", 0), rev(3, "a", 1), rev(2, "b", 0), rev(1, "a", 0)}, 0},
		"the oldest are no longer kept":   {[]router.Revision{rev(60, "a", 7), rev(59, "b", 0), rev(58, "c", 0)}, 0},
		"forward again, and another back": {[]router.Revision{rev(4, "b", 2), rev(3, "a", 1), rev(2, "b", 0), rev(1, "a", 0)}, 1},
	} {
		if got := revisionBefore(c.history, c.history[0]); got != c.want {
			t.Errorf("%s: back to %d, want %d", name, got, c.want)
		}
	}
}
