package source

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/policies"
)

// Format is the form of a list.
type Format string

// Formats. Auto looks at the file.
const (
	Auto     Format = "auto"
	Tables   Format = "tables"   // a directory of the catalogue's own tables
	V2Fly    Format = "v2fly"    // domain-list-community: a file, or its data directory
	Domains  Format = "domains"  // a domain a line, or a hosts file
	Networks Format = "networks" // a network or address a line
	Netify   Format = "netify"   // netify-apps.conf
)

// Formats lists what may be asked for by name.
func Formats() []string {
	return []string{string(Auto), string(Domains), string(Netify), string(Networks), string(Tables), string(V2Fly)}
}

// MaxBytes bounds one file. The largest list in use, v2fly's geolocation-cn
// written out, is below 3 MB.
const MaxBytes = 64 << 20

// Options say how to read a list.
type Options struct {
	Format Format // empty is Auto
	// Application is the tag of a list that names none itself; empty is the
	// file's name.
	Application string
}

// List is what was read. Applications are sorted by tag; a domain and a
// network are listed once in each, and have their canonical form.
type List struct {
	Format       Format
	Applications []artifact.Application
	Skipped      []Skip // in file order
}

// Skip is a row that says nothing a catalogue could hold.
type Skip struct {
	File string
	Line int
	Text string
	Why  string
}

// Read reads a file or directory.
func Read(path string, opts Options) (*List, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("read list: %w", err)
	}
	r := &reader{tag: opts.Application, apps: make(map[string]*gathered)}
	if r.tag == "" {
		r.tag = Tag(strings.TrimSuffix(filepath.Base(path), filepath.Ext(path)))
	}
	r.format = opts.Format
	if info.IsDir() {
		err = r.dir(path)
	} else {
		err = r.file(path)
	}
	if err != nil {
		return nil, fmt.Errorf("read list %s: %w", path, err)
	}
	return r.list(), nil
}

// reader gathers rows of one list.
type reader struct {
	format  Format
	tag     string // of rows that name no application
	apps    map[string]*gathered
	skipped []Skip
}

// gathered is an application in the making.
type gathered struct {
	name, category, brand string
	domains               map[string]bool
	networks              map[netip.Prefix]bool
	ports                 []artifact.PortRange
}

func (r *reader) app(tag string) *gathered {
	a := r.apps[tag]
	if a == nil {
		a = &gathered{domains: make(map[string]bool), networks: make(map[netip.Prefix]bool)}
		r.apps[tag] = a
	}
	return a
}

// row is one line that is no comment.
type row struct {
	file string
	line int
	text string
}

func (r *reader) skip(at row, why string) {
	r.skipped = append(r.skipped, Skip{at.file, at.line, at.text, why})
}

// domain adds a suffix to an application, or says why not.
func (r *reader) domain(at row, tag, name string) {
	suffix, err := policies.ParseSuffix(strings.TrimPrefix(strings.TrimPrefix(name, "*"), "."))
	if err != nil {
		r.skip(at, err.Error())
		return
	}
	r.app(tag).domains[suffix] = true
}

// network adds a prefix to an application, or says why not. Host bits are
// dropped; a bare address is a network of one.
func (r *reader) network(at row, tag, text string) {
	p, err := netip.ParsePrefix(text)
	if err != nil {
		var a netip.Addr
		if a, err = netip.ParseAddr(text); err != nil || a.Zone() != "" {
			r.skip(at, "neither a network nor an address")
			return
		}
		p = netip.PrefixFrom(a, a.BitLen())
	}
	if p.Addr().Is4In6() {
		r.skip(at, "an IPv4 network written as IPv6")
		return
	}
	if p.Bits() == 0 {
		r.skip(at, "all addresses belong to nobody")
		return
	}
	r.app(tag).networks[p.Masked()] = true
}

// dir reads a directory: the catalogue's tables, or v2fly's data.
func (r *reader) dir(path string) error {
	_, err := os.Stat(filepath.Join(path, "applications.txt"))
	tables := err == nil
	switch {
	case r.format == Tables || tables && (r.format == Auto || r.format == ""):
		r.format = Tables
		cat, err := policies.Read(os.DirFS(path))
		if err != nil {
			return err
		}
		r.take(cat)
		return nil
	case r.format == V2Fly || r.format == Auto || r.format == "":
		r.format = V2Fly
		return r.v2flyDir(path)
	case r.format == Domains, r.format == Networks, r.format == Netify:
		return fmt.Errorf("a list of format %s is a file, this is a directory", r.format)
	}
	return fmt.Errorf("unknown format %q: write one of %s", r.format, strings.Join(Formats(), ", "))
}

// take copies a catalogue's applications.
func (r *reader) take(cat *artifact.Catalogue) {
	for _, a := range cat.Applications {
		g := r.app(a.Tag)
		g.name, g.category, g.brand, g.ports = a.Name, a.Category, a.Brand, a.Ports
		for _, d := range a.Domains {
			g.domains[d] = true
		}
		for _, p := range a.Networks {
			g.networks[p] = true
		}
	}
}

// errBinary is for files that are no text at all.
var errBinary = errors.New("this is no text file")

func (r *reader) file(path string) error {
	data, err := readFile(path)
	if err != nil {
		return err
	}
	if bytes.IndexByte(data, 0) >= 0 {
		return errBinary
	}
	text := string(data)
	if r.format == Auto || r.format == "" {
		r.format = detect(text)
	}
	switch r.format {
	case Netify:
		r.netify(path, text)
	case Networks:
		r.networksFile(path, text)
	case Domains:
		r.domainsFile(path, text)
	case V2Fly:
		return r.v2flyFile(path, text)
	case Tables:
		return errors.New("a catalogue's tables are a directory, this is a file")
	default:
		return fmt.Errorf("unknown format %q: write one of %s", r.format, strings.Join(Formats(), ", "))
	}
	return nil
}

// readFile reads a regular file of at most MaxBytes.
func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, errors.Join(err, &fs.PathError{Op: "read", Path: path, Err: errors.New("not a regular file")})
	}
	data, err := io.ReadAll(io.LimitReader(f, MaxBytes+1))
	if err != nil {
		return nil, err
	}
	if len(data) > MaxBytes {
		return nil, fmt.Errorf("larger than %d MiB", MaxBytes>>20)
	}
	return data, nil
}

// list is what was gathered, in order. Applications without a row of their own
// are left out.
func (r *reader) list() *List {
	out := &List{Format: r.format, Skipped: r.skipped}
	for _, tag := range slices.Sorted(maps.Keys(r.apps)) {
		g := r.apps[tag]
		a := artifact.Application{
			Tag: tag, Name: g.name, Category: g.category, Brand: g.brand, Ports: g.ports,
			Domains:  slices.Sorted(maps.Keys(g.domains)),
			Networks: slices.SortedFunc(maps.Keys(g.networks), netip.Prefix.Compare),
		}
		if len(a.Domains)+len(a.Networks)+len(a.Ports) > 0 || r.format == Tables {
			out.Applications = append(out.Applications, a)
		}
	}
	return out
}

// Tag makes a catalogue's tag of a name: lower-case letters and digits, joined
// by hyphens.
func Tag(name string) string {
	var b strings.Builder
	gap := false
	for _, c := range strings.ToLower(name) {
		if 'a' <= c && c <= 'z' || '0' <= c && c <= '9' {
			if gap && b.Len() > 0 {
				b.WriteByte('-')
			}
			b.WriteRune(c)
			gap = false
			continue
		}
		gap = true
	}
	return strings.TrimRight(b.String()[:min(b.Len(), 63)], "-")
}
