package qosify

import (
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"strconv"
	"strings"

	"github.com/netpol/netpol/lang"
	"github.com/netpol/netpol/lang/importer"
	"github.com/netpol/netpol/lang/suggest"
)

// match converts a line's match.
func (r *run) match(l *line) {
	kind, rest, ok := strings.Cut(l.match, ":")
	if addr, err := netip.ParseAddr(l.match); err == nil && addr.Zone() == "" {
		l.rank = byAddress
		l.cond = importer.NewAtom("other_ip == '" + addr.Unmap().String() + "'")
		r.once(importer.Assumed, "side", l.from, l.to, "qosify looks at the side of each packet beyond its interface; taken as the other side, as seen from the local networks.")
		return
	}
	switch {
	case ok && (kind == "tcp" || kind == "udp"):
		r.ports(l, kind, rest)
	case ok && kind == "dns":
		r.name(l, rest)
	case ok && kind == "dns_c":
		l.rank = byName
		r.report(importer.NotConverted, l.from, l.to, "netpol does not tell the aliases (CNAME) in DNS answers from the names that were asked for.")
		l.disable("aliases in DNS answers have no counterpart")
	default:
		r.report(importer.BadInput, l.from, l.to, "A match is tcp:PORT, udp:PORT, an address, dns:PATTERN or dns:/REGEX.")
		l.disable("the match is not valid")
	}
}

// ports converts tcp:443 and udp:5000-5010.
func (r *run) ports(l *line, protocol, text string) {
	l.rank = byPort
	first, last, isRange := strings.Cut(text, "-")
	if !isRange {
		last = first
	}
	low, err1 := strconv.ParseUint(first, 10, 16)
	high, err2 := strconv.ParseUint(last, 10, 16)
	if err1 != nil || err2 != nil || low > high {
		r.report(importer.BadValue, l.from, l.to, "A port is a number up to 65535, a range 5000-5010.")
		l.disable("the ports are not valid")
		return
	}
	l.protocol, l.low, l.high = protocol, int(low), int(high)
	ports := fmt.Sprintf("other_port == %d", low)
	if low != high {
		ports = fmt.Sprintf("other_port in %d..%d", low, high)
	}
	l.cond = importer.AllOf(importer.NewAtom("ip_protocol == '"+protocol+"'"), importer.NewAtom(ports))
	r.once(importer.Assumed, "side", l.from, l.to, "qosify looks at the side of each packet beyond its interface; taken as the other side, as seen from the local networks.")
}

// name converts dns:GLOB and dns:/REGEX. A DNS flow itself has the name that it
// asks for here, and qosify marks only what goes to the address in the answer.
func (r *run) name(l *line, text string) {
	l.rank = byName
	pattern, isRegex := strings.CutPrefix(text, "/")
	var c importer.Condition
	var err error
	if isRegex {
		var notes []string
		pattern, notes, err = importer.ToRE2(pattern)
		for _, note := range notes {
			r.report(importer.RegexDiffers, l.from, l.to, "The pattern is POSIX in qosify and RE2 in netpol: %s.", note)
		}
		c = importer.NewAtom("dns_hostname matches " + importer.QuoteText(pattern))
	} else {
		c, err = glob(pattern)
	}
	switch {
	case errors.Is(err, importer.ErrNoRE2):
		r.report(importer.NoRegex, l.from, l.to, "The pattern is POSIX in qosify and RE2 in netpol: it %v.", err)
		l.disable("the pattern could not be converted")
		return
	case err != nil:
		r.report(importer.BadValue, l.from, l.to, "The pattern cannot be read: %v.", err)
		l.disable("the pattern is not valid")
		return
	}
	l.cond = importer.AllOf(importer.NewAtom("protocol != 'dns'"), c)
	r.once(importer.Assumed, "dns", l.from, l.to, "qosify remembers the addresses in DNS answers for all clients; netpold remembers for each client what it asked for.")
}

var errEmpty = errors.New("it is empty")

// glob converts a pattern of fnmatch(3) on a host name.
func glob(pattern string) (importer.Condition, error) {
	const special = "*?[\\"
	inner := strings.Trim(pattern, "*")
	switch {
	case pattern == "":
		return importer.Condition{}, errEmpty
	case strings.ContainsAny(inner, special):
		return globRegex(pattern)
	case inner == "":
		return importer.NewAtom("dns_hostname != ''"), nil
	case inner == pattern:
		if name, fault := lang.ParseDomain(inner); fault.Code == "" && name == strings.ToLower(inner) {
			return importer.NewAtom("dns_hostname == '" + name + "'"), nil
		}
		return globRegex(pattern)
	}
	op := " contains "
	switch left, right := strings.HasPrefix(pattern, "*"), strings.HasSuffix(pattern, "*"); {
	case !left:
		op = " startsWith "
	case !right:
		op = " endsWith "
	}
	return importer.NewAtom("dns_hostname" + op + importer.QuoteText(inner)), nil
}

// globRegex writes a pattern as a regular expression.
func globRegex(pattern string) (importer.Condition, error) {
	var b strings.Builder
	b.WriteByte('^')
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; c {
		case '*':
			b.WriteString(".*")
		case '?':
			b.WriteByte('.')
		case '[':
			return importer.Condition{}, fmt.Errorf("%w: it has a character class", importer.ErrNoRE2)
		case '\\':
			if i++; i == len(pattern) {
				return importer.Condition{}, errors.New("it ends in a \\")
			}
			b.WriteString(regexp.QuoteMeta(pattern[i : i+1]))
		default:
			b.WriteString(regexp.QuoteMeta(pattern[i : i+1]))
		}
	}
	b.WriteByte('$')
	if _, err := regexp.Compile(b.String()); err != nil {
		return importer.Condition{}, err
	}
	return importer.NewAtom("dns_hostname matches " + importer.QuoteText(b.String())), nil
}

// codePoints are the names of code points that qosify and netpol share; DF is
// the code point 0.
var codePoints = []string{
	"cs0", "cs1", "cs2", "cs3", "cs4", "cs5", "cs6", "cs7", "af11", "af12", "af13", "af21", "af22", "af23",
	"af31", "af32", "af33", "af41", "af42", "af43", "ef", "va", "le",
}

// codePoint converts a line's code point. A + before it means: only where the
// packet has none.
func (r *run) codePoint(l *line, text string, at int) {
	word, keep := strings.CutPrefix(strings.ToLower(text), "+")
	l.keep = keep
	if word == "df" {
		word = "cs0"
	}
	for _, name := range codePoints {
		if word == name {
			l.dscp = name
			return
		}
	}
	if n, err := strconv.ParseUint(word, 0, 8); err == nil {
		if n <= 63 {
			l.dscp = strconv.FormatUint(n, 10)
			return
		}
		r.report(importer.BadValue, at, at+len(text), "A code point is a number from 0 to 63.")
		l.disable("the code point is not valid")
		return
	}
	d := importer.New(importer.UnknownName, r.src.Range(at, at+len(text)), "%q is not a code point. The classes of qosify's configuration are not in this file; write the code point of the class.", importer.OneLine(text, 80))
	r.add(d.WithHint(suggest.Hint(word, codePoints)))
	l.disable("its code point is not known")
}
