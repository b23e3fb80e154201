package netify

import (
	"fmt"
	"net/netip"
	"regexp"
	"strings"
)

// tokenKind is what a token of criteria is.
type tokenKind uint8

const (
	tokenEnd tokenKind = iota
	tokenOpen
	tokenClose
	tokenSemicolon
	tokenNot
	tokenAnd
	tokenOr
	tokenCompare // == != < <= > >=
	tokenString
	tokenRegex
	tokenNumber
	tokenAddress
	tokenMAC
	tokenGroup
	tokenBool
	tokenWord
)

// token is one token of criteria.
type token struct {
	kind     tokenKind
	text     string // of strings without quotes, of regular expressions without rx:, of groups without @
	from, to int    // bytes of the criteria
}

// criteriaError is a fault of criteria.
type criteriaError struct {
	from, to int // bytes of the criteria
	why      string
	hint     string
	unknown  bool // an attribute that does not exist
}

func (e *criteriaError) Error() string { return e.why }

func faultAt(from, to int, format string, args ...any) *criteriaError {
	return &criteriaError{from: from, to: max(to, from+1), why: fmt.Sprintf(format, args...)}
}

var (
	// stringText is what a string may hold: at least two characters, the first
	// a letter or digit.
	stringText = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9:/._+() -]+$`)
	macText    = regexp.MustCompile(`^(?i:[0-9a-f]{2}(:[0-9a-f]{2}){5})$`)
	numberText = regexp.MustCompile(`^[+-]?([0-9]+(\.[0-9]+)?|0[xX][0-9a-fA-F]+)$`)
	wordText   = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	groupText  = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]*$`)
)

// lex splits criteria into tokens; the last is tokenEnd.
func lex(text string) ([]token, *criteriaError) {
	var out []token
	for at := 0; ; {
		for at < len(text) && strings.IndexByte(" \t\r\n\v\f", text[at]) >= 0 {
			at++
		}
		if at == len(text) {
			return append(out, token{kind: tokenEnd, from: at, to: at}), nil
		}
		t, err := lexOne(text, at)
		if err != nil {
			return nil, err
		}
		out = append(out, t)
		at = t.to
	}
}

// symbols are the tokens made of punctuation, longer ones first.
var symbols = []struct {
	text string
	kind tokenKind
}{
	{"&&", tokenAnd},
	{"||", tokenOr},
	{"==", tokenCompare},
	{"!=", tokenCompare},
	{"<=", tokenCompare},
	{">=", tokenCompare},
	{"<", tokenCompare},
	{">", tokenCompare},
	{"!", tokenNot},
	{"(", tokenOpen},
	{")", tokenClose},
	{";", tokenSemicolon},
}

func lexOne(text string, at int) (token, *criteriaError) {
	for _, s := range symbols {
		if strings.HasPrefix(text[at:], s.text) {
			return token{s.kind, s.text, at, at + len(s.text)}, nil
		}
	}
	switch c := text[at]; {
	case c == '\'' || c == '"':
		return lexString(text, at)
	case c == '@':
		return lexGroup(text, at)
	case isWordByte(c):
		return lexWord(text, at)
	case c == '=' || c == '&' || c == '|':
		err := faultAt(at, at+1, "There is no operator %q.", text[at:at+1])
		err.hint = fmt.Sprintf("write %s%s", string(c), string(c))
		return token{}, err
	}
	r := []rune(text[at:min(len(text), at+4)])[0]
	return token{}, faultAt(at, at+len(string(r)), "The character %q has no meaning here.", r)
}

func isWordByte(c byte) bool {
	return c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9' || strings.IndexByte("_.:/+-", c) >= 0
}

// lexString reads '...' or "...", up to the next quote of the same kind.
func lexString(text string, at int) (token, *criteriaError) {
	end := strings.IndexByte(text[at+1:], text[at])
	if end < 0 {
		return token{}, faultAt(at, len(text), "The string does not end.")
	}
	t := token{tokenString, text[at+1 : at+1+end], at, at + end + 2}
	if pattern, ok := strings.CutPrefix(t.text, "rx:"); ok {
		t.kind, t.text = tokenRegex, pattern
		if pattern == "" {
			return t, faultAt(t.from, t.to, "The regular expression is empty.")
		}
		return t, nil
	}
	if !stringText.MatchString(t.text) {
		return t, faultAt(t.from, t.to, "A string has two characters or more, begins with a letter or digit, and holds letters, digits, spaces and : / . _ + ( ) -.")
	}
	return t, nil
}

func lexGroup(text string, at int) (token, *criteriaError) {
	end := at + 1
	for end < len(text) && isWordByte(text[end]) {
		end++
	}
	t := token{tokenGroup, text[at+1 : end], at, end}
	if !groupText.MatchString(t.text) {
		return t, faultAt(at, end, "A group is written @name.")
	}
	return t, nil
}

// lexWord reads everything that is neither punctuation nor quoted.
func lexWord(text string, at int) (token, *criteriaError) {
	end := at
	for end < len(text) && isWordByte(text[end]) {
		end++
	}
	t := token{from: at, to: end, text: text[at:end]}
	switch lower := strings.ToLower(t.text); {
	case lower == "and":
		t.kind = tokenAnd
	case lower == "or":
		t.kind = tokenOr
	case lower == "true" || lower == "false":
		t.kind, t.text = tokenBool, lower
	case numberText.MatchString(t.text):
		t.kind = tokenNumber
	case macText.MatchString(t.text):
		t.kind = tokenMAC
	case isAddress(t.text):
		t.kind = tokenAddress
	case wordText.MatchString(t.text):
		t.kind = tokenWord
	default:
		return t, faultAt(at, end, "%q is neither an attribute nor a number or an address. Text stands in single quotes.", t.text)
	}
	return t, nil
}

// isAddress reports an address or CIDR block.
func isAddress(s string) bool {
	if addr, err := netip.ParseAddr(s); err == nil {
		return addr.Zone() == ""
	}
	_, err := netip.ParsePrefix(s)
	return err == nil
}
