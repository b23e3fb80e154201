package lang

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/netpol/netpol/lang/diag"
)

// MaxDatabaseBytes bounds a file that says whose addresses are. GeoLite2's of
// cities, the largest that names countries, is some 60 MB.
const MaxDatabaseBytes = 256 << 20

// Database is a file in the MaxMind DB format that the set names. It is read
// with the set, and what it says is compiled: no router needs it.
type Database struct {
	Name  string     // as it was written
	Data  []byte     // nil where it could not be read, which is reported
	Range diag.Range // of the argument
}

// database reads the file that an argument names.
func (d *decoder) database(b *hclsyntax.Block, argument, example string) *Database {
	t := d.text(b, argument, example)
	if t.Range.IsZero() {
		return nil
	}
	out := &Database{Name: t.Value, Range: t.Range}
	name, why := inside(d.dir, t.Value)
	if why != "" {
		d.diags.Add(diag.New(diag.InvalidPath, t.Range, fmt.Sprintf("%q cannot be read: %s.", t.Value, why)))
		return out
	}
	data, err := d.tree.read(name, MaxDatabaseBytes)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		d.diags.Add(diag.New(diag.UnreadableFile, t.Range, fmt.Sprintf("There is no file %s in the policy directory. netpol brings none: fetch one from MaxMind, DB-IP or IPinfo and put it there.", name)))
	case err != nil:
		fault := readDiagnostic(name, err)
		fault.Subject = t.Range
		d.diags.Add(fault)
	case len(data) > MaxDatabaseBytes:
		d.diags.Add(diag.New(diag.TooLarge, t.Range, fmt.Sprintf("%s is larger than %d MiB.", name, MaxDatabaseBytes>>20)))
	default:
		out.Data = data
	}
	return out
}
