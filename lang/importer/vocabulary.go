package importer

import (
	"fmt"
	"slices"
	"strings"

	"github.com/netpol/netpol/lang/fact"
	"github.com/netpol/netpol/lang/suggest"
)

// Vocabulary is the names that policies may use, from the catalogue.
type Vocabulary struct {
	Applications []Name
	Protocols    []Name
	Categories   []Name

	hints int // that were looked for
}

// maxHints bounds the suggestions of one import: each goes through the whole
// catalogue several times.
const maxHints = 200

// Name is a tag of the catalogue and what people call it.
type Name struct{ Tag, Title string }

// Find looks a tag up in the vocabulary of an attribute's type, without regard
// to case. Where it is not found, hint says what may have been meant.
func (v *Vocabulary) Find(t fact.Type, written string) (tag, hint string, ok bool) {
	tag = strings.ToLower(written)
	names := v.names(t)
	if slices.ContainsFunc(names, func(n Name) bool { return n.Tag == tag }) {
		return tag, "", true
	}
	if v.hints++; v.hints > maxHints {
		return "", "", false
	}
	return "", v.hint(t, tag), false
}

func (v *Vocabulary) names(t fact.Type) []Name {
	switch t {
	case fact.ApplicationName:
		return v.Applications
	case fact.ProtocolName:
		return v.Protocols
	case fact.CategoryName:
		return v.Categories
	default:
		return nil
	}
}

// hint finds what an unknown tag may mean: a name as it is spoken, another
// spelling, a tag of another kind.
func (v *Vocabulary) hint(t fact.Type, tag string) string {
	names := v.names(t)
	bare := squeeze(tag)
	for _, n := range names {
		if strings.EqualFold(n.Title, tag) || squeeze(n.Tag) == bare || squeeze(n.Title) == bare {
			return fmt.Sprintf("did you mean '%s'?", n.Tag)
		}
	}
	tags := make([]string, len(names))
	for i, n := range names {
		tags[i] = n.Tag
	}
	if hint := suggest.Hint(tag, tags); hint != "" {
		return hint
	}
	for _, other := range []struct {
		attr string
		typ  fact.Type
	}{{"app", fact.ApplicationName}, {"protocol", fact.ProtocolName}, {"category", fact.CategoryName}} {
		if other.typ != t && slices.ContainsFunc(v.names(other.typ), func(n Name) bool { return n.Tag == tag }) {
			return fmt.Sprintf("write %s == '%s'", other.attr, tag)
		}
	}
	return v.part(names, tag)
}

// part finds a name that shares a word with the tag: "microsoft-teams" for
// "teams", "smtp" for "mail/smtp".
func (v *Vocabulary) part(names []Name, tag string) string {
	words := strings.FieldsFunc(tag, func(r rune) bool { return !isAlnum(byte(r)) || r > 0x7f })
	slices.Reverse(words) // the last word says most: mail/smtp, ftp/s
	for _, word := range words {
		if len(word) < 3 {
			continue
		}
		for _, n := range names {
			if slices.Contains(strings.FieldsFunc(n.Tag, func(r rune) bool { return r == '-' || r == '.' || r == '_' }), word) {
				return fmt.Sprintf("did you mean '%s'?", n.Tag)
			}
		}
	}
	return ""
}

// squeeze is a name without case and punctuation.
func squeeze(s string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x80 && isAlnum(byte(r)) {
			return r
		}
		return -1
	}, strings.ToLower(s))
}
