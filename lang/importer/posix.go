package importer

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// ErrNoRE2 says that RE2 has nothing for a part of a POSIX expression.
var ErrNoRE2 = errors.New("cannot be written for RE2")

// rewriter turns a POSIX extended regular expression (IEEE 1003.1, chapter 9)
// into one of RE2 that finds the same texts. Which of several matches is the
// longest does not matter: only whether there is one.
type rewriter struct {
	in    string
	at    int
	out   strings.Builder
	atom  int // where the last repeatable part begins in out; -1: none
	times int // repetitions of that part so far
	opens []int
	notes []string
}

// ToRE2 rewrites a POSIX extended regular expression for RE2. The notes say what
// RE2 reads differently. The error wraps ErrNoRE2 where RE2 has nothing for a
// part of the pattern; any other says what is wrong with the pattern.
func ToRE2(pattern string) (string, []string, error) {
	w := &rewriter{in: pattern, atom: -1}
	for w.at < len(w.in) {
		if err := w.step(); err != nil {
			return "", w.notes, err
		}
	}
	if len(w.opens) > 0 {
		return "", w.notes, errors.New("a ( is not closed")
	}
	out := w.out.String()
	if _, err := regexp.Compile("(?i)" + out); err != nil {
		return "", w.notes, fmt.Errorf("%w: %s", ErrNoRE2, strings.TrimPrefix(err.Error(), "error parsing regexp: "))
	}
	return out, w.notes, nil
}

func (w *rewriter) note(format string, args ...any) {
	w.notes = append(w.notes, fmt.Sprintf(format, args...))
}

// put appends a part that a repetition may follow.
func (w *rewriter) put(s string) {
	w.atom, w.times = w.out.Len(), 0
	w.out.WriteString(s)
}

func (w *rewriter) step() error {
	c := w.in[w.at]
	w.at++
	switch c {
	case '\\':
		return w.escape()
	case '[':
		return w.bracket()
	case '(':
		w.opens = append(w.opens, w.out.Len())
		w.out.WriteByte('(')
		w.atom = -1
	case ')':
		return w.shut()
	case '*', '+', '?':
		return w.repeat(string(c))
	case '{':
		return w.bound()
	case '|', '^', '$':
		w.out.WriteByte(c)
		w.atom = -1
	default:
		w.put(string(c))
	}
	return nil
}

// shut closes a group, which then is one part.
func (w *rewriter) shut() error {
	if len(w.opens) == 0 {
		return errors.New("a ) has no (")
	}
	last := len(w.opens) - 1
	w.atom, w.times = w.opens[last], 0
	w.opens = w.opens[:last]
	w.out.WriteByte(')')
	return nil
}

// escape copies \ and what follows. POSIX defines it before the special
// characters only; RE2 gives letters and digits meanings of their own.
func (w *rewriter) escape() error {
	if w.at == len(w.in) {
		return errors.New("it ends in a \\")
	}
	c := w.in[w.at]
	w.at++
	switch {
	case strings.IndexByte(`.[]\()*+?{}|^$`, c) >= 0:
		w.put(`\` + string(c))
	case '0' <= c && c <= '9':
		return fmt.Errorf("%w: \\%c refers back", ErrNoRE2, c)
	case strings.IndexByte("dDsSwWbB", c) >= 0:
		w.note("\\%c is not defined in POSIX; RE2 reads it as Perl does", c)
		w.put(`\` + string(c))
	case c == '<' || c == '>':
		w.note("\\%c is not defined in POSIX; taken as the edge of a word", c)
		w.put(`\b`)
	case 'a' <= c|0x20 && c|0x20 <= 'z':
		return fmt.Errorf("%w: \\%c is not defined in POSIX", ErrNoRE2, c)
	default:
		w.put(regexp.QuoteMeta(string(c)))
	}
	return nil
}

// repeat applies *, + or ?. A second one repeats the repetition in POSIX, and
// makes it lazy, or is refused, in RE2.
func (w *rewriter) repeat(op string) error {
	if w.atom < 0 {
		return fmt.Errorf("%w: %s repeats nothing", ErrNoRE2, op)
	}
	if w.times++; w.times > 1 {
		text := w.out.String()
		w.out.Reset()
		w.out.WriteString(text[:w.atom] + "(?:" + text[w.atom:] + ")")
	}
	w.out.WriteString(op)
	return nil
}

// bounds is {2}, {2,} or {2,5}.
var bounds = regexp.MustCompile(`^([0-9]+(,[0-9]*)?)\}`)

func (w *rewriter) bound() error {
	m := bounds.FindString(w.in[w.at:])
	if m == "" {
		return fmt.Errorf("%w: { begins no repetition", ErrNoRE2)
	}
	w.at += len(m)
	return w.repeat("{" + m)
}

// bracket rewrites [...]: a backslash in it is a plain character in POSIX.
func (w *rewriter) bracket() error {
	start := w.at - 1
	var b strings.Builder
	b.WriteByte('[')
	if strings.HasPrefix(w.in[w.at:], "^") {
		b.WriteByte('^')
		w.at++
	}
	for first := true; ; first = false {
		if w.at == len(w.in) {
			return fmt.Errorf("the [ at character %d is not closed", start+1)
		}
		c := w.in[w.at]
		switch {
		case c == ']' && !first:
			w.at++
			b.WriteByte(']')
			w.put(b.String())
			return nil
		case c == '[' && w.at+1 < len(w.in) && strings.IndexByte(".:=", w.in[w.at+1]) >= 0:
			if err := w.named(&b); err != nil {
				return err
			}
			continue
		case c == '\\':
			w.note("in brackets a \\ is a character of its own in POSIX")
			b.WriteString(`\\`)
		case strings.IndexByte("[]^&~", c) >= 0:
			b.WriteString(`\` + string(c))
		default:
			b.WriteByte(c)
		}
		w.at++
	}
}

// named copies [:alpha:] and the like; RE2 has no collating elements.
func (w *rewriter) named(b *strings.Builder) error {
	end := strings.Index(w.in[w.at+2:], string(w.in[w.at+1])+"]")
	if end < 0 {
		return errors.New("a class in brackets is not closed")
	}
	class := w.in[w.at : w.at+2+end+2]
	if class[1] != ':' {
		return fmt.Errorf("%w: it has no %s", ErrNoRE2, class)
	}
	b.WriteString(class)
	w.at += len(class)
	return nil
}
