package all

import (
	"slices"
	"testing"
)

func TestDissectors(t *testing.T) {
	var names []string
	for _, d := range Dissectors() {
		spec := d.Spec()
		if spec.Name == "" || slices.Contains(names, spec.Name) {
			t.Errorf("%T: name %q is empty or taken", d, spec.Name)
		}
		if !spec.TCP && !spec.UDP {
			t.Errorf("%s: neither TCP nor UDP", spec.Name)
		}
		names = append(names, spec.Name)
	}
	for _, want := range []string{"tls", "dtls", "quic", "http", "dns", "stun", "bittorrent", "zoom-media", "rtp", "raknet"} {
		if !slices.Contains(names, want) {
			t.Errorf("%s is not listed; listed are %v", want, names)
		}
	}
}
