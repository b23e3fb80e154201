package procfs

import "testing"

func TestSelf(t *testing.T) {
	if u := Self(); u.User+u.System == 0 || u.Resident == 0 || u.MaxResident < u.Resident/2 {
		t.Errorf("got %+v", u)
	}
}

func TestLinks(t *testing.T) {
	links, err := Links()
	if err != nil || len(links) == 0 {
		t.Fatalf("got %v, %v, want the loopback at least", links, err)
	}
	for line, want := range map[string]Link{
		"  eth0: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16":          {Name: "eth0", RxBytes: 1, RxPackets: 2, RxErrors: 3, RxDropped: 4, TxBytes: 9, TxPackets: 10, TxErrors: 11, TxDropped: 12},
		"wan0:18446744073709551615 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0": {Name: "wan0", RxBytes: 1<<64 - 1},
	} {
		if got, ok := parseLink(line); !ok || got != want {
			t.Errorf("%q: got %+v, %v", line, got, ok)
		}
	}
	for _, line := range []string{"Inter-|   Receive", " face |bytes", "", "eth0: 1 2", "eth0: a 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16"} {
		if got, ok := parseLink(line); ok {
			t.Errorf("%q is no interface, got %+v", line, got)
		}
	}
}
