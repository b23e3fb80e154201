package capture

import (
	"encoding/binary"
	"net/netip"
	"strconv"

	"github.com/cilium/ebpf/asm"

	"github.com/netpol/netpol/compiler/artifact"
)

// gateMACs is where the hardware addresses of the frame are, destination first,
// when they are asked for: the header at hand is done with by then.
const gateMACs = gateHeader

// macBytes are the addresses of an Ethernet header, without its type.
const macBytes = 12

// gateFilter goes on where the packet meets the filter, and keeps it back where it
// does not. The packet's headers are in the key by now, in its own order.
func gateFilter(f *artifact.Filter) asm.Instructions {
	if f == nil {
		return nil
	}
	w := filterWriter{wanted: map[string]bool{}}
	w.macs(f)
	w.test(f, "met", "keep back")
	return append(w.code, asm.Mov.Imm(asm.R0, 0).WithSymbol("met"))
}

// filterWriter writes the tests of a filter, each with two ways out. All jumps go
// forward.
type filterWriter struct {
	code    asm.Instructions
	pending string // symbol of the next instruction
	symbols int
	wanted  map[string]bool // symbols that instructions jump to
	dead    bool            // nothing leads to the next instruction but its symbol
}

// emit leaves out what nothing leads to, which the kernel refuses.
func (w *filterWriter) emit(list ...asm.Instruction) {
	if w.dead && !w.wanted[w.pending] {
		return
	}
	if w.dead = false; w.pending != "" {
		list[0] = list[0].WithSymbol(w.pending)
		w.pending = ""
	}
	for _, i := range list {
		w.code = append(w.code, i)
		w.wanted[i.Reference()] = true
	}
	w.dead = list[len(list)-1].OpCode.JumpOp() == asm.Ja
}

// symbol is a new one.
func (w *filterWriter) symbol() string {
	w.symbols++
	return "filter " + strconv.Itoa(w.symbols)
}

// here makes a symbol that of the next instruction.
func (w *filterWriter) here(symbol string) {
	if w.wanted[w.pending] && w.pending != "" { // two symbols of one place
		w.emit(asm.Mov.Imm(asm.R0, 0))
	}
	w.pending = symbol
}

// test goes to yes where the filter holds and to no where it does not.
func (w *filterWriter) test(f *artifact.Filter, yes, no string) {
	switch f.Kind {
	case artifact.FilterNot:
		w.test(&f.Of[0], no, yes)
		return
	case artifact.FilterAll:
		for i := range f.Of {
			next := w.symbol()
			w.test(&f.Of[i], next, no)
			w.here(next)
		}
		w.emit(asm.Ja.Label(yes))
		return
	case artifact.FilterAny:
		for i := range f.Of {
			next := w.symbol()
			w.test(&f.Of[i], yes, next)
			w.here(next)
		}
	case artifact.FilterAddress:
		for _, p := range f.Prefixes {
			w.address(p, yes)
		}
	case artifact.FilterPort:
		for _, at := range []int16{keyPorts, keyPorts + 2} {
			w.numbers(at, asm.Half, f.Ranges, yes)
		}
	case artifact.FilterProtocol:
		w.numbers(keyProto, asm.Byte, f.Ranges, yes)
	case artifact.FilterVersion:
		w.numbers(keyVersion, asm.Byte, f.Ranges, yes)
	case artifact.FilterMAC:
		for _, mac := range f.MACs {
			w.mac(mac, yes)
		}
	}
	w.emit(asm.Ja.Label(no))
}

// address goes to yes where either end lies in a network.
func (w *filterWriter) address(p netip.Prefix, yes string) {
	wrong := w.symbol()
	version := int32(6)
	if p.Addr().Is4() {
		version = 4
	}
	w.emit(asm.LoadMem(asm.R1, asm.RFP, keyVersion, asm.Byte), asm.JNE.Imm(asm.R1, version, wrong))
	addr := p.Addr().AsSlice()
	for _, end := range []int16{keyA, keyB} {
		other := w.symbol()
		for at, bits := 0, p.Bits(); bits > 0; at, bits = at+4, bits-32 {
			mask := binary.NativeEndian.Uint32(binary.BigEndian.AppendUint32(nil, ^uint32(0)<<max(0, 32-bits)))
			w.emit(
				asm.LoadMem(asm.R1, asm.RFP, end+int16(at), asm.Word),
				asm.LoadImm(asm.R2, int64(mask), asm.DWord),
				asm.And.Reg(asm.R1, asm.R2),
				asm.LoadImm(asm.R2, int64(binary.NativeEndian.Uint32(addr[at:])&mask), asm.DWord),
				asm.JNE.Reg(asm.R1, asm.R2, other),
			)
		}
		w.emit(asm.Ja.Label(yes))
		w.here(other)
	}
	w.here(wrong)
}

// numbers goes to yes where a number of the key lies in a range.
func (w *filterWriter) numbers(at int16, size asm.Size, ranges []artifact.Range, yes string) {
	w.emit(asm.LoadMem(asm.R1, asm.RFP, at, size))
	if size == asm.Half {
		w.emit(asm.HostTo(asm.BE, asm.R1, asm.Half))
	}
	for _, r := range ranges {
		next := w.symbol()
		w.emit(
			asm.JLT.Imm(asm.R1, int32(max(r.Low, 0)), next),
			asm.JLE.Imm(asm.R1, int32(min(r.High, 65535)), yes),
		)
		w.here(next)
	}
}

// mac goes to yes where the frame was sent by a hardware address, or to it.
func (w *filterWriter) mac(mac artifact.HardwareAddr, yes string) {
	high := func(b []byte) int64 { return int64(binary.NativeEndian.Uint32(b)) }
	low := func(b []byte) int32 { return int32(binary.NativeEndian.Uint16(b)) }
	source, neither := w.symbol(), w.symbol()
	w.emit(
		asm.LoadMem(asm.R1, asm.RFP, gateMACs, asm.Word),
		asm.LoadImm(asm.R2, high(mac[:4]), asm.DWord),
		asm.JNE.Reg(asm.R1, asm.R2, source),
		asm.LoadMem(asm.R1, asm.RFP, gateMACs+4, asm.Half),
		asm.JEq.Imm(asm.R1, low(mac[4:]), yes),
	)
	w.here(source)
	w.emit(
		asm.LoadMem(asm.R1, asm.RFP, gateMACs+6, asm.Half), // stacks are read in order
		asm.JNE.Imm(asm.R1, low(mac[:2]), neither),
		asm.LoadMem(asm.R1, asm.RFP, gateMACs+8, asm.Word),
		asm.LoadImm(asm.R2, high(mac[2:]), asm.DWord),
		asm.JEq.Reg(asm.R1, asm.R2, yes),
	)
	w.here(neither)
}

// macs loads the frame's hardware addresses if the filter asks for them; zeros
// where there are none.
func (w *filterWriter) macs(f *artifact.Filter) {
	if !asksMAC(f) {
		return
	}
	load := gateLoad(gateMACs, macBytes)
	load[1] = asm.Mov.Imm(asm.R2, 0)
	load[5] = asm.Mov.Imm(asm.R5, fromMAC)
	w.emit(load[:len(load)-1]...) // an error leaves zeros
}

func asksMAC(f *artifact.Filter) bool {
	if f.Kind == artifact.FilterMAC {
		return true
	}
	for i := range f.Of {
		if asksMAC(&f.Of[i]) {
			return true
		}
	}
	return false
}
