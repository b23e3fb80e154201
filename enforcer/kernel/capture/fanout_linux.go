package capture

import (
	"errors"
	"fmt"
	"math/rand/v2"

	"github.com/cilium/ebpf/asm"
	"golang.org/x/sys/unix"
)

// fanout shares the packets of an interface out among sockets (packet(7),
// PACKET_FANOUT), by a program of ours that hashes the two addresses of a packet
// and nothing else.
//
// The kernel's own hash (PACKET_FANOUT_HASH) is the same for both directions as
// well, but takes ports where a packet has them, so that a fragmented datagram goes
// elsewhere than the rest of its flow; PACKET_FANOUT_FLAG_DEFRAG would mend that for
// IPv4 alone. It also looks into some tunnels, while the ports of others (VXLAN,
// Geneve) differ by direction. By addresses, all of a flow stays together, fragments
// and tunnels included, and so do all flows of two hosts.
type fanout struct {
	program int // file descriptor
}

// newFanout loads the program. EPERM is in the chain of the error where CAP_BPF is
// missing.
func newFanout() (*fanout, error) {
	fd, err := loadSocketProgram("netpol_fanout", fanoutProgram(rand.Uint32()))
	if err != nil {
		return nil, explainGate("fan-out program", err)
	}
	return &fanout{program: fd}, nil
}

// join makes bound sockets share their interface's packets out. They hear nothing
// until all are there: else a flow would change its worker with each that joins.
// The caller has deafened them. With incoming the group leaves out what this machine
// sends, since Linux 5.11.
func (f *fanout) join(sockets []*ringSocket, incoming bool) error {
	group := (unix.PACKET_FANOUT_EBPF | unix.PACKET_FANOUT_FLAG_UNIQUEID) << 16
	if incoming {
		group |= unix.PACKET_FANOUT_FLAG_IGNORE_OUTGOING << 16
	}
	for i, s := range sockets {
		if err := unix.SetsockoptInt(s.fd, unix.SOL_PACKET, unix.PACKET_FANOUT, group); err != nil {
			return fmt.Errorf("PACKET_FANOUT: %w", err)
		}
		if i > 0 {
			continue
		}
		made, err := unix.GetsockoptInt(s.fd, unix.SOL_PACKET, unix.PACKET_FANOUT)
		if err != nil {
			return fmt.Errorf("PACKET_FANOUT: %w", err)
		}
		group = made // its number, and with what the others join it
	}
	if err := unix.SetsockoptInt(sockets[0].fd, unix.SOL_PACKET, unix.PACKET_FANOUT_DATA, f.program); err != nil {
		return fmt.Errorf("PACKET_FANOUT_DATA: %w", err)
	}
	return nil
}

func (f *fanout) close() error {
	if f == nil {
		return nil
	}
	return unix.Close(f.program)
}

// deafen keeps all packets from a socket.
func (s *ringSocket) deafen() error {
	nothing := unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K}
	prog := unix.SockFprog{Len: 1, Filter: &nothing}
	if err := unix.SetsockoptSockFprog(s.fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &prog); err != nil {
		return fmt.Errorf("attach filter: %w", err)
	}
	return nil
}

// hear ends deafen; with a gate what that lets by is heard.
func (s *ringSocket) hear(g *flowGate) error {
	if g != nil {
		return g.attach(s.fd)
	}
	if err := unix.SetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_DETACH_FILTER, 0); err != nil && !errors.Is(err, unix.ENOENT) {
		return fmt.Errorf("detach filter: %w", err)
	}
	return nil
}

// fanoutProgram answers with a hash of a packet's addresses, the same for both
// directions; the kernel takes it modulo the number of sockets. What is not IP
// behind at most two tags goes to one socket. The seed is this group's alone, so that
// nobody can aim hosts at one worker.
func fanoutProgram(seed uint32) asm.Instructions {
	p := asm.Instructions{asm.Mov.Reg(skb, asm.R1), asm.Mov.Imm32(hash, int32(seed))}
	p = append(p, gateEthertype()...)
	p = append(p, gateFrom("ipv4", 20)...)
	p = append(p, fanoutWord(gateHeader+12, gateHeader+16)...)
	p = append(p, asm.Ja.Label("pass"))
	p = append(p, gateFrom("ipv6", 40)...)
	for i := int16(0); i < 16; i += 4 {
		p = append(p, fanoutWord(gateHeader+8+i, gateHeader+24+i)...)
	}
	return append(p,
		asm.Mov.Reg(asm.R0, hash).WithSymbol("pass"),
		asm.Return(),
	)
}

// hash is the register of the fan-out program's result, 32 bits.
const hash = asm.R9

// fanoutWord mixes a word of each address into the hash, whichever comes first: what
// differs in them, and what both have. The mixing is the finalizer of MurmurHash3
// (fmix32).
func fanoutWord(a, b int16) asm.Instructions {
	p := asm.Instructions{
		asm.LoadMem(asm.R1, asm.RFP, a, asm.Word),
		asm.LoadMem(asm.R2, asm.RFP, b, asm.Word),
		asm.Mov.Reg32(asm.R3, asm.R1),
		asm.And.Reg32(asm.R3, asm.R2),
		asm.Mul.Imm32(asm.R3, 0x1b873593),
		asm.Xor.Reg32(asm.R1, asm.R2),
		asm.Add.Reg32(asm.R1, asm.R3),
		asm.Xor.Reg32(hash, asm.R1),
	}
	shift := func(by int32) asm.Instructions {
		return asm.Instructions{asm.Mov.Reg32(asm.R1, hash), asm.RSh.Imm32(asm.R1, by), asm.Xor.Reg32(hash, asm.R1)}
	}
	times := func(factor uint32) asm.Instruction { return asm.Mul.Imm32(hash, int32(factor)) }
	p = append(append(p, shift(16)...), times(0x85ebca6b))
	p = append(append(p, shift(13)...), times(0xc2b2ae35))
	return append(p, shift(16)...)
}
