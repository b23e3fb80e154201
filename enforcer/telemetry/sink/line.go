package sink

import (
	"bytes"
	"strconv"
	"time"
)

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

// applicationOf is the application's tag in a record, empty where it has none.
func applicationOf(line []byte) string { return wordBehind(line, `"detected_application_name":"`) }

// digestOf is what names the flow of a record, empty where it is of none.
func digestOf(line []byte) string { return wordBehind(line, `"digest":"`) }

// wordBehind is the text of a member that begins so, which needs no escapes.
func wordBehind(line []byte, member string) string {
	_, rest, _ := bytes.Cut(line, []byte(member))
	word, _, _ := bytes.Cut(rest, []byte{'"'})
	return string(word)
}
