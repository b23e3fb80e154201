//go:build sink_kafka || sink_mqtt || sink_nats || sink_otlp

package sink

import (
	"cmp"
	"os"
	"strings"
)

// templater makes the topics of records from a template, in which {type},
// {application} and {router} stand for a record's.
type templater struct {
	encoding *encoding
	text     string
	router   string              // clean
	clean    func(string) string // makes a word fit for a topic
}

func (t *templater) of(line []byte) string {
	if !strings.Contains(t.text, "{") {
		return t.text
	}
	kind, _ := t.encoding.head(line)
	return strings.NewReplacer("{type}", kind, "{router}", t.router, "{application}", t.clean(cmp.Or(t.encoding.application(line), "unknown"))).Replace(t.text)
}

// windowOf is the next records that may be under way together.
func windowOf(e *encoding, lines []byte, most int) [][]byte {
	var out [][]byte
	for line := range e.each(lines) {
		if out = append(out, line); len(out) == most {
			break
		}
	}
	if len(out) == 0 {
		out = append(out, lines) // of another encoding, from an earlier bundle's spool
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
