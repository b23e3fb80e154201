package console

import (
	"slices"
	"strings"

	"github.com/netpol/netpol/lang/fact"
)

// Complete extends the word that ends at pos of a line, and returns the new
// line and position; ok is false when there is nothing to add. Of several
// words the beginning that they share is taken.
func (s *Session) Complete(line string, pos int) (string, int, bool) {
	if pos < 0 || pos > len(line) {
		return line, pos, false
	}
	start := pos
	for start > 0 && isWordByte(line[start-1]) {
		start--
	}
	word := line[start:pos]
	if word == "" {
		return line, pos, false
	}
	var fits []string
	for _, c := range s.candidates(line, start) {
		if strings.HasPrefix(c, word) {
			fits = append(fits, c)
		}
	}
	if len(fits) == 0 {
		return line, pos, false
	}
	added := commonPrefix(fits)[len(word):]
	if added == "" {
		return line, pos, false
	}
	return line[:pos] + added + line[pos:], pos + len(added), true
}

func isWordByte(c byte) bool {
	return 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '_' || c == '-' || c == '.' || c == ':' || c == '@'
}

// candidates are the words that may stand at a place: commands at the
// beginning, tags and groups in quotes, attributes elsewhere.
func (s *Session) candidates(line string, start int) []string {
	var out []string
	switch {
	case strings.HasPrefix(line[start:], ":") && start == 0:
		return commands
	case strings.HasPrefix(line, ":schedules "):
		for _, x := range s.Policy.Schedules {
			out = append(out, x.Name)
		}
		return out
	case strings.HasPrefix(line, ":apps "):
		return s.tags()
	case strings.HasPrefix(line, ":") && start > 0 || strings.Count(line[:start], "'")%2 == 0:
		for _, a := range fact.Attributes {
			out = append(append(out, a.Name), a.Aliases...)
		}
		return out
	}
	for _, x := range s.Policy.Schedules {
		out = append(out, x.Name)
	}
	for _, g := range s.Policy.Groups {
		out = append(out, "@"+g.Name)
	}
	return append(out, s.tags()...)
}

func (s *Session) tags() []string {
	var out []string
	for _, a := range s.Bundle.Catalogue.Applications {
		out = append(out, a.Tag)
	}
	for _, p := range s.Bundle.Catalogue.Protocols {
		out = append(out, p.Tag)
	}
	for _, c := range s.Bundle.Catalogue.Categories {
		out = append(out, c.Tag)
	}
	return out
}

func commonPrefix(list []string) string {
	first, last := slices.Min(list), slices.Max(list)
	n := 0
	for n < len(first) && n < len(last) && first[n] == last[n] {
		n++
	}
	return first[:n]
}
