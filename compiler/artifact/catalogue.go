package artifact

import (
	"bytes"
	"net/netip"
	"strings"
	"unicode/utf8"
)

// catalogueKey is where a payload's catalogue begins. These bytes cannot stand within
// a string of JSON, where quotes have a backslash before them.
const catalogueKey = `,"catalogue":`

// cutCatalogue takes the catalogue out of a payload that is written as Encode
// writes it, and gives the rest without it. The catalogue is all but a few
// kilobytes of a small bundle; reading it by encoding/json takes a third of
// netpold's start, 8 ms against 1 (2026-11). ok is false for anything written
// otherwise, which is for encoding/json to judge.
func cutCatalogue(body []byte) (c Catalogue, rest []byte, ok bool) {
	at := bytes.Index(body, []byte(catalogueKey))
	if at < 0 || depth(body[:at]) != 1 {
		return c, nil, false
	}
	r := catalogueReader{text: string(body[at+len(catalogueKey):])}
	c = r.catalogue()
	// What JSON would replace or resolve in strings is not looked into here.
	read, after := r.text[:r.at], r.text[r.at:]
	if r.failed || strings.Contains(after, catalogueKey) || !utf8.ValidString(read) || strings.IndexByte(read, '\\') >= 0 || hasControl(read) {
		return Catalogue{}, nil, false
	}
	rest = append(bytes.Clone(body[:at]), after...)
	return c, rest, true
}

// depth is how many objects and lists are open at the end of some JSON.
func depth(b []byte) (open int) {
	inString := false
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case inString && c == '\\':
			i++
		case c == '"':
			inString = !inString
		case inString:
		case c == '{' || c == '[':
			open++
		case c == '}' || c == ']':
			open--
		}
	}
	if inString {
		return -1
	}
	return open
}

func hasControl(s string) bool {
	for i := range len(s) {
		if s[i] < 0x20 {
			return true
		}
	}
	return false
}

// catalogueReader reads the canonical form and nothing else. Its strings are parts
// of text, which therefore stays. Once failed, it reads on without moving.
type catalogueReader struct {
	text   string
	at     int
	failed bool
}

func (r *catalogueReader) catalogue() (c Catalogue) {
	r.must(`{"digest":`)
	c.Digest = r.str()
	r.must(`,"categories":[`)
	c.Categories = list(r, (*catalogueReader).category)
	r.must(`,"protocols":[`)
	c.Protocols = list(r, (*catalogueReader).protocol)
	r.must(`,"applications":[`)
	c.Applications = list(r, (*catalogueReader).application)
	r.must(`}`)
	return c
}

func (r *catalogueReader) category() (c Category) {
	r.must(`{"tag":`)
	c.Tag = r.str()
	c.Description = r.optional(`,"description":`)
	r.must(`}`)
	return c
}

func (r *catalogueReader) protocol() (p Protocol) {
	r.must(`{"tag":`)
	p.Tag = r.str()
	r.must(`,"name":`)
	p.Name = r.str()
	r.must(`,"category":`)
	p.Category = r.str()
	if r.is(`,"ports":[`) {
		p.Ports = list(r, (*catalogueReader).ports)
	}
	p.Application = r.optional(`,"application":`)
	r.must(`}`)
	return p
}

func (r *catalogueReader) application() (a Application) {
	r.must(`{"tag":`)
	a.Tag = r.str()
	r.must(`,"name":`)
	a.Name = r.str()
	r.must(`,"category":`)
	a.Category = r.str()
	a.Brand = r.optional(`,"brand":`)
	if r.is(`,"domains":[`) {
		a.Domains = list(r, (*catalogueReader).str)
	}
	if r.is(`,"networks":[`) {
		a.Networks = list(r, (*catalogueReader).prefix)
	}
	if r.is(`,"ports":[`) {
		a.Ports = list(r, (*catalogueReader).ports)
	}
	if r.is(`,"signatures":[`) {
		a.Signatures = list(r, (*catalogueReader).signature)
	}
	r.must(`}`)
	return a
}

func (r *catalogueReader) signature() (s Signature) {
	r.must(`{"where":`)
	s.Where = r.str()
	r.must(`,"value":`)
	s.Value = r.str()
	s.Prefix = r.is(`,"prefix":true`)
	r.must(`}`)
	return s
}

func (r *catalogueReader) ports() (p PortRange) {
	r.must(`{"transport":`)
	p.Transport = r.str()
	r.must(`,"low":`)
	p.Low = r.number()
	r.must(`,"high":`)
	p.High = r.number()
	p.NeedsNetwork = r.is(`,"needs_network":true`)
	p.NeedsBrand = r.is(`,"needs_brand":true`)
	r.must(`}`)
	return p
}

// list reads what follows an opening bracket, up to the closing one.
func list[T any](r *catalogueReader, one func(*catalogueReader) T) []T {
	out := []T{}
	if r.is(`]`) {
		return out
	}
	for !r.failed {
		out = append(out, one(r))
		if r.is(`]`) {
			return out
		}
		r.must(`,`)
	}
	return nil
}

// is steps over s if it comes next.
func (r *catalogueReader) is(s string) bool {
	if r.failed || !strings.HasPrefix(r.text[r.at:], s) {
		return false
	}
	r.at += len(s)
	return true
}

func (r *catalogueReader) must(s string) {
	if !r.is(s) {
		r.failed = true
	}
}

// optional is a field that is left out when it is empty.
func (r *catalogueReader) optional(key string) string {
	if !r.is(key) {
		return ""
	}
	return r.str()
}

// str reads a string; the caller of catalogue makes sure that nothing in it is
// written by a backslash.
func (r *catalogueReader) str() string {
	r.must(`"`)
	if r.failed {
		return ""
	}
	end := strings.IndexByte(r.text[r.at:], '"')
	if end < 0 {
		r.failed = true
		return ""
	}
	s := r.text[r.at : r.at+end]
	r.at += end + 1
	return s
}

func (r *catalogueReader) prefix() netip.Prefix {
	p, err := netip.ParsePrefix(r.str())
	r.failed = r.failed || err != nil
	return p
}

// number reads a decimal number of 16 bits in its shortest form.
func (r *catalogueReader) number() uint16 {
	n, start := 0, r.at
	for r.at < len(r.text) && r.text[r.at] >= '0' && r.text[r.at] <= '9' && n <= 0xffff {
		n = n*10 + int(r.text[r.at]-'0')
		r.at++
	}
	if r.at == start || n > 0xffff || r.text[start] == '0' && r.at > start+1 {
		r.failed = true
	}
	return uint16(n)
}
