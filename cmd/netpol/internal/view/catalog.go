package view

import (
	"fmt"
	"io"
	"strings"

	"github.com/netpol/netpol/policies"
)

// CatalogEntry is one tag of the catalogue.
type CatalogEntry struct {
	Kind     string `json:"kind"` // application, protocol or category
	Tag      string `json:"tag"`
	Name     string `json:"name"`
	Category string `json:"category,omitempty"`
	Brand    string `json:"brand,omitempty"` // that an application is part of
	Domains  int    `json:"domains,omitempty"`
	Networks int    `json:"networks,omitempty"`
	Ports    int    `json:"ports,omitempty"`
	// Found is the row that a search hit, where it is not the tag or name.
	Found string `json:"found,omitempty"`
}

// CatalogList writes entries as a table.
func CatalogList(w io.Writer, entries []CatalogEntry, st Style) error {
	var b strings.Builder
	t := table(&b)
	for _, e := range entries {
		row := []string{tableCell(e.Tag), e.Kind, tableCell(e.Category), tableCell(e.Name)}
		if e.Found != "" {
			row = append(row, tableCell(e.Found))
		}
		fmt.Fprintln(t, strings.Join(row, "\t"))
	}
	flush(t)
	fmt.Fprintln(&b, st.in(plural(len(entries), "entry", "entries"), dim))
	_, err := io.WriteString(w, b.String())
	return err
}

// CatalogListJSON writes entries for machines.
func CatalogListJSON(w io.Writer, digest string, entries []CatalogEntry) error {
	if entries == nil {
		entries = []CatalogEntry{}
	}
	return writeJSON(w, struct {
		FormatVersion string         `json:"format_version"`
		Type          string         `json:"type"`
		Catalogue     string         `json:"catalogue"`
		Entries       []CatalogEntry `json:"entries"`
	}{FormatVersion, "catalog_list", digest, entries})
}

// CatalogAnswer is what the catalogue says of one thing: a tag, a host name,
// an address or a port.
type CatalogAnswer struct {
	CatalogEntry
	Description string   `json:"description,omitempty"`
	Application string   `json:"application,omitempty"` // a protocol's product
	Parts       []string `json:"parts,omitempty"`       // the applications that are part of a brand
	Rows        []string `json:"rows,omitempty"`        // a tag's facts, or its members
	// Steps are the rows that hold for a host name or address, the one that
	// decides first.
	Steps []CatalogStep `json:"steps,omitempty"`
	Note  string        `json:"note,omitempty"`
}

// CatalogStep is one row that holds.
type CatalogStep struct {
	Row         string `json:"row"`
	Application string `json:"application"`
	Category    string `json:"category"`
}

// CatalogExplain writes answers for people.
func CatalogExplain(w io.Writer, answers []CatalogAnswer, st Style) error {
	var b strings.Builder
	for i, a := range answers {
		if i > 0 {
			b.WriteByte('\n')
		}
		catalogAnswer(&b, a, st)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func catalogAnswer(b *strings.Builder, a CatalogAnswer, st Style) {
	head := a.Kind + " " + st.in(cleanLine(a.Tag), bold)
	if a.Name != "" {
		head += ": " + cleanLine(a.Name)
	}
	if a.Category != "" {
		head += " (" + cleanLine(a.Category) + ")"
	}
	b.WriteString(head + "\n")
	if a.Brand != "" {
		fmt.Fprintf(b, "  part of the brand %s\n", cleanLine(a.Brand))
	}
	if len(a.Parts) > 0 {
		fmt.Fprintf(b, "  a brand; its parts: %s\n", cleanLine(strings.Join(a.Parts, ", ")))
	}
	if a.Description != "" {
		b.WriteString("  " + cleanLine(a.Description) + "\n")
	}
	if a.Application != "" {
		fmt.Fprintf(b, "  the protocol of application %s\n", cleanLine(a.Application))
	}
	t := table(b)
	for i, s := range a.Steps {
		sign := "decides"
		if i > 0 {
			sign = "also holds"
		}
		fmt.Fprintf(t, "  %s\t%s\t%s\t%s\n", sign, tableCell(s.Row), tableCell(s.Application), tableCell(s.Category))
	}
	flush(t)
	for _, r := range a.Rows {
		b.WriteString("  " + cleanLine(r) + "\n")
	}
	if a.Note != "" {
		b.WriteString("  " + cleanLine(a.Note) + "\n")
	}
}

// CatalogExplainJSON writes answers for machines.
func CatalogExplainJSON(w io.Writer, query string, answers []CatalogAnswer) error {
	if answers == nil {
		answers = []CatalogAnswer{}
	}
	return writeJSON(w, struct {
		FormatVersion string          `json:"format_version"`
		Type          string          `json:"type"`
		Query         string          `json:"query"`
		Answers       []CatalogAnswer `json:"answers"`
	}{FormatVersion, "catalog_explain", query, answers})
}

// CatalogDiff writes what differs between two catalogues.
func CatalogDiff(w io.Writer, changes []policies.Change, st Style) error {
	var b strings.Builder
	for _, c := range changes {
		sign, p := "~", yellow
		switch c.Kind {
		case policies.Added:
			sign, p = "+", green
		case policies.Removed:
			sign, p = "-", red
		case policies.Changed:
		}
		head := fmt.Sprintf("%s application %s", sign, cleanLine(c.Tag))
		switch {
		case c.Kind == policies.Changed && c.Before != c.After:
			head += fmt.Sprintf(": category %s, was %s", cleanLine(c.After), cleanLine(c.Before))
		case c.After != "":
			head += " (" + cleanLine(c.After) + ")"
		}
		b.WriteString(st.in(head, p) + "\n")
		for _, r := range c.Removed {
			b.WriteString(st.in("  - "+cleanLine(r), red) + "\n")
		}
		for _, r := range c.Added {
			b.WriteString(st.in("  + "+cleanLine(r), green) + "\n")
		}
	}
	if len(changes) == 0 {
		b.WriteString("No application differs.\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// CatalogDiffJSON writes the same for machines.
func CatalogDiffJSON(w io.Writer, before, after string, changes []policies.Change) error {
	type change struct {
		Application    string   `json:"application"`
		Change         string   `json:"change"`
		CategoryBefore string   `json:"category_before,omitempty"`
		CategoryAfter  string   `json:"category_after,omitempty"`
		Added          []string `json:"added,omitempty"`
		Removed        []string `json:"removed,omitempty"`
	}
	list := make([]change, 0, len(changes))
	for _, c := range changes {
		list = append(list, change{c.Tag, string(c.Kind), c.Before, c.After, c.Added, c.Removed})
	}
	return writeJSON(w, struct {
		FormatVersion string   `json:"format_version"`
		Type          string   `json:"type"`
		Before        string   `json:"before"`
		After         string   `json:"after"`
		Changes       []change `json:"changes"`
	}{FormatVersion, "catalog_diff", before, after, list})
}
