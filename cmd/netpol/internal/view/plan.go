package view

import (
	"fmt"
	"io"
	"strings"

	"github.com/netpol/netpol/enforcer/reconcile"
)

// Messages of plan and apply that stand in more than one place.
const (
	noChanges  = "No changes. The router matches the policy."
	nothingNow = "No changes. There is nothing of netpol on this router."
)

// Totals counts the changes of a plan.
type Totals struct {
	Add     int `json:"add"`
	Change  int `json:"change"`
	Destroy int `json:"destroy"`
}

// Count adds up a plan.
func Count(changes []reconcile.Change) Totals {
	var t Totals
	for _, c := range changes {
		switch c.Action {
		case reconcile.Create:
			t.Add++
		case reconcile.Update:
			t.Change++
		case reconcile.Delete:
			t.Destroy++
		}
	}
	return t
}

// Plan writes the changes and their sum. Notes are remarks on single objects,
// by kind and id ("label/zoom").
func Plan(w io.Writer, changes []reconcile.Change, notes map[string]string, st Style) error {
	if len(changes) == 0 {
		_, err := fmt.Fprintln(w, noChanges)
		return err
	}
	return writeChanges(w, "netpol will do this on the router:", changes, notes, st)
}

// DestroyPlan writes what destroy is about to remove.
func DestroyPlan(w io.Writer, changes []reconcile.Change, st Style) error {
	if len(changes) == 0 {
		_, err := fmt.Fprintln(w, nothingNow)
		return err
	}
	return writeChanges(w, "netpol will remove this from the router:", changes, nil, st)
}

func writeChanges(w io.Writer, head string, changes []reconcile.Change, notes map[string]string, st Style) error {
	var b strings.Builder
	b.WriteString(head + "\n\n")
	col := columnsFor(changes)
	for _, c := range changes {
		change(&b, c, col, notes[c.Kind+"/"+c.ID], st)
	}
	t := Count(changes)
	fmt.Fprintf(&b, "\n%s %d to add, %d to change, %d to destroy.\n", st.in("Plan:", bold), t.Add, t.Change, t.Destroy)
	_, err := io.WriteString(w, b.String())
	return err
}

// planColumns are the widths of a plan's columns.
type planColumns struct{ kind, id int }

// maxIDColumns keeps one long id from pushing all texts to the right.
const maxIDColumns = 40

func columnsFor(changes []reconcile.Change) planColumns {
	var col planColumns
	for _, c := range changes {
		col.kind = max(col.kind, len(c.Kind))
		if n := columnsOf(cells(c.ID)); n <= maxIDColumns {
			col.id = max(col.id, n)
		}
	}
	return col
}

// change writes one object: its line, and for more than one line of text what
// becomes of each.
func change(b *strings.Builder, c reconcile.Change, col planColumns, note string, st Style) {
	sign, p := signOf(c.Action)
	fmt.Fprintf(b, "  %s %-*s  %s", st.in(sign, bold, p), col.kind, cleanLine(c.Kind), cleanLine(c.ID))
	if one := oneLine(c); one != "" {
		b.WriteString(strings.Repeat(" ", max(col.id-columnsOf(cells(c.ID)), 0)) + "  " + st.in(cleanLine(shorten(one, maxText)), dim))
	}
	if note != "" {
		b.WriteString(" (" + note + ")")
	}
	b.WriteByte('\n')
	if oneLine(c) == "" {
		writeDiff(b, "      ", c.Before, c.After, st)
	}
}

// oneLine is the body of an object that is made or removed and fits in its
// line; empty otherwise.
func oneLine(c reconcile.Change) string {
	var body string
	switch c.Action {
	case reconcile.Create:
		body = c.After
	case reconcile.Delete:
		body = c.Before
	case reconcile.Update:
		return ""
	}
	if strings.Contains(strings.TrimRight(body, "\n"), "\n") {
		return ""
	}
	return strings.TrimRight(body, "\n")
}

func signOf(a reconcile.Action) (string, paint) {
	switch a {
	case reconcile.Create:
		return "+", green
	case reconcile.Update:
		return "~", yellow
	case reconcile.Delete:
		return "-", red
	}
	return "?", bold
}

// Applied writes the last line of apply.
func Applied(w io.Writer, t Totals, st Style) error {
	_, err := fmt.Fprintf(w, "\n%s Resources: %d added, %d changed, %d destroyed.\n",
		st.in("Apply complete!", bold, green), t.Add, t.Change, t.Destroy)
	return err
}

// Destroyed writes the last line of destroy.
func Destroyed(w io.Writer, t Totals, st Style) error {
	_, err := fmt.Fprintf(w, "\n%s Resources: %d destroyed.\n", st.in("Destroy complete!", bold, green), t.Destroy)
	return err
}
