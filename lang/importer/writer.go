package importer

import (
	"fmt"
	"strings"
)

// maxFile bounds one file that is written; the language reads 1 MiB.
const maxFile = 1 << 19

// Writer collects blocks of HCL in the layout of netpol fmt.
type Writer struct {
	head   string // comment at the top of every file
	blocks []string
}

// NewWriter makes a writer whose files begin with a comment.
func NewWriter(head ...string) *Writer {
	return &Writer{head: comment("", head)}
}

// Argument is one argument of a block. Its value is HCL, from Quote, List or a
// number; Comment lines stand above it.
type Argument struct {
	Name    string
	Value   string
	Comment []string
}

// Block is one block.
type Block struct {
	Comment   []string
	Type      string
	Label     string // empty: none
	Arguments []Argument
}

// List is a list of HCL values: on one line where it fits, else one a line.
func List(values []string) string {
	line := "[" + strings.Join(values, ", ") + "]"
	if len(line) <= 90 && !strings.Contains(line, "\n") || len(values) == 0 {
		return line
	}
	return "[\n    " + strings.Join(values, ",\n    ") + ",\n  ]"
}

// Add appends a block.
func (w *Writer) Add(b Block) { w.blocks = append(w.blocks, b.Text()) }

// Text is the block in the layout of netpol fmt.
func (b Block) Text() string {
	var out strings.Builder
	out.WriteString(comment("", b.Comment))
	out.WriteString(b.Type)
	if b.Label != "" {
		out.WriteString(" " + Quote(b.Label))
	}
	out.WriteString(" {\n")
	for i, a := range b.Arguments {
		if len(a.Comment) > 0 && i > 0 {
			out.WriteByte('\n')
		}
		out.WriteString(comment("  ", a.Comment))
		fmt.Fprintf(&out, "  %-*s = %s\n", width(b.Arguments, i), a.Name, a.Value)
	}
	out.WriteString("}\n")
	return out.String()
}

// width is how wide the names of argument i and its neighbours are: netpol fmt
// aligns the equals signs of lines that follow each other. A value over several
// lines, a comment and a blank line end a run.
func width(all []Argument, i int) int {
	from, to := i, i
	for from > 0 && joins(all[from-1], all[from]) {
		from--
	}
	for to+1 < len(all) && joins(all[to], all[to+1]) {
		to++
	}
	w := 0
	for _, a := range all[from : to+1] {
		w = max(w, len(a.Name))
	}
	return w
}

func joins(a, b Argument) bool {
	return len(b.Comment) == 0 && !strings.Contains(a.Value, "\n") && !strings.Contains(b.Value, "\n")
}

// comment writes comment lines.
func comment(indent string, lines []string) string {
	var b strings.Builder
	for _, l := range lines {
		b.WriteString(strings.TrimRight(indent+"# "+OneLine(l, 4000), " ") + "\n")
	}
	return b.String()
}

// Files are the blocks as files: base.netpol.hcl, or base-01.netpol.hcl and so
// on where one would grow too large to be read.
func (w *Writer) Files(base string) []File {
	var texts []string
	var text strings.Builder
	text.WriteString(w.head)
	for _, b := range w.blocks {
		if text.Len()+len(b) > maxFile && text.Len() > len(w.head) {
			texts = append(texts, text.String())
			text.Reset()
			text.WriteString(w.head)
		}
		if text.Len() > 0 {
			text.WriteByte('\n')
		}
		text.WriteString(b)
	}
	texts = append(texts, text.String())
	files := make([]File, len(texts))
	for i, t := range texts {
		name := base
		if len(texts) > 1 {
			name = fmt.Sprintf("%s-%02d", base, i+1)
		}
		files[i] = File{Name: name + ".netpol.hcl", Data: []byte(t)}
	}
	return files
}

// BaseName is the file name that an imported file's policies get, without the
// suffix: "netify-flow-actions" for /etc/netify.d/netify-flow-actions.json.
func BaseName(path, fallback string) string {
	name := path[strings.LastIndexByte(path, '/')+1:]
	name, _, _ = strings.Cut(name, ".")
	name = strings.Trim(clean(name, func(c byte) bool { return isAlnum(c) || c == '-' || c == '_' }), "-_")
	return cut(orElse(name, fallback), 100)
}
