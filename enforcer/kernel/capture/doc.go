// Package capture holds the engine's packet sources: NFLog reads what the
// kernel's "log group" rules hand over, Ring the packets of an interface, Files
// pcap and pcapng captures. All fill a packet.Raw without allocating.
//
// NFLOG and rings copy: a slow or dead reader loses packets here, never on the
// wire.
//
// Called by cmd/netpold and cmd/netpol (replay). May import enforcer/packet,
// enforcer/kernel/internal, x/sys and cilium/ebpf/asm.
package capture
