package opengfw

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// tokenKind is what a token of an expression is.
type tokenKind uint8

const (
	tokenEnd tokenKind = iota
	tokenSymbol
	tokenWord
	tokenString
	tokenNumber
)

// token is one token of an expression.
type token struct {
	kind     tokenKind
	text     string // of strings decoded
	from, to int    // bytes of the expression
}

// exprError is a fault of an expression, or a part of the language that is not
// converted.
type exprError struct {
	from, to int
	why      string
	foreign  bool // valid there, with no counterpart here
}

func (e *exprError) Error() string { return e.why }

func badExpr(from, to int, format string, args ...any) *exprError {
	return &exprError{from: from, to: max(to, from+1), why: fmt.Sprintf(format, args...)}
}

func foreignExpr(from, to int, format string, args ...any) *exprError {
	e := badExpr(from, to, format, args...)
	e.foreign = true
	return e
}

var tokenForms = []struct {
	kind tokenKind
	form *regexp.Regexp
}{
	{tokenNumber, regexp.MustCompile(`^(0[xX][0-9a-fA-F]+|[0-9]+(\.[0-9]+)?)`)},
	{tokenWord, regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*`)},
	{tokenSymbol, regexp.MustCompile(`^(&&|\|\||==|!=|<=|>=|\?\.|\.\.|[-+*/%!<>()\[\]{},.;=?:#|])`)},
}

// lex splits an expression into tokens; the last is tokenEnd.
func lex(text string) ([]token, *exprError) {
	var out []token
	for at := 0; ; {
		for at < len(text) && strings.IndexByte(" \t\r\n", text[at]) >= 0 {
			at++
		}
		switch {
		case at == len(text):
			return append(out, token{kind: tokenEnd, from: at, to: at}), nil
		case strings.HasPrefix(text[at:], "//"):
			if end := strings.IndexByte(text[at:], '\n'); end >= 0 {
				at += end
			} else {
				at = len(text)
			}
			continue
		}
		t, err := lexOne(text, at)
		if err != nil {
			return nil, err
		}
		out = append(out, t)
		at = t.to
	}
}

func lexOne(text string, at int) (token, *exprError) {
	if strings.IndexByte("'\"`", text[at]) >= 0 {
		return lexString(text, at)
	}
	rest := text[at:]
	for _, f := range tokenForms {
		m := f.form.FindString(rest)
		if f.kind == tokenNumber && strings.HasPrefix(rest[len(m):], "..") {
			m = strings.TrimSuffix(m, ".") // 1..5 is a range
		}
		if m != "" {
			return token{f.kind, m, at, at + len(m)}, nil
		}
	}
	r := []rune(rest[:min(len(rest), 4)])[0]
	return token{}, badExpr(at, at+len(string(r)), "The character %q has no meaning here.", r)
}

// lexString reads '...', "..." with escapes, or `...` without.
func lexString(text string, at int) (token, *exprError) {
	quote := text[at]
	end := at + 1
	for end < len(text) && text[end] != quote {
		if text[end] == '\\' && quote != '`' {
			end++
		}
		end++
	}
	if end >= len(text) {
		return token{}, badExpr(at, len(text), "The string does not end.")
	}
	inner := text[at+1 : end]
	t := token{tokenString, inner, at, end + 1}
	if quote == '`' || !strings.Contains(inner, `\`) {
		return t, nil
	}
	s, err := unquote(inner)
	if err != nil {
		return t, badExpr(at, end+1, "The string has an escape that cannot be read.")
	}
	t.text = s
	return t, nil
}

// unquote decodes the escapes of Go, in which \' and \" are both fine.
func unquote(s string) (string, error) {
	var b strings.Builder
	for s != "" {
		if strings.HasPrefix(s, `\'`) || strings.HasPrefix(s, `\"`) {
			b.WriteByte(s[1])
			s = s[2:]
			continue
		}
		r, _, rest, err := strconv.UnquoteChar(s, 0)
		if err != nil {
			return "", err
		}
		b.WriteRune(r)
		s = rest
	}
	return b.String(), nil
}
