package source

import (
	"net/netip"
	"strings"
)

// maxLine bounds what is kept of a row that was skipped.
const maxLine = 200

// rows calls do for each line of a text that is neither empty nor a comment.
// What follows a '#' or ';' is a comment, in all formats read here.
func rows(file, text string, do func(row)) {
	n := 0
	for line := range strings.Lines(text) {
		n++
		if cut := strings.IndexAny(line, "#;"); cut >= 0 {
			line = line[:cut]
		}
		if line = strings.TrimSpace(strings.TrimPrefix(line, "\ufeff")); line != "" {
			do(row{file, n, line[:min(len(line), maxLine)]})
		}
	}
}

// detectRows is how many rows are looked at to find out the format.
const detectRows = 50

// detect finds out the format of a file by its first rows.
func detect(text string) Format {
	var netify, v2fly, networks, n int
	rows("", text, func(at row) {
		if n++; n > detectRows {
			return
		}
		first := strings.Fields(at.text)[0]
		kind, _, colon := strings.Cut(first, ":")
		_, errPrefix := netip.ParsePrefix(first)
		_, errAddr := netip.ParseAddr(first)
		switch {
		case errPrefix == nil, errAddr == nil && first == at.text:
			networks++
		case errAddr == nil: // a hosts file
		case colon && (kind == "app" || kind == "dom" || kind == "net" || kind == "nsd" || kind == "xfm"):
			netify++
		case colon && (kind == "domain" || kind == "full" || kind == "keyword" || kind == "regexp" || kind == "include"), strings.Contains(at.text, " @"):
			v2fly++
		}
	})
	switch {
	case netify > 0 && netify >= v2fly:
		return Netify
	case v2fly > 0:
		return V2Fly
	case networks > 0 && networks >= min(n, detectRows)/2:
		return Networks
	}
	return Domains
}

// networksFile reads a network or address a line; what follows a blank is not
// looked at.
func (r *reader) networksFile(file, text string) {
	rows(file, text, func(at row) {
		r.network(at, r.tag, strings.Fields(at.text)[0])
	})
}

// domainsFile reads a domain a line. In a hosts file (an address, then names)
// the names count; the address is where a blocker sends them. Adblock's
// "||name^" is a domain with all below it.
func (r *reader) domainsFile(file, text string) {
	rows(file, text, func(at row) {
		fields := strings.Fields(at.text)
		if _, err := netip.ParseAddr(fields[0]); err == nil && len(fields) > 1 {
			fields = fields[1:]
		} else {
			fields = fields[:1]
		}
		for _, name := range fields {
			if name == "localhost" || strings.HasSuffix(name, ".localdomain") {
				continue
			}
			name = strings.TrimSuffix(strings.TrimPrefix(name, "||"), "^")
			r.domain(at, r.tag, name)
		}
	})
}

// netify reads the rows of Netify's signature file: "app:ID:TAG" names an
// application, "dom:ID:NAME" and "net:ID:NETWORK" belong to it. Its rules on
// flows (nsd) and on names (xfm) are skipped.
func (r *reader) netify(file, text string) {
	tags := make(map[string]string)
	rows(file, text, func(at row) {
		if f := strings.SplitN(at.text, ":", 3); len(f) == 3 && f[0] == "app" {
			tags[f[1]] = Tag(strings.TrimPrefix(f[2], "netify."))
		}
	})
	rows(file, text, func(at row) {
		f := strings.SplitN(at.text, ":", 3)
		switch {
		case len(f) == 3 && f[0] == "app":
			return
		case len(f) < 3 || f[0] != "dom" && f[0] != "net":
			r.skip(at, "neither an application, a domain nor a network")
			return
		case tags[f[1]] == "":
			r.skip(at, "no application has this number")
			return
		}
		if f[0] == "dom" {
			r.domain(at, tags[f[1]], f[2])
			return
		}
		r.network(at, tags[f[1]], f[2])
	})
}
