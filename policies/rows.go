package policies

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/netpol/netpol/compiler/artifact"
)

// row is one line of a table, valid until the next.
type row struct {
	file   string
	line   int
	fields []string
}

// errorf is an error at the row's position.
func (r row) errorf(format string, args ...any) error {
	return fmt.Errorf("%s:%d: %s", r.file, r.line, fmt.Sprintf(format, args...))
}

// eachRow splits a table into rows of exactly the given number of
// tab-separated columns. Lines beginning with '#' are comments.
func eachRow(file, text string, columns int, do func(row) error) error {
	line := 0
	r := row{file: file, fields: make([]string, 0, columns)}
	for s := range strings.Lines(text) {
		line++
		s = strings.TrimSuffix(s, "\n")
		if strings.HasPrefix(s, "#") {
			continue
		}
		r.line, r.fields = line, r.fields[:0]
		for f := range strings.SplitSeq(s, "\t") {
			r.fields = append(r.fields, f)
		}
		if len(r.fields) != columns {
			return r.errorf("%d columns, want %d", len(r.fields), columns)
		}
		for _, f := range r.fields {
			if f == "" || strings.TrimSpace(f) != f {
				return r.errorf("column %q is empty or padded", f)
			}
		}
		if err := do(r); err != nil {
			return err
		}
	}
	return nil
}

// maxLabel bounds a label of a host name (RFC 1035 section 2.3.4).
const maxLabel = 63

// isLabel says that s is a label of lower-case letters, digits, hyphens that
// neither begin nor end it, and underscores. A regular expression for it took a
// sixth of the tool's start: there are tens of thousands.
func isLabel(s string) bool {
	if s == "" || len(s) > maxLabel || s[0] == '-' || s[len(s)-1] == '-' {
		return false
	}
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '-', c == '_':
		default:
			return false
		}
	}
	return true
}

// checkTag reports a tag that is not lower-case words joined by hyphens.
func (r row) checkTag(tag string) error {
	for word := range strings.SplitSeq(tag, "-") {
		if !isLabel(word) || strings.Contains(word, "_") {
			return r.errorf("bad tag %q", tag)
		}
	}
	return nil
}

// checkSuffix reports a host name suffix that is not in its canonical form.
func (r row) checkSuffix(suffix string) error {
	got, err := ParseSuffix(suffix)
	if err == nil && got != suffix {
		err = fmt.Errorf("bad suffix %q, want %q", suffix, got)
	}
	if err != nil {
		return r.errorf("%s", err)
	}
	return nil
}

// ParseSuffix reads a host name suffix: at least two labels of letters,
// digits, hyphens and underscores (RFC 1123 plus the underscore that service
// names use), in lower case without a trailing dot. A top-level domain that is
// all digits would be an address (RFC 3696 section 2).
func ParseSuffix(s string) (string, error) {
	suffix := strings.ToLower(strings.TrimSuffix(s, "."))
	if !strings.Contains(suffix, ".") || len(suffix) > 253 {
		return "", fmt.Errorf("bad suffix %q", s)
	}
	last := ""
	for label := range strings.SplitSeq(suffix, ".") {
		if !isLabel(label) {
			return "", fmt.Errorf("bad label %q in suffix %q", label, s)
		}
		last = label
	}
	if strings.Trim(last, "0123456789") == "" {
		return "", fmt.Errorf("bad suffix %q: it ends in a number", s)
	}
	return suffix, nil
}

// parsePrefix parses a prefix in its canonical form.
func (r row) parsePrefix(s string) (netip.Prefix, error) {
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return p, r.errorf("bad prefix %q", s)
	}
	if p != p.Masked() || p.String() != s {
		return p, r.errorf("prefix %s is not canonical, want %s", s, p.Masked())
	}
	return p, nil
}

// parsePorts parses transport/low or transport/low-high.
func (r row) parsePorts(s string, transports ...string) (artifact.PortRange, error) {
	transport, numbers, ok := strings.Cut(s, "/")
	if !ok || !slices.Contains(transports, transport) {
		return artifact.PortRange{}, r.errorf("bad port range %q", s)
	}
	low, high, isRange := strings.Cut(numbers, "-")
	if !isRange {
		high = low
	}
	lo, errLow := strconv.ParseUint(low, 10, 16)
	hi, errHigh := strconv.ParseUint(high, 10, 16)
	if errLow != nil || errHigh != nil || lo == 0 || hi < lo || isRange && lo == hi {
		return artifact.PortRange{}, r.errorf("bad port range %q", s)
	}
	return artifact.PortRange{Transport: transport, Low: uint16(lo), High: uint16(hi)}, nil
}
