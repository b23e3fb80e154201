package view

import (
	"fmt"
	"io"
	"strings"
)

// Graph is what leads to what in a bundle.
type Graph struct {
	Nodes []GraphNode
	Edges []GraphEdge
}

// NodeKind says what a node stands for.
type NodeKind uint8

// Kinds of node, in the order in which one leads to the next.
const (
	NodeTerm   NodeKind = iota // a comparison in criteria
	NodePolicy                 //
	NodeLabel                  // a conntrack label, or a mark
	NodeRule                   // an nftables rule
)

// GraphNode is a node; its index in Graph.Nodes is its number.
type GraphNode struct {
	Kind NodeKind
	Text string // may have several lines
}

// GraphEdge leads from one node to another.
type GraphEdge struct {
	From, To int
}

// maxNodeText bounds one line of a node, in bytes: a term may list a thousand
// addresses.
const maxNodeText = 80

// Dot writes the graph for Graphviz.
func (g Graph) Dot(w io.Writer) error {
	var b strings.Builder
	b.WriteString("digraph netpol {\n  rankdir=LR;\n  node [fontname=\"monospace\", fontsize=10];\n")
	for i, n := range g.Nodes {
		shape := [...]string{NodeTerm: "ellipse", NodePolicy: "box", NodeLabel: "hexagon", NodeRule: "note"}[n.Kind]
		fmt.Fprintf(&b, "  n%d [shape=%s, label=\"%s\"];\n", i, shape, dotText(n.Text))
	}
	for _, e := range g.Edges {
		fmt.Fprintf(&b, "  n%d -> n%d;\n", e.From, e.To)
	}
	b.WriteString("}\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// dotText quotes for a string of the DOT language; \n there is a new line.
func dotText(s string) string {
	lines := nodeLines(s)
	for i, l := range lines {
		lines[i] = strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(l)
	}
	return strings.Join(lines, `\n`)
}

func nodeLines(s string) []string {
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		lines[i] = shorten(cleanLine(l), maxNodeText)
	}
	return lines
}

// Mermaid writes the graph for pages that draw Mermaid, such as a pull
// request.
func (g Graph) Mermaid(w io.Writer) error {
	var b strings.Builder
	b.WriteString("flowchart LR\n")
	for i, n := range g.Nodes {
		shape := [...][2]string{NodeTerm: {"([", "])"}, NodePolicy: {"[", "]"}, NodeLabel: {"{{", "}}"}, NodeRule: {">", "]"}}[n.Kind]
		fmt.Fprintf(&b, "  n%d%s\"%s\"%s\n", i, shape[0], mermaidText(n.Text), shape[1])
	}
	for _, e := range g.Edges {
		fmt.Fprintf(&b, "  n%d --> n%d\n", e.From, e.To)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// mermaidText writes everything but plain characters as entities, which is how
// Mermaid quotes: its labels may hold HTML and Markdown.
func mermaidText(s string) string {
	lines := nodeLines(s)
	for i, l := range lines {
		var b strings.Builder
		for _, r := range l {
			switch {
			case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', strings.ContainsRune(" .,:/=()'@_-", r):
				b.WriteRune(r)
			default:
				fmt.Fprintf(&b, "#%d;", r)
			}
		}
		lines[i] = b.String()
	}
	return strings.Join(lines, "<br/>")
}
