package lab_test

import (
	"os"
	"testing"

	"github.com/netpol/netpol/cmd/netpol/internal/lab"
)

// Mounting over /etc on the machine itself would be a disaster, so Private must
// not trust that it was called in the right place.
func TestPrivateRefusesOutside(t *testing.T) {
	ns := func(kind string) string {
		name, err := os.Readlink("/proc/self/ns/" + kind)
		if err != nil {
			t.Skip(err)
		}
		return name
	}
	cases := []struct{ name, outside string }{
		{"nobody has entered", ""},
		{"nonsense", "yes"},
		{"the same namespaces", ns("net") + " " + ns("mnt")},
		{"the same mount namespace", "net:[1] " + ns("mnt")},
		{"the same network namespace", ns("net") + " mnt:[1]"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv("NETPOL_LAB_OUTSIDE", c.outside)
			if err := lab.Private(); err == nil {
				t.Error("got no error, want a refusal")
			}
		})
	}
}

func TestPrivateHidesTheMachine(t *testing.T) {
	need(t)
	for _, dir := range []string{"/etc", "/run", "/var/lib"} {
		entries, err := os.ReadDir(dir)
		if err != nil || len(entries) != 0 {
			t.Errorf("%s: got %d entries, %v, want an empty directory", dir, len(entries), err)
		}
	}
}
