package lang

import "github.com/netpol/netpol/lang/diag"

// Input is an interface whose packets netpold reads besides those that the
// kernel's rules show it, with the defaults filled in.
type Input struct {
	Name         string
	Description  string
	Interface    Text
	FirstPackets int        // of each flow that are read; 0 all, -1 not written
	Incoming     bool       // what this machine sends is left out
	Promiscuous  bool       // packets for other machines are read, too
	Role         string     // "lan", "wan" or empty
	Unwrap       []Text     // tunnels whose inner flows are meant, by TunnelWords
	Filter       []Criteria // that packets meet which are read; any of them
	Bypass       []Text     // addresses whose packets are not read
	Range        diag.Range
}
