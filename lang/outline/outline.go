package outline

import (
	"path"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/netpol/netpol/lang/diag"
)

// File is the outline of one file.
type File struct {
	Name        string
	Comments    []Comment
	Statements  []Statement // blocks and arguments, in the order of the file
	Definitions []Definition
	References  []Reference
	// Modules are the directories that module blocks name, from the directory of
	// the policy set, with slashes.
	Modules []string
}

// Comment is one # or // comment.
type Comment struct {
	Text  string // without the # or //, trimmed
	Range diag.Range
	// Alone says that nothing else stands on the comment's line.
	Alone bool
}

// Statement is a block or argument.
type Statement struct {
	Block bool
	Range diag.Range // all of it
}

// Kind is what kind of value is defined or referred to.
type Kind string

// Kinds.
const (
	Local    Kind = "local"
	Variable Kind = "variable"
)

// Definition is one argument of a locals block, or a variable block.
type Definition struct {
	Kind  Kind
	Name  string
	Range diag.Range // of the name, or of the block's header
}

// Reference is a use of a local or variable.
type Reference struct {
	Kind Kind
	Name string // empty where it cannot be told, as in local[var.name]
	// In is the local whose value refers; empty for all other places.
	In string
}

// Parse outlines a file. It is nil when the file does not parse.
func Parse(name string, src []byte) *File {
	start := hcl.Pos{Line: 1, Column: 1}
	file, diags := hclsyntax.ParseConfig(src, name, start)
	tokens, _ := hclsyntax.LexConfig(src, name, start)
	if diags.HasErrors() {
		return nil
	}
	body, ok := file.Body.(*hclsyntax.Body)
	if !ok {
		return nil
	}
	f := &File{Name: name, Comments: comments(tokens)}
	for _, b := range body.Blocks {
		f.block(b)
	}
	slices.SortStableFunc(f.Statements, func(a, b Statement) int { return a.Range.Start.Byte - b.Range.Start.Byte })
	return f
}

func comments(tokens hclsyntax.Tokens) []Comment {
	var out []Comment
	code := 0 // the last line that something other than a comment ended on
	for _, t := range tokens {
		if t.Type == hclsyntax.TokenNewline || t.Type == hclsyntax.TokenEOF {
			continue
		}
		if t.Type != hclsyntax.TokenComment {
			code = t.Range.End.Line
			continue
		}
		text := strings.TrimRight(string(t.Bytes), "\r\n")
		r := toRange(t.Range)
		r.End = diag.Pos{Line: r.Start.Line, Column: r.Start.Column + len([]rune(text)), Byte: r.Start.Byte + len(text)}
		text = strings.TrimPrefix(strings.TrimPrefix(text, "//"), "#")
		out = append(out, Comment{Text: strings.TrimSpace(text), Range: r, Alone: code != r.Start.Line})
	}
	return out
}

func (f *File) block(b *hclsyntax.Block) {
	f.Statements = append(f.Statements, Statement{Block: true, Range: toRange(b.Range())})
	if b.Type == "variable" && len(b.Labels) == 1 {
		f.Definitions = append(f.Definitions, Definition{Variable, b.Labels[0], toRange(b.DefRange())})
	}
	if b.Type == "module" {
		f.module(b.Body.Attributes["source"])
	}
	for _, a := range b.Body.Attributes {
		f.Statements = append(f.Statements, Statement{Range: toRange(a.SrcRange)})
		in := ""
		if b.Type == "locals" {
			in = a.Name
			f.Definitions = append(f.Definitions, Definition{Local, a.Name, toRange(a.NameRange)})
		}
		f.references(a.Expr, in)
	}
	for _, inner := range b.Body.Blocks {
		f.block(inner)
	}
}

// module notes the directory of a module's source.
func (f *File) module(a *hclsyntax.Attribute) {
	if a == nil {
		return
	}
	v, diags := a.Expr.Value(nil)
	if diags.HasErrors() || v.IsNull() || !v.IsKnown() || v.Type() != cty.String {
		return // lang has refused it
	}
	f.Modules = append(f.Modules, path.Join(path.Dir(f.Name), v.AsString()))
}

func (f *File) references(e hclsyntax.Expression, in string) {
	for _, t := range e.Variables() {
		r := Reference{In: in}
		switch t.RootName() {
		case "local":
			r.Kind = Local
		case "var":
			r.Kind = Variable
		default:
			continue
		}
		if len(t) > 1 {
			if a, ok := t[1].(hcl.TraverseAttr); ok {
				r.Name = a.Name
			}
		}
		f.References = append(f.References, r)
	}
}

func toRange(r hcl.Range) diag.Range {
	return diag.Range{Filename: r.Filename, Start: toPos(r.Start), End: toPos(r.End)}
}

func toPos(p hcl.Pos) diag.Pos { return diag.Pos{Line: p.Line, Column: p.Column, Byte: p.Byte} }
