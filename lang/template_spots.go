package lang

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/netpol/netpol/lang/diag"
)

// templateSpots maps the text of a template to its place in src; inserts are
// its parts that are no literals, in order. It is nil when the text is not what
// stands there, as after Unicode normalisation.
func templateSpots(t *hclsyntax.TemplateExpr, src []byte, text string, inserts []Insert) []spot {
	var spots []spot
	var decoded strings.Builder
	heredoc := inHeredoc(t, src)
	for _, part := range t.Parts {
		if len(inserts) > 0 && inserts[0].Range == toRange(part.Range()) {
			spots = append(spots, spot{decoded.Len(), inserts[0].Range.Start})
			decoded.WriteString(text[inserts[0].From:inserts[0].To])
			inserts = inserts[1:]
			continue
		}
		lit, ok := part.(*hclsyntax.LiteralValueExpr)
		if !ok || lit.Val.Type() != cty.String || lit.SrcRange.End.Byte > len(src) {
			return nil
		}
		raw := string(src[lit.SrcRange.Start.Byte:lit.SrcRange.End.Byte])
		pos := toPos(lit.SrcRange.Start)
		if heredoc {
			spots = append(spots, decodeHeredoc(raw, lit.Val.AsString(), pos, &decoded)...)
		} else {
			spots = append(spots, decodeLiteral(raw, true, pos, &decoded)...)
		}
	}
	if decoded.String() != text {
		return nil
	}
	return spots
}

// decodeHeredoc decodes the lines of a heredoc, whose text is known: <<- took
// the common indent from each line, and where it did, the line's spot moves
// right by as much.
func decodeHeredoc(raw, text string, pos diag.Pos, out *strings.Builder) []spot {
	var spots []spot
	lines := strings.SplitAfter(text, "\n")
	for i, rawLine := range strings.SplitAfter(raw, "\n") {
		if i < len(lines) {
			indent := max(0, indentOf(rawLine)-indentOf(lines[i]))
			spots = append(spots, decodeLiteral(rawLine[indent:], false, advance(pos, rawLine[:indent]), out)...)
		}
		pos = advance(pos, strings.TrimSuffix(rawLine, "\n"))
		if strings.HasSuffix(rawLine, "\n") {
			pos = advance(pos, "\n")
		}
	}
	return spots
}

// indentOf counts the spaces and tabs that a line begins with.
func indentOf(line string) int { return len(line) - len(strings.TrimLeft(line, " \t")) }

// inHeredoc reports whether the template is a heredoc, where a backslash is
// just a backslash.
func inHeredoc(t *hclsyntax.TemplateExpr, src []byte) bool {
	start := t.SrcRange.Start.Byte
	return strings.HasPrefix(string(src[start:min(start+2, len(src))]), "<<")
}

// spotBytes bounds the text between two spots.
const spotBytes = 256

// decodeLiteral undoes HCL's escapes in raw, which begins at pos, appending the
// text to out. A new spot begins after every escape and every line break, and
// after every spotBytes, because from a spot on characters are counted.
func decodeLiteral(raw string, quoted bool, pos diag.Pos, out *strings.Builder) []spot {
	spots := []spot{{out.Len(), pos}}
	for raw != "" {
		value, size := decodeOne(raw, quoted)
		out.WriteString(value)
		pos = advance(pos, raw[:size])
		if value != raw[:size] || value == "\n" || out.Len()-spots[len(spots)-1].offset >= spotBytes {
			spots = append(spots, spot{out.Len(), pos})
		}
		raw = raw[size:]
	}
	return spots
}

// advance moves pos over source text.
func advance(pos diag.Pos, text string) diag.Pos {
	pos.Byte += len(text)
	if text == "\n" {
		pos.Line, pos.Column = pos.Line+1, 1
		return pos
	}
	pos.Column += utf8.RuneCountInString(text)
	return pos
}

// decodeOne decodes the first character of raw: its text and how many bytes of
// raw it took (HCL native syntax specification, "Template Literals").
func decodeOne(raw string, quoted bool) (string, int) {
	if strings.HasPrefix(raw, "$${") || strings.HasPrefix(raw, "%%{") {
		return raw[1:3], 3
	}
	if quoted && raw[0] == '\\' && len(raw) > 1 {
		switch raw[1] {
		case 'n':
			return "\n", 2
		case 'r':
			return "\r", 2
		case 't':
			return "\t", 2
		case '"', '\\':
			return raw[1:2], 2
		case 'u':
			return decodeHex(raw, 6)
		case 'U':
			return decodeHex(raw, 10)
		}
	}
	_, size := utf8.DecodeRuneInString(raw)
	return raw[:size], size
}

// decodeHex decodes \uNNNN or \UNNNNNNNN, size bytes in all.
func decodeHex(raw string, size int) (string, int) {
	if len(raw) < size {
		return raw, len(raw)
	}
	n, err := strconv.ParseUint(raw[2:size], 16, 32)
	if err != nil {
		return raw[:size], size
	}
	return string(rune(n)), size
}
