package policies

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"

	"github.com/netpol/netpol/compiler/artifact"
)

//go:embed catalog/*.txt
var embedded embed.FS

// Catalogue parses the embedded catalogue. Its lists are sorted by tag and its
// digest is filled. Each call parses anew, so the caller owns the result.
func Catalogue() (*artifact.Catalogue, error) {
	dir, err := fs.Sub(embedded, "catalog")
	if err != nil {
		return nil, fmt.Errorf("open catalogue: %w", err)
	}
	return parseCatalogue(dir, true)
}

// Read parses the tables of a catalogue that is kept elsewhere, by strict rules.
func Read(dir fs.FS) (*artifact.Catalogue, error) { return parseCatalogue(dir, false) }

// parseCatalogue reads the tables of a catalogue directory. The first
// mistake ends it, with the file and line: the tables are the project's own,
// so a mistake is a bug and not an author's error to be collected. held is the builder's.
func parseCatalogue(dir fs.FS, held bool) (*artifact.Catalogue, error) {
	b := &builder{cat: new(artifact.Catalogue), held: held}
	for _, table := range []struct {
		file    string
		columns int
		row     func(row) error
		later   bool // older catalogues have no such table
	}{
		{"categories.txt", 2, b.category, false},
		{"applications.txt", 4, b.application, false},
		{"brands.txt", 2, b.brand, true},
		{"protocols.txt", 5, b.protocol, false},
		{"domains.txt", 2, b.domain, false},
		{"networks.txt", 2, b.network, false},
		{"ports.txt", 4, b.port, false},
		{"signatures.txt", 4, b.signature, true},
	} {
		data, err := fs.ReadFile(dir, table.file)
		if table.later && errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read catalogue: %w", err)
		}
		b.reset()
		if err := eachRow(table.file, string(data), table.columns, table.row); err != nil {
			return nil, err
		}
	}
	if err := b.finish(); err != nil {
		return nil, err
	}
	return b.cat, nil
}

// digest is the hash of the catalogue's canonical encoding: its JSON with an
// empty digest. Field order and list order are fixed, so equal catalogues
// have equal digests on every host.
func digest(cat artifact.Catalogue) (string, error) {
	cat.Digest = ""
	data, err := json.Marshal(cat)
	if err != nil {
		return "", fmt.Errorf("encode catalogue: %w", err)
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:]), nil
}
