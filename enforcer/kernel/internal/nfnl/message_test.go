package nfnl

import (
	"bytes"
	"testing"
)

func TestBuildAndWalk(t *testing.T) {
	b, m := Begin(nil, 10<<8|6, FlagRequest|FlagAck, 77, 1, 4788)
	b = String(b, 1, "abc")
	b, n := Nest(b, 2)
	b = Uint32(b, 1, 0xdeadbeef)
	b = Uint16(b, 2, 53)
	b = Uint8(b, 3, 9)
	b = Unnest(b, n)
	b = Bytes(b, 3, []byte{1, 2, 3, 4, 5})
	b = End(b, m)
	b, m = Begin(b, 0x101, 0, 78, 2, 0)
	b = End(b, m)

	first, rest, ok := Next(b)
	if !ok || first.Type != 0xa06 || first.Seq != 77 || first.Family != 1 || first.ResID != 4788 {
		t.Fatalf("first message: %+v %v", first, ok)
	}
	a, attrs, _ := NextAttr(first.Data)
	if a.Type != 1 || a.String() != "abc" {
		t.Errorf("string attribute: %+v", a)
	}
	nest, attrs, _ := NextAttr(attrs)
	u32, in, _ := NextAttr(nest.Data)
	u16, in, _ := NextAttr(in)
	u8, in, _ := NextAttr(in)
	if nest.Type != 2 || u32.Uint32() != 0xdeadbeef || u16.Uint16() != 53 || u8.Uint8() != 9 || len(in) != 0 {
		t.Errorf("nest: %+v %+v %+v %+v, %d left", nest, u32, u16, u8, len(in))
	}
	raw, attrs, _ := NextAttr(attrs)
	if !bytes.Equal(raw.Data, []byte{1, 2, 3, 4, 5}) || len(attrs) != 0 {
		t.Errorf("bytes: %+v, %d left", raw, len(attrs))
	}
	second, rest, ok := Next(rest)
	if !ok || second.Seq != 78 || len(second.Data) != 0 || len(rest) != 0 {
		t.Errorf("second message: %+v %v, %d left", second, ok, len(rest))
	}
	if _, _, ok := Next(rest); ok {
		t.Error("a message behind the end")
	}
}

func TestWalkAllocatesNothing(t *testing.T) {
	b, m := Begin(nil, 0x101, 0, 1, 2, 0)
	b = End(Bytes(b, 1, make([]byte, 40)), m)
	n := testing.AllocsPerRun(100, func() {
		for msg, rest, ok := Next(b); ok; msg, rest, ok = Next(rest) {
			for _, attrs, ok := NextAttr(msg.Data); ok; _, attrs, ok = NextAttr(attrs) {
			}
		}
	})
	if n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}

// FuzzWalk: whatever the bytes, every slice handed out lies inside the input
// and each step gets closer to the end.
func FuzzWalk(f *testing.F) {
	b, m := Begin(nil, 0x101, 0, 1, 2, 0)
	f.Add(End(String(b, 1, "x"), m))
	f.Add([]byte{20, 0, 0, 0, 2, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 254, 255, 255, 255})
	f.Fuzz(func(t *testing.T, b []byte) {
		for m, rest, ok := Next(b); ok; m, rest, ok = Next(rest) {
			if len(rest) >= len(b) || len(m.Data) > len(b) {
				t.Fatalf("no progress: %d bytes left of %d", len(rest), len(b))
			}
			b = rest
			m.Explanation()
			m.Errno()
			m.DumpErrno()
			attrs := m.Data
			for a, more, ok := NextAttr(attrs); ok; a, more, ok = NextAttr(more) {
				if len(more) >= len(attrs) || len(a.Data) > len(attrs) {
					t.Fatalf("no progress: %d attribute bytes left of %d", len(more), len(attrs))
				}
				attrs = more
				_ = a.String()
				_, _, _, _ = a.Uint8(), a.Uint16(), a.Uint32(), a.Uint64()
			}
		}
	})
}
