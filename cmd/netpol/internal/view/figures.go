package view

import (
	"fmt"
	"strings"
	"time"
)

// Figure writes a figure in at most five columns: 999, 1.2k, 345M.
func Figure(n uint64) string {
	v, prefix := float64(n), ""
	for _, p := range []string{"k", "M", "G", "T", "P", "E"} {
		if v < 999.5 {
			break
		}
		v, prefix = v/1000, p
	}
	if prefix == "" || v >= 99.95 {
		return fmt.Sprintf("%.0f%s", v, prefix)
	}
	return fmt.Sprintf("%.1f%s", v, prefix)
}

// Bits writes bytes a second as bits a second, as links are sold.
func Bits(bytesPerSecond uint64) string { return Figure(bytesPerSecond * 8) }

// Micros writes microseconds as a time in at most five columns; 0 is not known.
func Micros(us uint32) string {
	switch {
	case us == 0:
		return "-"
	case us < 9950:
		return fmt.Sprintf("%.1fms", float64(us)/1e3)
	case us < 999_500:
		return fmt.Sprintf("%.0fms", float64(us)/1e3)
	}
	return fmt.Sprintf("%.1fs", float64(us)/1e6)
}

// Age writes how long something is ago in at most five columns.
func Age(d time.Duration) string {
	switch d = max(d, 0); {
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm%02d", int(d.Minutes()), int(d.Seconds())%60)
	case d < 100*time.Hour:
		return fmt.Sprintf("%dh%02d", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%dd", int(d.Hours())/24)
}

// Thousands writes a number with commas.
func Thousands(n int) string { return thousands(uint64(max(n, 0))) }

// Columns is how many columns of a terminal a line takes that Line has made safe.
func Columns(s string) int {
	n := 0
	for _, r := range s {
		n += runeColumns(r)
	}
	return n
}

// Fit cuts or pads a line that Line has made safe to a number of columns.
func Fit(s string, columns int) string {
	columns = max(columns, 0)
	if n := Columns(s); n <= columns {
		return s + strings.Repeat(" ", columns-n)
	}
	at, n := 0, 0
	for i, r := range s {
		if n+runeColumns(r) > columns-1 {
			break
		}
		n += runeColumns(r)
		at = i + len(string(r))
	}
	return s[:at] + strings.Repeat(" ", max(columns-1-n, 0)) + "~"[:min(columns, 1)]
}

// Wrap breaks a line that Line has made safe into lines of at most so many columns. Those
// after the first are indented.
func Wrap(s string, columns int) []string {
	const indent = "    "
	var out []string
	for Columns(s) > columns && columns > 2*len(indent) {
		cut := cutAt(s, columns)
		out = append(out, strings.TrimRight(s[:cut], " "))
		s = indent + strings.TrimLeft(s[cut:], " ")
	}
	return append(out, s)
}

// cutAt is where the last word ends that fits into columns, or else what fits.
func cutAt(s string, columns int) int {
	n, word := 0, 0
	began := len(s) - len(strings.TrimLeft(s, " "))
	for i, r := range s {
		if n += runeColumns(r); n > columns {
			if word > began {
				return word
			}
			return i
		}
		if r == ' ' && i > began {
			word = i
		}
	}
	return len(s)
}
