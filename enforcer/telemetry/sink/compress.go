package sink

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"time"
)

// compressLinger is how long records wait for others that are compressed with them, or
// go in one message: one alone is made half as long, a second's worth a tenth.
const compressLinger = time.Second

// packer compresses what is written at a time to a whole member (gzip, RFC 1952, 2.2) or
// frame (zstd, RFC 8878, 3): several after each other are one stream to every decoder,
// so a reader may join between two, and a file that was cut off is read up to the
// last one. The result is valid until the next.
type packer interface {
	pack(b []byte) ([]byte, error)
}

// newPacker makes a packer by its word, as Content-Encoding has it; nil for none.
func newPacker(word string) (packer, error) {
	switch word {
	case "":
		return nil, nil
	case "gzip":
		return &gzipPacker{w: gzip.NewWriter(io.Discard)}, nil
	case "zstd":
		return newZstdPacker()
	}
	return nil, fmt.Errorf("this netpold does not compress by %s", word)
}

// unpackable are the words of what unpacked reads.
func unpackable() []string {
	if haveZstd {
		return []string{"gzip", "zstd"}
	}
	return []string{"gzip"}
}

type gzipPacker struct {
	w   *gzip.Writer
	buf bytes.Buffer
}

func (p *gzipPacker) pack(b []byte) ([]byte, error) {
	p.buf.Reset()
	p.w.Reset(&p.buf)
	if _, err := p.w.Write(b); err != nil {
		return nil, err
	}
	if err := p.w.Close(); err != nil {
		return nil, err
	}
	return p.buf.Bytes(), nil
}

// unpacked reads what newPacker's packer has written, of which there may be less than
// a whole stream.
func unpacked(word string, in io.Reader) (io.Reader, error) {
	switch word {
	case "gzip":
		return gzip.NewReader(in)
	case "zstd":
		return newZstdReader(in)
	}
	return in, nil
}

// packed is what is written of records: compressed, if the sink asks for that.
func packed(p packer, records []byte) ([]byte, error) {
	if p == nil {
		return records, nil
	}
	return p.pack(records)
}

// unlessCut is how many bytes of records were written with what they were compressed
// to: all or none.
func (r *runner) unlessCut(records []byte, whole bool) int {
	if whole {
		return len(records)
	}
	return 0
}
