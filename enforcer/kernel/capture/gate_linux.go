package capture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"runtime"
	"time"
	"unsafe"

	"github.com/cilium/ebpf/asm"
	"golang.org/x/sys/unix"
)

// flowGate is a socket filter that lets the first packets of each flow by and
// keeps the rest back in the kernel, where no rules and no conntrack do it. It
// counts both directions of a flow as one. A SYN, and a packet after a rest of
// gateRest, begin a flow anew; what is not IP, or a fragment, always passes.
//
// It is written in the kernel's instructions (linux/bpf.h), so that no compiler
// and no BTF is needed, and loaded by bpf(2) itself: cilium/ebpf's loader would
// make netpold a megabyte larger (measured 2026-11). Linux 5.8 has all that it uses.
type flowGate struct {
	counts  int // file descriptor of the map
	program int // and of the program
}

// gateRest is how long a flow rests before its tuple is taken for a new one:
// nf_conntrack_udp_timeout_stream is shorter, an idle SSH session is not, and
// is read again.
const gateRest = 180 * time.Second

// What the filter keeps of a flow: its two ends, the lower one first, ports and
// protocol; packets that have passed, and the time of the last.
const (
	gateKeyBytes   = 40
	gateValueBytes = 16
)

// mapCreate is the part of union bpf_attr for BPF_MAP_CREATE that is used.
type mapCreate struct {
	mapType, keySize, valueSize, maxEntries uint32
	flags, innerMap, numaNode               uint32
	name                                    [unix.BPF_OBJ_NAME_LEN]byte
}

// progLoad is the part of union bpf_attr for BPF_PROG_LOAD that is used.
type progLoad struct {
	progType, instructionCount uint32
	instructions, license      uint64 // pointers
	logLevel, logSize          uint32
	logBuffer                  uint64
	kernelVersion, flags       uint32
	name                       [unix.BPF_OBJ_NAME_LEN]byte
}

// newFlowGate loads the program; nil when the ring reads all packets.
func newFlowGate(cfg RingConfig) (*flowGate, error) {
	if cfg.FirstPackets == 0 && cfg.Filter == nil {
		return nil, nil
	}
	g := &flowGate{counts: -1, program: -1}
	var err error
	if cfg.FirstPackets > 0 {
		table := mapCreate{
			mapType: unix.BPF_MAP_TYPE_LRU_HASH, keySize: gateKeyBytes, valueSize: gateValueBytes, maxEntries: cfg.Flows,
		}
		copy(table.name[:], "netpol_flows")
		if g.counts, err = bpf(unix.BPF_MAP_CREATE, unsafe.Pointer(&table), unsafe.Sizeof(table)); err != nil {
			return nil, explainGate("flow table", err)
		}
	}
	if g.program, err = loadSocketProgram("netpol_first", gateProgram(g.counts, cfg)); err != nil {
		return nil, errors.Join(explainGate("program", err), g.close())
	}
	return g, nil
}

// loadSocketProgram has the kernel check a program and compile it.
func loadSocketProgram(name string, program asm.Instructions) (fd int, err error) {
	var code bytes.Buffer
	if err := program.Marshal(&code, machineOrder()); err != nil {
		return -1, fmt.Errorf("assemble: %w", err)
	}
	const instruction = 8 // bytes of struct bpf_insn
	license := []byte("Apache-2.0\x00")
	load := progLoad{
		progType: unix.BPF_PROG_TYPE_SOCKET_FILTER, instructionCount: uint32(code.Len() / instruction),
		instructions: address(&code.Bytes()[0]), license: address(&license[0]),
	}
	copy(load.name[:], name)
	fd, err = bpf(unix.BPF_PROG_LOAD, unsafe.Pointer(&load), unsafe.Sizeof(load))
	runtime.KeepAlive(&code)
	runtime.KeepAlive(license)
	return fd, err
}

// machineOrder is the machine's byte order by its own name: with it registers
// change places in an instruction.
func machineOrder() binary.ByteOrder {
	if binary.NativeEndian.Uint16([]byte{1, 0}) == 1 {
		return binary.LittleEndian
	}
	return binary.BigEndian
}

func address(b *byte) uint64 { return uint64(uintptr(unsafe.Pointer(b))) }

// bpf is bpf(2); the result is a file descriptor.
func bpf(command int, attr unsafe.Pointer, size uintptr) (fd int, err error) {
	for {
		n, _, errno := unix.Syscall(unix.SYS_BPF, uintptr(command), uintptr(attr), size)
		if errno == unix.EAGAIN || errno == unix.EINTR { // the verifier gave way to a signal
			continue
		}
		if errno != 0 {
			return -1, errno
		}
		return int(n), nil
	}
}

func explainGate(what string, err error) error {
	if errors.Is(err, unix.EPERM) {
		return fmt.Errorf("load eBPF %s: %w: choosing packets in the kernel needs CAP_BPF (CAP_SYS_ADMIN before Linux 5.8)", what, err)
	}
	return fmt.Errorf("load eBPF %s: %w", what, err)
}

// attach makes the filter decide what the socket hears.
func (g *flowGate) attach(fd int) error {
	if g == nil {
		return nil
	}
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ATTACH_BPF, g.program); err != nil {
		return fmt.Errorf("attach eBPF program: %w", err)
	}
	return nil
}

func (g *flowGate) close() error {
	if g == nil {
		return nil
	}
	var errs []error
	for _, fd := range []int{g.program, g.counts} {
		if fd >= 0 {
			errs = append(errs, unix.Close(fd))
		}
	}
	return errors.Join(errs...)
}
