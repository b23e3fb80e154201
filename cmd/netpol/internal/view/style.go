package view

// Style says how human output may look. The zero value is plain text.
type Style struct {
	// Color allows ANSI colours.
	Color bool
}

// paint is an SGR sequence (ECMA-48 8.3.117).
type paint string

const (
	red    paint = "\x1b[31m"
	green  paint = "\x1b[32m"
	yellow paint = "\x1b[33m"
	blue   paint = "\x1b[34m"
	bold   paint = "\x1b[1m"
	dim    paint = "\x1b[2m"

	reset = "\x1b[0m"
)

// in paints s, or returns it as it is where colours are off.
func (st Style) in(s string, paints ...paint) string {
	if !st.Color || s == "" {
		return s
	}
	var open string
	for _, p := range paints {
		open += string(p)
	}
	return open + s + reset
}
