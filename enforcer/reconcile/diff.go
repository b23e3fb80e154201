package reconcile

import (
	"cmp"
	"slices"
)

// Action is what becomes of an object.
type Action uint8

// Actions.
const (
	Create Action = iota + 1
	Update
	Delete
)

// String is the word for JSON output and logs.
func (a Action) String() string {
	switch a {
	case Create:
		return "create"
	case Update:
		return "update"
	case Delete:
		return "delete"
	}
	return "unknown"
}

// MarshalText makes the action a word in JSON output.
func (a Action) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// Change is one step from the live state to the wanted one. Before is empty
// for Create, After for Delete; both are summaries, or bodies where the
// summaries are missing or would not show the difference.
type Change struct {
	Action Action `json:"action"`
	Kind   string `json:"kind"`
	ID     string `json:"id"`
	Before string `json:"before,omitempty"`
	After  string `json:"after,omitempty"`
}

// Diff lists what has to change, kind by kind in the order of the states, the
// wanted one first; within a kind in the wanted order, deletions last. It is
// empty iff every object of one side is on the other with the same body.
func Diff(live, want State) []Change {
	old, now := index(live), index(want)
	var changes []Change
	for _, kind := range kinds(want, live) {
		for _, o := range want.Objects {
			if o.Kind != kind {
				continue
			}
			if before, ok := old[o.key()]; !ok {
				changes = append(changes, Change{Action: Create, Kind: kind, ID: o.ID, After: shown(o)})
			} else if before.Body != o.Body {
				changes = append(changes, update(before, o))
			}
		}
		for _, o := range live.Objects {
			if _, ok := now[o.key()]; !ok && o.Kind == kind {
				changes = append(changes, Change{Action: Delete, Kind: kind, ID: o.ID, Before: shown(o)})
			}
		}
	}
	return changes
}

func update(before, after Object) Change {
	c := Change{Action: Update, Kind: after.Kind, ID: after.ID, Before: shown(before), After: shown(after)}
	if c.Before == c.After {
		c.Before, c.After = before.Body, after.Body
	}
	return c
}

func shown(o Object) string { return cmp.Or(o.Summary, o.Body) }

func index(s State) map[key]Object {
	m := make(map[key]Object, len(s.Objects))
	for _, o := range s.Objects {
		m[o.key()] = o
	}
	return m
}

// kinds are the kinds of all states in order of appearance.
func kinds(states ...State) []string {
	var out []string
	for _, s := range states {
		for _, o := range s.Objects {
			if !slices.Contains(out, o.Kind) {
				out = append(out, o.Kind)
			}
		}
	}
	return out
}

func compare(a, b Object) int {
	return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.ID, b.ID), cmp.Compare(a.Body, b.Body))
}
