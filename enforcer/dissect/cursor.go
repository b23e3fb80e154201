package dissect

import "encoding/binary"

// Cursor reads a byte slice from front to back and never past its end. Its
// failure is sticky: after the first short read every later one gives zeros
// and OK says false, so a parser may read a whole structure and check once.
// The zero value is an empty cursor. Cursors do not copy the bytes they read.
type Cursor struct {
	rest  []byte
	short bool
}

// NewCursor reads b from its start.
func NewCursor(b []byte) Cursor { return Cursor{rest: b} }

// OK is false once a read wanted more bytes than there were.
func (c *Cursor) OK() bool { return !c.short }

// Len is the number of unread bytes.
func (c *Cursor) Len() int { return len(c.rest) }

// Rest is what is unread; it stays unread.
func (c *Cursor) Rest() []byte { return c.rest }

// Bytes reads n bytes; nil when there are fewer or n is negative.
func (c *Cursor) Bytes(n int) []byte {
	if c.short || n < 0 || n > len(c.rest) {
		c.short, c.rest = true, nil
		return nil
	}
	b := c.rest[:n:n]
	c.rest = c.rest[n:]
	return b
}

// Skip passes over n bytes.
func (c *Cursor) Skip(n int) { c.Bytes(n) }

// Uint8 reads one byte.
func (c *Cursor) Uint8() uint8 {
	if b := c.Bytes(1); b != nil {
		return b[0]
	}
	return 0
}

// Uint16 reads two bytes, network order.
func (c *Cursor) Uint16() uint16 {
	if b := c.Bytes(2); b != nil {
		return binary.BigEndian.Uint16(b)
	}
	return 0
}

// Uint24 reads three bytes, network order.
func (c *Cursor) Uint24() int {
	if b := c.Bytes(3); b != nil {
		return int(b[0])<<16 | int(b[1])<<8 | int(b[2])
	}
	return 0
}

// Uint32 reads four bytes, network order.
func (c *Cursor) Uint32() uint32 {
	if b := c.Bytes(4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

// Sub reads n bytes and gives them as a cursor of their own, which is not OK
// when this one is not.
func (c *Cursor) Sub(n int) Cursor {
	b := c.Bytes(n)
	return Cursor{rest: b, short: c.short}
}

// Vector8 reads a one-byte length and as many bytes.
func (c *Cursor) Vector8() Cursor { return c.Sub(int(c.Uint8())) }

// Vector16 reads a two-byte length and as many bytes.
func (c *Cursor) Vector16() Cursor { return c.Sub(int(c.Uint16())) }

// Vector24 reads a three-byte length and as many bytes.
func (c *Cursor) Vector24() Cursor { return c.Sub(c.Uint24()) }
