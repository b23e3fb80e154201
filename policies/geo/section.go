package geo

import (
	"strconv"
	"strings"
)

// section decodes fields of a data section. Bytes that are no field read as
// absent; every read is bounded, whatever the bytes are.
type section struct {
	data  []byte
	steps int // fields seen; bounds what a hostile file can cost
}

// maxSteps bounds the fields of one record; city files have about 100.
const maxSteps = 4096

// maxPointers bounds a chain of pointers. The format allows none at all to
// another pointer.
const maxPointers = 4

// Types of fields (specification, "Output Data Section").
const (
	typePointer = 1
	typeString  = 2
	typeUint16  = 5
	typeUint32  = 6
	typeMap     = 7
	typeUint64  = 9
	typeArray   = 11
	typeBool    = 14
)

// field is one field's header. For a map or array, size counts its entries;
// from is where its content begins.
type field struct {
	kind, size, from int
}

// header reads the control bytes at an offset, following pointers. next is
// where the field after it begins, or 0 for a map or array without pointer.
func (s *section) header(offset int) (f field, next int, ok bool) {
	for range maxPointers {
		if s.steps++; s.steps > maxSteps || offset < 0 || offset >= len(s.data) {
			return f, 0, false
		}
		control := s.data[offset]
		f = field{kind: int(control >> 5), size: int(control & 31), from: offset + 1}
		if f.kind == typePointer {
			to, after, fine := s.pointer(control, f.from)
			if !fine {
				return f, 0, false
			}
			if next == 0 {
				next = after
			}
			offset = to
			continue
		}
		if !s.extend(&f) {
			return f, 0, false
		}
		if next == 0 && f.kind != typeMap && f.kind != typeArray {
			next = f.from + f.size
			if f.kind == typeBool {
				next = f.from // its value is its size
			}
		}
		return f, next, true
	}
	return f, 0, false
}

// extend reads the extended type and size of a field.
func (s *section) extend(f *field) bool {
	if f.kind == 0 {
		if f.from >= len(s.data) {
			return false
		}
		f.kind = 7 + int(s.data[f.from])
		f.from++
	}
	more := max(f.size-28, 0) // 29, 30 and 31 are followed by 1, 2 and 3 bytes
	if f.from+more > len(s.data) {
		return false
	}
	if more > 0 {
		base := [...]int{0, 29, 285, 65821}[more]
		n := 0
		for _, b := range s.data[f.from : f.from+more] {
			n = n<<8 | int(b)
		}
		f.size, f.from = base+n, f.from+more
	}
	if f.kind == typeMap || f.kind == typeArray || f.kind == typeBool {
		return true
	}
	return f.size <= len(s.data)-f.from
}

// pointer reads a pointer whose control byte stands before from.
func (s *section) pointer(control byte, from int) (to, after int, ok bool) {
	n := int(control>>3&3) + 1
	if from+n > len(s.data) {
		return 0, 0, false
	}
	value := int(control & 7)
	if n == 4 {
		value = 0
	}
	for _, b := range s.data[from : from+n] {
		value = value<<8 | int(b)
	}
	return value + [...]int{0, 0, 2048, 526336, 0}[n], from + n, true
}

// fields calls do with each key of the map at an offset and where its value
// begins; false when there is no map.
func (s *section) fields(offset int, do func(key string, offset int)) bool {
	f, _, ok := s.header(offset)
	if !ok || f.kind != typeMap {
		return false
	}
	at := f.from
	for range f.size {
		key, next, ok := s.header(at)
		if !ok || key.kind != typeString {
			return true
		}
		do(string(s.data[key.from:key.from+key.size]), next)
		if at, ok = s.skip(next, 0); !ok {
			return true
		}
	}
	return true
}

// maxDepth bounds maps within maps.
const maxDepth = 16

// skip finds where the field after the one at an offset begins.
func (s *section) skip(offset, depth int) (next int, ok bool) {
	f, next, ok := s.header(offset)
	if !ok || depth > maxDepth {
		return 0, false
	}
	if next > 0 {
		return next, true
	}
	entries := f.size
	if f.kind == typeMap {
		entries *= 2
	}
	at := f.from
	for range entries {
		if at, ok = s.skip(at, depth+1); !ok {
			return 0, false
		}
	}
	return at, true
}

// text reads a string.
func (s *section) text(offset int) (string, bool) {
	f, _, ok := s.header(offset)
	if !ok || f.kind != typeString {
		return "", false
	}
	return string(s.data[f.from : f.from+f.size]), true
}

// number reads an unsigned integer of at most eight bytes.
func (s *section) number(offset int) (uint64, bool) {
	f, _, ok := s.header(offset)
	if !ok || f.kind != typeUint16 && f.kind != typeUint32 && f.kind != typeUint64 || f.size > 8 {
		return 0, false
	}
	var n uint64
	for _, b := range s.data[f.from : f.from+f.size] {
		n = n<<8 | uint64(b)
	}
	return n, true
}

// asn reads the number of an autonomous system, written as a number or, as
// some files do, as text with "AS" in front.
func (s *section) asn(offset int) uint32 {
	if n, ok := s.number(offset); ok && n <= 1<<32-1 {
		return uint32(n)
	}
	text, _ := s.text(offset)
	n, err := strconv.ParseUint(strings.TrimPrefix(strings.ToUpper(text), "AS"), 10, 32)
	if err != nil {
		return 0
	}
	return uint32(n)
}
