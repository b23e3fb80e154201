package sink

import (
	"bytes"
	"strconv"
	"time"
)

// wholeLines is how many bytes of b are lines that end.
func wholeLines(b []byte) int { return bytes.LastIndexByte(b, '\n') + 1 }

// countLines is how many lines end in b.
func countLines(b []byte) int { return bytes.Count(b, []byte{'\n'}) }

// batchOf is the first lines, as many as have most bytes together, and one at
// least.
func batchOf(lines []byte, most int) []byte {
	if len(lines) <= most {
		return lines
	}
	return lines[:max(wholeLines(lines[:most]), bytes.IndexByte(lines, '\n')+1)]
}

// headOf is the kind and the time of a record, by the members that all of them
// begin with; empty and zero for what is none.
func headOf(line []byte) (kind string, at time.Time) {
	rest, ok := bytes.CutPrefix(line, []byte(`{"type":"`))
	word, rest, found := bytes.Cut(rest, []byte{'"'})
	_, rest, timed := bytes.Cut(rest, []byte(`"timestamp":`))
	digits, _, _ := bytes.Cut(rest, []byte{','})
	millis, err := strconv.ParseInt(string(bytes.TrimRight(digits, "}\n")), 10, 64)
	if !ok || !found || !timed || err != nil {
		return "", time.Time{}
	}
	return string(word), time.UnixMilli(millis)
}
