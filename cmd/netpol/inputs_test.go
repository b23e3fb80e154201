package main

import (
	"slices"
	"testing"

	"github.com/netpol/netpol/enforcer/packet"
	"github.com/netpol/netpol/lang"
)

// TestTunnelWords: the language knows the encapsulations that netpold does,
// which it must not import.
func TestTunnelWords(t *testing.T) {
	if got, want := lang.TunnelWords(), append([]string{"all"}, packet.TunnelNames()...); !slices.Equal(got, want) {
		t.Errorf("the language has %v, the packet path %v", got, want)
	}
}
