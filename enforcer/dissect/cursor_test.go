package dissect

import "testing"

func TestCursorReadsInOrder(t *testing.T) {
	c := NewCursor([]byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 2, 0xa, 0xb, 0, 1, 0xc, 0xd})
	if got := c.Uint8(); got != 1 {
		t.Errorf("Uint8: got %#x, want 1", got)
	}
	if got := c.Uint16(); got != 0x0203 {
		t.Errorf("Uint16: got %#x, want 0x0203", got)
	}
	if got := c.Uint24(); got != 0x040506 {
		t.Errorf("Uint24: got %#x, want 0x040506", got)
	}
	if got := c.Uint32(); got != 0x0708090a {
		t.Errorf("Uint32: got %#x, want 0x0708090a", got)
	}
	v := c.Vector8()
	if got := v.Uint16(); got != 0x0a0b || !v.OK() || v.Len() != 0 {
		t.Errorf("Vector8: got %#x ok %v len %d, want 0xa0b true 0", got, v.OK(), v.Len())
	}
	v = c.Vector16()
	if got := v.Uint8(); got != 0xc {
		t.Errorf("Vector16: got %#x, want 0xc", got)
	}
	if !c.OK() || c.Len() != 1 || c.Rest()[0] != 0xd {
		t.Errorf("end: ok %v, rest %x, want true, 0d", c.OK(), c.Rest())
	}
}

func TestCursorFailureIsSticky(t *testing.T) {
	tests := []struct {
		name string
		in   []byte
		read func(*Cursor)
	}{
		{"uint8 of nothing", nil, func(c *Cursor) { c.Uint8() }},
		{"uint16 of one", []byte{1}, func(c *Cursor) { c.Uint16() }},
		{"uint24 of two", []byte{1, 2}, func(c *Cursor) { c.Uint24() }},
		{"uint32 of three", []byte{1, 2, 3}, func(c *Cursor) { c.Uint32() }},
		{"negative", []byte{1, 2, 3}, func(c *Cursor) { c.Bytes(-1) }},
		{"vector8 over the end", []byte{3, 2, 3}, func(c *Cursor) { c.Vector8() }},
		{"vector16 over the end", []byte{0, 9, 3}, func(c *Cursor) { c.Vector16() }},
		{"vector24 over the end", []byte{0, 0, 9, 3}, func(c *Cursor) { c.Vector24() }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := NewCursor(tt.in)
			tt.read(&c)
			if c.OK() || c.Len() != 0 {
				t.Fatalf("after short read: ok %v len %d, want false 0", c.OK(), c.Len())
			}
			if s := c.Sub(0); s.OK() {
				t.Error("sub-cursor of a failed cursor is OK")
			}
			if got := c.Uint8(); got != 0 || c.OK() {
				t.Errorf("read after failure: got %d ok %v, want 0 false", got, c.OK())
			}
		})
	}
}
