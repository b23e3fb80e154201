// Package capture holds the engine's packet sources: NFLog reads what the
// kernel's "log group" rules hand over, File reads pcap and pcapng captures.
// Both fill a packet.Raw without allocating.
//
// NFLOG copies: a slow or dead reader loses packets here, never on the wire.
//
// Called by cmd/netpold and cmd/netpol (replay). May import enforcer/packet,
// enforcer/kernel/internal and x/sys.
package capture
