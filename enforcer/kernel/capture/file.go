package capture

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/netpol/netpol/enforcer/packet"
)

const (
	// maxPacket is the most that one packet may hold, libpcap's
	// MAXIMUM_SNAPLEN. A larger length is a damaged or hostile file.
	maxPacket = 256 << 10
)

// Faults of capture files.
var (
	errNotCapture = errors.New("not a pcap or pcapng file")
	errTruncated  = errors.New("cut short in the middle of a packet")
)

// errLinkType says that a file's packets begin with a header we do not read.
type errLinkType uint32

func (e errLinkType) Error() string {
	return fmt.Sprintf("link type %d is not supported (supported: Ethernet, Linux cooked, PPP, PPI, raw IP, BSD loopback)", uint32(e))
}

// Files reads capture files one after the other. After the last packet of each
// it returns packet.ErrFileEnd, or a *packet.FileError when the file could not
// be read to its end; after the last file io.EOF. Not safe for concurrent use.
type Files struct {
	paths  []string
	open   func(path string) (io.ReadCloser, error)
	file   io.Closer
	slab   slab
	reader packetReader
	name   string // base name of the current file
	path   string
}

// packetReader is one file format.
type packetReader interface {
	next(*packet.Raw) error
	// more fills raws with packets that are in memory whole and says how many these
	// are, 0 where that is for next to find out. It reads nothing.
	more(raws []packet.Raw) int
}

// NewFiles makes a Source of the files. Nothing is opened before the first
// Next. The path "-" is standard input.
func NewFiles(paths []string) *Files {
	return &Files{paths: paths, open: openFile}
}

func openFile(path string) (io.ReadCloser, error) {
	if path == "-" {
		return io.NopCloser(os.Stdin), nil
	}
	f, err := os.Open(path)
	if err != nil {
		var pe *os.PathError
		if errors.As(err, &pe) {
			err = pe.Err // the FileError names the path
		}
		return nil, err
	}
	return hasten(f), nil
}

// Next reads the next packet. raw.Data is valid until the next call.
func (s *Files) Next(raw *packet.Raw) error {
	if s.reader == nil {
		if len(s.paths) == 0 {
			return io.EOF
		}
		if err := s.begin(); err != nil {
			return s.end(err)
		}
	}
	if err := s.reader.next(raw); err != nil {
		return s.end(err)
	}
	raw.File = s.name
	return nil
}

// NextBatch reads at least one packet, and more as far as they are in memory
// already; all are valid until the next call. It fails as Next does.
func (s *Files) NextBatch(raws []packet.Raw) (n int, err error) {
	if err := s.Next(&raws[0]); err != nil {
		return 0, err
	}
	n = 1 + s.reader.more(raws[1:])
	for i := range raws[1:n] {
		raws[1+i].File = s.name
	}
	return n, nil
}

// BytesRead is how much of the files was read, for progress.
func (s *Files) BytesRead() int64 { return s.slab.read }

// Close closes the file that is being read.
func (s *Files) Close() error {
	s.paths = nil
	if s.file == nil {
		return nil
	}
	err := s.file.Close()
	s.file, s.reader = nil, nil
	return err
}

// begin opens the next file and finds its format.
func (s *Files) begin() error {
	s.path, s.paths = s.paths[0], s.paths[1:]
	s.name = filepath.Base(s.path)
	f, err := s.open(s.path)
	if err != nil {
		return err
	}
	s.file = f
	s.slab.reset(f)
	magic, err := s.slab.peek(4)
	if err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, errTruncated) {
			return errNotCapture
		}
		return err
	}
	if binary.LittleEndian.Uint32(magic) == ngSectionHeader {
		s.reader = &ngReader{r: &s.slab, order: binary.LittleEndian}
		return nil
	}
	if by := compressor(magic); by != "" {
		return fmt.Errorf("compressed by %s; %s -dc %s | netpol replay -", by, by, s.path)
	}
	r, err := newPcapReader(&s.slab)
	if err != nil {
		return err
	}
	s.reader = r
	return nil
}

// compressor is the program that has compressed a file, by its first four bytes (RFC
// 1952, RFC 8878, the xz file format); empty for none.
func compressor(magic []byte) string {
	switch {
	case magic[0] == 0x1f && magic[1] == 0x8b:
		return "gzip"
	case binary.LittleEndian.Uint32(magic) == 0xfd2fb528:
		return "zstd"
	case string(magic) == "\xfd7zX":
		return "xz"
	}
	return ""
}

// end closes the current file and says how reading it ended.
func (s *Files) end(err error) error {
	s.reader = nil
	if s.file != nil {
		if cerr := s.file.Close(); cerr != nil && errors.Is(err, io.EOF) {
			err = cerr
		}
		s.file = nil
	}
	if errors.Is(err, io.EOF) {
		return packet.ErrFileEnd
	}
	return &packet.FileError{File: s.path, Err: err}
}
