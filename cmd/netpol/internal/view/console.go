package view

import (
	"fmt"
	"io"
	"strings"

	"github.com/netpol/netpol/cmd/netpol/internal/console"
)

const consoleHelp = `Type an expression of criteria, and see on which sample flows it holds:
  app == 'zoom' and dst_port in 1..1024
or an attribute alone, and see what it is and its values:
  hostname

  :attributes [PREFIX]   attributes, their types and other names
  :apps [PREFIX]         applications of the catalogue
  :protocols [PREFIX]    protocols
  :categories [PREFIX]   categories
  :groups [PREFIX]       address groups of the policy directory
  :samples               the sample flows
  :schedules [PREFIX]    schedules, and whether they are in force
  :time [WHEN]           when the samples' packets are sent: :time 2026-01-05 18:30
  :set ATTRIBUTE VALUE   give all samples a value: :set total_bytes 20MB
  :help                  this text
  :quit                  leave
`

// maxHolding bounds the flows listed of a capture.
const maxHolding = 20

// ConsoleReply writes the answer to one line.
func ConsoleReply(w io.Writer, r *console.Reply, st Style) error {
	var b strings.Builder
	if r.Help {
		b.WriteString(consoleHelp)
	}
	if r.Attribute != nil {
		consoleAttribute(&b, r, st)
	} else if r.Type != "" {
		fmt.Fprintf(&b, "%s %s\n", st.in("type:", bold), r.Type)
		consoleResults(&b, r.Results, st)
	}
	if len(r.Rows) > 0 {
		t := table(&b)
		for _, row := range r.Rows {
			cells := make([]string, len(row))
			for i, c := range row {
				cells[i] = tableCell(shorten(c, maxText))
			}
			fmt.Fprintf(t, "%s\n", strings.Join(cells, "\t"))
		}
		flush(t)
	}
	if r.Note != "" {
		b.WriteString(cleanLine(r.Note) + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func consoleAttribute(b *strings.Builder, r *console.Reply, st Style) {
	a := r.Attribute
	fmt.Fprintf(b, "%s %s", st.in(a.Name+":", bold), a.Type)
	if a.Unit != "" {
		fmt.Fprintf(b, ", in %s", a.Unit)
	}
	fmt.Fprintf(b, ", %s\n%s\n", a.Decided, a.Doc)
	if len(a.Aliases) > 0 {
		fmt.Fprintf(b, "Also written %s.\n", strings.Join(a.Aliases, ", "))
	}
	t := table(b)
	for i, x := range r.Results {
		if i == maxHolding {
			break
		}
		value := x.Value
		if value == "" {
			value = "not known"
		}
		fmt.Fprintf(t, "  %s\t%s\n", tableCell(x.Sample.Name), tableCell(shorten(value, maxText)))
	}
	flush(t)
}

// consoleResults lists where a condition holds: each of a few flows, or those
// of many on which it does.
func consoleResults(b *strings.Builder, results []console.Result, st Style) {
	if len(results) == 0 {
		return
	}
	holding, shown := 0, 0
	for _, x := range results {
		if x.Holds {
			holding++
		}
	}
	fmt.Fprintf(b, "holds for %d of %s\n", holding, count(len(results), "flow"))
	for _, x := range results {
		if len(results) > maxHolding && !x.Holds || shown == maxHolding {
			continue
		}
		shown++
		word := st.in("no ", dim)
		if x.Holds {
			word = st.in("yes", bold, green)
		}
		fmt.Fprintf(b, "  %s %s", word, cleanLine(shorten(x.Sample.Name, maxText)))
		if why := failedTerms(x); why != "" && len(results) <= maxHolding {
			b.WriteString(st.in("  "+cleanLine(shorten(why, maxText)), dim))
		}
		b.WriteByte('\n')
	}
}

// failedTerms are the terms that do not hold, with what they met.
func failedTerms(r console.Result) string {
	if r.Holds {
		return ""
	}
	var out []string
	for _, t := range r.Terms {
		if t.Holds {
			continue
		}
		value := t.Value
		if value == "" {
			value = "not known"
		}
		out = append(out, t.Text+": "+value)
	}
	return strings.Join(out, "; ")
}
