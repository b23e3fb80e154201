//go:build !sink_zstd

package sink

import (
	"errors"
	"io"
)

const haveZstd = false

var errNoZstd = errors.New("this netpold has no zstd: it is in one that was built with the tag sink_zstd")

func newZstdPacker() (packer, error) { return nil, errNoZstd }

func newZstdReader(io.Reader) (io.Reader, error) { return nil, errNoZstd }
