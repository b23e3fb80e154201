package geo

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"strings"
)

// DB is an open file, held in memory. It is immutable and safe for concurrent
// use.
type DB struct {
	tree      []byte // nodes, end to end
	data      []byte
	nodes     uint32
	record    int // bits of one of a node's two records: 24, 28 or 32
	ipv6      bool
	ipv4Start uint32 // the node below ::/96, where IPv4 lies; 0 in an IPv4 file
	kind      string
}

// Record is what a file says of a network. Unknown is zero or empty.
type Record struct {
	ASN          uint32
	Organization string // that runs the autonomous system
	Country      string // ISO 3166-1, two capital letters
}

// maxBytes bounds a file. The city files, the largest in use, are below 150 MB.
const maxBytes = 512 << 20

// Errors of Open and Parse.
var (
	errNoMetadata = errors.New("no MaxMind DB: its metadata is missing")
	errDamaged    = errors.New("damaged MaxMind DB")
)

// Open reads a file.
func Open(path string) (*DB, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open MaxMind DB: %w", err)
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.LimitReader(f, maxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("open MaxMind DB: %w", err)
	}
	db, err := Parse(data)
	if err != nil {
		return nil, fmt.Errorf("open MaxMind DB %s: %w", path, err)
	}
	return db, nil
}

// marker stands before the metadata, within the last 128 KiB of a file.
const (
	marker      = "\xab\xcd\xefMaxMind.com"
	maxMetadata = 128 << 10
	separator   = 16 // zero bytes between tree and data
)

// Parse takes a file's bytes, which must not change afterwards.
func Parse(data []byte) (*DB, error) {
	if len(data) > maxBytes {
		return nil, fmt.Errorf("larger than %d MiB", maxBytes>>20)
	}
	from := max(0, len(data)-maxMetadata)
	at := bytes.LastIndex(data[from:], []byte(marker))
	if at < 0 {
		return nil, errNoMetadata
	}
	meta := section{data: data[from+at+len(marker):]}
	db := new(DB)
	var major, nodes, record, version uint64
	meta.fields(0, func(key string, offset int) {
		switch key {
		case "binary_format_major_version":
			major, _ = meta.number(offset)
		case "node_count":
			nodes, _ = meta.number(offset)
		case "record_size":
			record, _ = meta.number(offset)
		case "ip_version":
			version, _ = meta.number(offset)
		case "database_type":
			db.kind, _ = meta.text(offset)
		}
	})
	switch {
	case major != 2:
		return nil, fmt.Errorf("format %d is not supported, only 2", major)
	case record != 24 && record != 28 && record != 32, version != 4 && version != 6, nodes == 0, nodes > 1<<31:
		return nil, fmt.Errorf("%w: %d nodes of %d bits for IPv%d", errDamaged, nodes, record, version)
	}
	size := nodes * record / 4 // two records a node, eight bits a byte
	if size+separator > uint64(from+at) {
		return nil, fmt.Errorf("%w: its tree is cut off", errDamaged)
	}
	db.tree, db.data = data[:size], data[size+separator:from+at]
	db.nodes, db.record, db.ipv6 = uint32(nodes), int(record), version == 6
	if db.ipv6 {
		for range 96 {
			if db.ipv4Start < db.nodes {
				db.ipv4Start = db.child(db.ipv4Start, 0)
			}
		}
	}
	return db, nil
}

// Kind is the file's own word for what it holds, such as "GeoLite2-ASN".
func (db *DB) Kind() string { return db.kind }

// child is a record of a node: below db.nodes another node, db.nodes for
// nothing, above it data.
func (db *DB) child(node uint32, bit byte) uint32 {
	b := db.tree[int(node)*db.record/4:]
	switch db.record {
	case 24:
		b = b[3*int(bit):]
		return uint32(b[0])<<16 | uint32(b[1])<<8 | uint32(b[2])
	case 28: // the middle byte holds the top bits of both
		if bit == 0 {
			return uint32(b[3]>>4)<<24 | uint32(b[0])<<16 | uint32(b[1])<<8 | uint32(b[2])
		}
		return uint32(b[3]&15)<<24 | uint32(b[4])<<16 | uint32(b[5])<<8 | uint32(b[6])
	}
	b = b[4*int(bit):]
	return uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
}

// Lookup finds the network of an address and what is said of it.
func (db *DB) Lookup(a netip.Addr) (Record, netip.Prefix, bool) {
	a = a.Unmap().WithZone("")
	node := uint32(0)
	switch {
	case !a.IsValid() || a.Is6() && !db.ipv6:
		return Record{}, netip.Prefix{}, false
	case a.Is4() && db.ipv6:
		node = db.ipv4Start
	}
	bits := 0
	for address := a.AsSlice(); node < db.nodes && bits < a.BitLen(); bits++ {
		node = db.child(node, address[bits/8]>>(7-bits%8)&1)
	}
	if node <= db.nodes {
		return Record{}, netip.Prefix{}, false
	}
	p, err := a.Prefix(bits)
	r, ok := db.at(node)
	return r, p, ok && err == nil
}

// at reads the data that a record of the tree points to.
func (db *DB) at(pointer uint32) (Record, bool) {
	offset := int64(pointer) - int64(db.nodes) - separator
	if offset < 0 || offset >= int64(len(db.data)) {
		return Record{}, false
	}
	s := section{data: db.data}
	var r Record
	s.fields(int(offset), func(key string, at int) {
		switch key {
		case "autonomous_system_number", "asn":
			r.ASN = s.asn(at)
		case "autonomous_system_organization", "as_name":
			r.Organization, _ = s.text(at)
		case "country":
			if !s.fields(at, func(key string, at int) {
				if key == "iso_code" {
					r.Country, _ = s.text(at)
				}
			}) {
				r.Country, _ = s.text(at)
			}
		case "country_code":
			r.Country, _ = s.text(at)
		}
	})
	if r.Country = strings.ToUpper(r.Country); len(r.Country) != 2 {
		r.Country = ""
	}
	return r, r != Record{}
}
