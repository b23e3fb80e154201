//go:build sink_zstd

package sink

import (
	"io"

	"github.com/klauspost/compress/zstd"
)

const haveZstd = true

// zstdPacker compresses on the sink's own goroutine.
type zstdPacker struct {
	w   *zstd.Encoder
	buf []byte
}

func newZstdPacker() (packer, error) {
	w, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithLowerEncoderMem(true), zstd.WithWindowSize(1<<20))
	return &zstdPacker{w: w}, err
}

func (p *zstdPacker) pack(b []byte) ([]byte, error) {
	p.buf = p.w.EncodeAll(b, p.buf[:0])
	return p.buf, nil
}

func newZstdReader(in io.Reader) (io.Reader, error) {
	return zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true))
}
