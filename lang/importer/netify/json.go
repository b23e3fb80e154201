package netify

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"unicode/utf8"
)

// maxJSONDepth bounds the nesting of the input; real files nest 4 deep.
const maxJSONDepth = 32

// kind is what a JSON value is.
type kind uint8

const (
	null kind = iota
	boolean
	number
	text
	array
	object
)

// String is the word for people.
func (k kind) String() string {
	switch k {
	case null:
		return "null"
	case boolean:
		return "true or false"
	case number:
		return "a number"
	case text:
		return "a string"
	case array:
		return "a list"
	case object:
		return "an object"
	}
	return "unknown"
}

// value is a JSON value and where it stands.
type value struct {
	kind    kind
	from    int // bytes of the input
	to      int
	text    string // of strings decoded, of numbers as written
	flag    bool
	list    []*value
	members []member // in the order of the input
}

// member is one key of an object and its value.
type member struct {
	key      string
	from, to int // of the key
	value    *value
}

// get is the value of a key, nil without one. Of two the last counts, as with
// the agent's JSON library.
func (v *value) get(key string) *value {
	if v == nil {
		return nil
	}
	for i := len(v.members) - 1; i >= 0; i-- {
		if v.members[i].key == key {
			return v.members[i].value
		}
	}
	return nil
}

// syntaxError is a fault of the JSON text.
type syntaxError struct {
	at  int // byte offset
	why string
}

func (e *syntaxError) Error() string { return fmt.Sprintf("byte %d: %s", e.at, e.why) }

// errTooDeep says that the input nests too deeply.
var errTooDeep = errors.New("nests too deeply")

// reader makes values of tokens, and remembers where each stands.
type reader struct {
	src []byte
	dec *json.Decoder
}

// parseJSON reads one JSON document. The error is a *syntaxError or wraps
// errTooDeep.
func parseJSON(src []byte) (*value, error) {
	var whole json.RawMessage
	if err := json.Unmarshal(src, &whole); err != nil {
		return nil, syntaxFault(err, len(src))
	}
	dec := json.NewDecoder(bytes.NewReader(src))
	dec.UseNumber()
	r := &reader{src: src, dec: dec}
	return r.value(0)
}

// syntaxFault gives the decoder's error a place.
func syntaxFault(err error, size int) error {
	var syntax *json.SyntaxError
	if !errors.As(err, &syntax) {
		return &syntaxError{0, err.Error()}
	}
	if syntax.Offset >= int64(size) && syntax.Error() == "unexpected end of JSON input" {
		return &syntaxError{size, "the text ends too early"}
	}
	return &syntaxError{max(0, int(syntax.Offset)-1), syntax.Error()}
}

// start is where the next token begins.
func (r *reader) start() int {
	at := int(r.dec.InputOffset())
	for at < len(r.src) && bytes.IndexByte([]byte(" \t\r\n,:"), r.src[at]) >= 0 {
		at++
	}
	return at
}

func (r *reader) value(depth int) (*value, error) {
	if depth > maxJSONDepth {
		return nil, errTooDeep
	}
	v := &value{from: r.start()}
	t, err := r.dec.Token()
	if err != nil {
		return nil, err
	}
	switch t := t.(type) {
	case json.Delim:
		err = r.inside(v, t, depth)
	case string:
		v.kind, v.text = text, t
	case json.Number:
		v.kind, v.text = number, t.String()
	case bool:
		v.kind, v.flag = boolean, t
	}
	v.to = int(r.dec.InputOffset())
	return v, err
}

// inside reads what stands between brackets, and the closing one.
func (r *reader) inside(v *value, open json.Delim, depth int) error {
	v.kind = array
	if open == '{' {
		v.kind = object
	}
	for r.dec.More() {
		if open == '[' {
			e, err := r.value(depth + 1)
			if err != nil {
				return err
			}
			v.list = append(v.list, e)
			continue
		}
		m := member{from: r.start()}
		key, err := r.dec.Token()
		if err != nil {
			return err
		}
		m.key, _ = key.(string) // the decoder lets nothing else through
		m.to = int(r.dec.InputOffset())
		if m.value, err = r.value(depth + 1); err != nil {
			return err
		}
		v.members = append(v.members, m)
	}
	_, err := r.dec.Token()
	return err
}

// offset is the place in the input of byte i of a string's decoded text.
func (v *value) offset(src []byte, i int) int {
	at, end := v.from+1, v.to-1 // inside the quotes
	for decoded := 0; at < end && decoded < i; {
		size, n := escape(src[at:end])
		if decoded += n; decoded > i {
			break
		}
		at += size
	}
	return at
}

// escape is the size of the first character of a JSON string in the input and
// decoded (RFC 8259 section 7).
func escape(raw []byte) (size, decoded int) {
	if raw[0] != '\\' || len(raw) < 2 {
		r, n := utf8.DecodeRune(raw)
		return n, utf8.RuneLen(r) // a broken byte becomes U+FFFD
	}
	if raw[1] != 'u' || len(raw) < 6 {
		return 2, 1
	}
	if len(raw) >= 12 && raw[6] == '\\' {
		var s string
		if json.Unmarshal([]byte(`"`+string(raw[:12])+`"`), &s) == nil && utf8.RuneCountInString(s) == 1 {
			return 12, len(s)
		}
	}
	n, err := strconv.ParseUint(string(raw[2:6]), 16, 16)
	if err != nil || 0xd800 <= n && n <= 0xdfff {
		return 6, 3 // a lone surrogate becomes U+FFFD
	}
	return 6, utf8.RuneLen(rune(n))
}
