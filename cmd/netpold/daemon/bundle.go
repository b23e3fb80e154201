package daemon

import (
	"bytes"
	"fmt"
	"io"
	"os"

	"github.com/netpol/netpol/compiler/artifact"
)

// readBundle loads a bundle file, never more of it than a bundle may have.
func readBundle(name string) (*artifact.Bundle, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("read bundle: %w", err)
	}
	defer f.Close()
	var data bytes.Buffer
	if info, err := f.Stat(); err == nil { // or it grows, and is copied, ten times
		data.Grow(int(min(info.Size(), artifact.MaxBytes)) + bytes.MinRead)
	}
	if _, err := data.ReadFrom(io.LimitReader(f, artifact.MaxBytes+1)); err != nil {
		return nil, fmt.Errorf("read bundle: %w", err)
	}
	b, err := artifact.Decode(data.Bytes())
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return b, nil
}
