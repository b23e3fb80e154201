package demo

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// console is what the person sees. Write errors are kept and returned once, at
// the end of the story: a closed pipe stops nothing that matters.
type console struct {
	out   io.Writer
	color bool
	err   error
}

// Write lets commands and tables print on the console.
func (c *console) Write(b []byte) (int, error) {
	if c.err != nil {
		return len(b), nil
	}
	_, c.err = c.out.Write(b)
	return len(b), nil
}

// SGR sequences (ECMA-48, 8.3.117).
const (
	sgrBold  = "\x1b[1m"
	sgrDim   = "\x1b[2m"
	sgrGreen = "\x1b[32m"
	sgrReset = "\x1b[0m"
)

func (c *console) paint(sgr, s string) string {
	if !c.color {
		return s
	}
	return sgr + s + sgrReset
}

func (c *console) printf(format string, args ...any) { fmt.Fprintf(c, format, args...) }

// heading opens a scene of the story.
func (c *console) heading(format string, args ...any) {
	c.printf("\n%s\n", c.paint(sgrBold, "== "+fmt.Sprintf(format, args...)))
}

// command shows what a user would type.
func (c *console) command(words ...string) {
	c.printf("%s\n", c.paint(sgrGreen, "$ "+strings.Join(words, " ")))
}

// note is an aside.
func (c *console) note(format string, args ...any) {
	c.printf("%s\n", c.paint(sgrDim, fmt.Sprintf(format, args...)))
}

// table prints rows in columns.
func (c *console) table(rows [][]string) {
	w := tabwriter.NewWriter(c, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		fmt.Fprintln(w, strings.TrimRight(strings.Join(row, "\t"), "\t"))
	}
	if err := w.Flush(); err != nil && c.err == nil {
		c.err = err
	}
}
