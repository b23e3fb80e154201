// Package capture holds the engine's packet sources: NFLog reads what the
// kernel's "log group" rules hand over, Queue the packets that wait in NFQUEUE,
// Live both on a router; Ring the packets of an interface, Files pcap and pcapng
// captures. All fill a packet.Raw without allocating.
//
// NFLOG and rings copy: a slow or dead reader loses packets here, never on the
// wire. A packet of a queue goes on when it is released, and is lost with a reader
// that dies.
//
// Called by cmd/netpold and cmd/netpol (replay), CanQueue by enforcer/kernel/probe.
// May import compiler/artifact, enforcer/packet, enforcer/flow,
// enforcer/kernel/internal, x/sys and cilium/ebpf/asm.
package capture
