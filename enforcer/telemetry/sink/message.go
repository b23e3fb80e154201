//go:build sink_mqtt || sink_nats

package sink

import (
	"bytes"
	"os"
	"strings"
)

// templater makes the topics of records from a template, in which {type},
// {application} and {router} stand for a record's.
type templater struct {
	text   string
	router string              // clean
	clean  func(string) string // makes a word fit for a topic
}

func (t *templater) of(line []byte) string {
	if !strings.Contains(t.text, "{") {
		return t.text
	}
	kind, _ := headOf(line)
	return strings.NewReplacer("{type}", kind, "{router}", t.router, "{application}", t.clean(applicationOf(line))).Replace(t.text)
}

// applicationOf is the application's tag in a record, "unknown" where it has none.
func applicationOf(line []byte) string {
	_, rest, _ := bytes.Cut(line, []byte(`"detected_application_name":"`))
	tag, _, ok := bytes.Cut(rest, []byte{'"'})
	if !ok || len(tag) == 0 {
		return "unknown"
	}
	return string(tag)
}

// windowOf is the next lines that may be under way together.
func windowOf(lines []byte, most int) [][]byte {
	var out [][]byte
	for line := range bytes.Lines(lines) {
		if out = append(out, line); len(out) == most {
			break
		}
	}
	return out
}

// routerName is what this machine is called.
func routerName() string {
	name, err := os.Hostname()
	if err != nil || name == "" {
		return "router"
	}
	return name
}
