package demo

import (
	"fmt"
	"slices"
	"strings"

	"github.com/netpol/netpol/cmd/netpol/internal/lab"
)

// What the demo's policy asks for.
const (
	labelZoom = "zoom"
	tosCS5    = 0xa0 // code point cs5 (40) in the upper six bits
)

// entry is a connection as the kernel's connection tracking has it.
type entry struct {
	connection
	labels []string // without netpol's own
}

func (e entry) label() string { return strings.Join(e.labels, ",") }

// checkLabels holds the kernel's entries against what must be there, and says
// what differs, a line each.
func checkLabels(want []expectation, entries []entry) []string {
	live := map[connection]string{}
	for _, e := range entries {
		live[e.key()] = e.label()
	}
	var wrong []string
	expected := map[connection]bool{}
	for _, w := range want {
		expected[w.key()] = true
		got, ok := live[w.key()]
		switch {
		case !ok && (w.seen || w.zoom()):
			wrong = append(wrong, fmt.Sprintf("%s %s -> %s (%s): the kernel does not know it", w.protoName(), w.client, w.server, w.about))
		case w.seen && got != w.label, hasZoom(got) != w.zoom():
			wrong = append(wrong, fmt.Sprintf("%s %s -> %s (%s): got label %q, want %q", w.protoName(), w.client, w.server, w.about, got, w.label))
		}
	}
	for _, e := range entries {
		if !expected[e.key()] && len(e.labels) > 0 {
			wrong = append(wrong, fmt.Sprintf("%s %s -> %s: got label %q, want none", e.protoName(), e.client, e.server, e.label()))
		}
	}
	slices.Sort(wrong)
	return wrong
}

// hasZoom reports whether a list of labels, as entry.label writes it, has zoom.
func hasZoom(labels string) bool { return slices.Contains(strings.Split(labels, ","), labelZoom) }

// trail is what the wire showed of one connection.
type trail struct {
	packets, marked int          // all, and those with tosCS5
	first, last     lab.Sighting // of all
	firstMarked     lab.Sighting // zero when there is none
}

// trails sorts sightings by connection.
func trails(sightings []lab.Sighting) map[connection]trail {
	out := map[connection]trail{}
	for _, g := range sightings {
		k := connection{g.Proto, g.Src, g.Dst}.key()
		t := out[k]
		if t.packets == 0 {
			t.first = g
		}
		t.packets++
		t.last = g
		if isCS5(g.TOS) {
			if t.marked == 0 {
				t.firstMarked = g
			}
			t.marked++
		}
		out[k] = t
	}
	return out
}

// isCS5 leaves the two ECN bits out (RFC 3168).
func isCS5(tos uint8) bool { return tos&^3 == tosCS5 }
