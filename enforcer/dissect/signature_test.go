package dissect

import (
	"testing"

	"github.com/netpol/netpol/lang/fact"
)

func TestIsAddress(t *testing.T) {
	for host, want := range map[string]bool{
		"192.0.2.1": true, "2001:db8::1": true, "::": true,
		"": false, "a.test": false, "1.2.3.a4": false, "a4": false, "x.co1": false, "router": false, "192": false,
	} {
		if got := IsAddress(host); got != want {
			t.Errorf("%q: got %v, want %v", host, got, want)
		}
	}
}

// TestStrongerEvidence: a name does away with what an address told before, and
// with nothing that the bytes told.
func TestStrongerEvidence(t *testing.T) {
	f := fact.Facts{Application: "cloud", By: fact.ByNetwork}
	SetHostname(&f, []byte("a.test"), fact.ByCert)
	if f.Application != "" || f.By != fact.ByCert {
		t.Errorf("got %q by %q, want none by cert", f.Application, f.By)
	}
	f = fact.Facts{Application: "zoom", By: fact.ByPayload}
	SetAddress(&f, []byte("192.0.2.1"), fact.ByHTTP)
	if f.Application != "zoom" {
		t.Errorf("got %q, want zoom", f.Application)
	}
}
