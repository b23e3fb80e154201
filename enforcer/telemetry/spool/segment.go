package spool

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// A segment begins with magic and the format's name, eight bytes each. Frames
// follow: the number of bytes of the records, the number of records, a checksum of
// both and of the records (CRC-32C, as iSCSI's, RFC 3720), four bytes each in
// network order, and the records.
const (
	magic       = "npspool1"
	segmentHead = 16
	frameHead   = 12
	suffix      = ".spool"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

var errDamaged = errors.New("the checksum is wrong")

// segment is one file of a spool.
type segment struct {
	name    string
	number  uint64
	f       *os.File // nil when it is sealed and not read
	size    int64    // of what is whole
	damaged int64    // bytes after that
	read    int64    // where the next frame to be read begins
	records uint64
	done    uint64 // records that were read and are done with
	dirty   bool
	gone    bool // dropped
}

func newSegment(dir string, number uint64, format string) (*segment, error) {
	g := &segment{name: filepath.Join(dir, fmt.Sprintf("%016x%s", number, suffix)), number: number, size: segmentHead, read: segmentHead}
	var err error
	if g.f, err = os.OpenFile(g.name, os.O_RDWR|os.O_CREATE|os.O_TRUNC, fileMode); err != nil {
		return nil, err
	}
	if _, err := g.f.WriteAt(headOf(format), 0); err != nil {
		return nil, errors.Join(err, g.remove())
	}
	return g, syncDir(dir)
}

func headOf(format string) []byte {
	head := make([]byte, segmentHead)
	copy(head, magic)
	copy(head[len(magic):], format)
	return head
}

// syncDir makes a new file's name survive the loss of power.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// loadSegment finds what is whole in a file, and cuts off the rest.
func loadSegment(name, format string) (*segment, error) {
	number, err := strconv.ParseUint(strings.TrimSuffix(filepath.Base(name), suffix), 16, 64)
	if err != nil {
		return nil, errors.New("its name is no number")
	}
	g := &segment{name: name, number: number, size: segmentHead, read: segmentHead}
	if g.f, err = os.OpenFile(name, os.O_RDWR, 0); err != nil {
		return nil, err
	}
	head := make([]byte, segmentHead)
	if _, err := io.ReadFull(g.f, head); err != nil || !bytes.Equal(head, headOf(format)) {
		return nil, errors.Join(fmt.Errorf("it holds no records of format %s", format), g.close())
	}
	info, err := g.f.Stat()
	if err != nil {
		return nil, errors.Join(err, g.close())
	}
	var buf []byte
	for end := info.Size(); g.size < end; {
		g.damaged = end - g.size
		records, count, err := g.frameBefore(g.size, end, &buf)
		if err != nil {
			break
		}
		g.damaged = 0
		g.size += frameHead + int64(len(records))
		g.records += uint64(count)
	}
	if g.damaged > 0 {
		if err := g.f.Truncate(g.size); err != nil {
			return nil, errors.Join(err, g.close())
		}
	}
	return g, g.close()
}

// append adds a frame. What a full disk took of it is cut off.
func (g *segment) append(buf, records []byte, count int) ([]byte, error) {
	if err := g.open(); err != nil {
		return buf, err
	}
	buf = append(buf[:0], make([]byte, frameHead)...)
	binary.BigEndian.PutUint32(buf, uint32(len(records)))
	binary.BigEndian.PutUint32(buf[4:], uint32(count))
	buf = append(buf, records...)
	binary.BigEndian.PutUint32(buf[8:], checksum(buf))
	if _, err := g.f.WriteAt(buf, g.size); err != nil {
		return buf, errors.Join(err, g.f.Truncate(g.size))
	}
	g.size += int64(len(buf))
	g.records += uint64(count)
	g.dirty = true
	return buf, nil
}

// checksum is that of a frame, without the place where it stands itself.
func checksum(frame []byte) uint32 {
	return crc32.Update(crc32.Checksum(frame[:8], castagnoli), castagnoli, frame[frameHead:])
}

// frame reads the frame at a place.
func (g *segment) frame(at int64, buf *[]byte) (records []byte, count uint32, _ error) {
	if err := g.open(); err != nil {
		return nil, 0, err
	}
	return g.frameBefore(at, g.size, buf)
}

// frameBefore reads the frame at a place, which must be over before end.
func (g *segment) frameBefore(at, end int64, buf *[]byte) (records []byte, count uint32, _ error) {
	head := make([]byte, frameHead)
	if _, err := g.f.ReadAt(head, at); err != nil {
		return nil, 0, err
	}
	n := int64(binary.BigEndian.Uint32(head))
	if n > end-at-frameHead {
		return nil, 0, errDamaged
	}
	*buf = slices.Grow((*buf)[:0], int(frameHead+n))
	frame := (*buf)[:frameHead+n]
	if _, err := g.f.ReadAt(frame, at); err != nil {
		return nil, 0, err
	}
	if checksum(frame) != binary.BigEndian.Uint32(head[8:]) {
		return nil, 0, errDamaged
	}
	return frame[frameHead:], binary.BigEndian.Uint32(head[4:]), nil
}

func (g *segment) open() (err error) {
	if g.f == nil {
		g.f, err = os.OpenFile(g.name, os.O_RDWR, 0)
	}
	return err
}

// seal ends writing.
func (g *segment) seal() error { return errors.Join(g.sync(), g.close()) }

func (g *segment) sync() error {
	if g.f == nil || !g.dirty {
		return nil
	}
	g.dirty = false
	return g.f.Sync()
}

func (g *segment) close() error {
	if g.f == nil {
		return nil
	}
	err := g.f.Close()
	g.f = nil
	return err
}

func (g *segment) remove() error { return errors.Join(g.close(), os.Remove(g.name)) }
