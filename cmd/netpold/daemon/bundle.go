package daemon

import (
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
	data, err := io.ReadAll(io.LimitReader(f, artifact.MaxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read bundle: %w", err)
	}
	b, err := artifact.Decode(data)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return b, nil
}
