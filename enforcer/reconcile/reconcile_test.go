package reconcile

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func state(objects ...Object) State { return State{Objects: objects} }

func TestDiff(t *testing.T) {
	zoom := Object{Kind: "label", ID: "zoom", Body: "bit 1"}
	bulk := Object{Kind: "label", ID: "bulk", Body: "bit 2"}
	moved := Object{Kind: "label", ID: "zoom", Body: "bit 9"}
	rule := Object{Kind: "rule", ID: "np_dscp dscp4/zoom", Body: "ct label 1 ip dscp set cs5 # a.hcl:1", Summary: "ct label zoom ip dscp set cs5"}
	comment := Object{Kind: "rule", ID: rule.ID, Body: "ct label 1 ip dscp set cs5 # a.hcl:2", Summary: rule.Summary}
	cases := []struct {
		name       string
		live, want State
		changes    []Change
	}{
		{"nothing on either side", state(), state(), nil},
		{"equal, in another order", state(zoom, bulk), state(bulk, zoom), nil},
		{"create", state(), state(zoom, rule), []Change{
			{Action: Create, Kind: "label", ID: "zoom", After: "bit 1"},
			{Action: Create, Kind: "rule", ID: rule.ID, After: rule.Summary},
		}},
		{"delete", state(rule), state(), []Change{{Action: Delete, Kind: "rule", ID: rule.ID, Before: rule.Summary}}},
		{"update", state(zoom), state(moved), []Change{{Action: Update, Kind: "label", ID: "zoom", Before: "bit 1", After: "bit 9"}}},
		{"update that the summary hides", state(rule), state(comment), []Change{
			{Action: Update, Kind: "rule", ID: rule.ID, Before: rule.Body, After: comment.Body},
		}},
		{"by kind, deletions last", state(bulk, rule), state(zoom), []Change{
			{Action: Create, Kind: "label", ID: "zoom", After: "bit 1"},
			{Action: Delete, Kind: "label", ID: "bulk", Before: "bit 2"},
			{Action: Delete, Kind: "rule", ID: rule.ID, Before: rule.Summary},
		}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got := Diff(c.live, c.want)
			if diff := cmp.Diff(c.changes, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if equal := c.live.Digest() == c.want.Digest(); equal != (len(got) == 0) {
				t.Errorf("digests equal: %v, but %d changes", equal, len(got))
			}
		})
	}
}

func TestDigestKeepsFieldsApart(t *testing.T) {
	a := state(Object{Kind: "ab", ID: "c", Body: "d"}).Digest()
	for _, o := range []Object{{Kind: "a", ID: "bc", Body: "d"}, {Kind: "ab", ID: "cd"}, {Kind: "ab", ID: "c", Body: "d", Summary: "x"}} {
		if same := state(o).Digest() == a; same != (o.Summary != "") {
			t.Errorf("%+v: same digest %v", o, same)
		}
	}
}

func TestActionsInJSON(t *testing.T) {
	got, err := json.Marshal(Change{Action: Update, Kind: "label", ID: "zoom", Before: "bit 1", After: "bit 2"})
	want := `{"action":"update","kind":"label","id":"zoom","before":"bit 1","after":"bit 2"}`
	if err != nil || string(got) != want {
		t.Errorf("got %s, want %s (%v)", got, want, err)
	}
}

// FuzzDiff: applying the changes to the live side always gives the wanted one.
func FuzzDiff(f *testing.F) {
	f.Add([]byte("a1b2"), []byte("a2c1"))
	f.Fuzz(func(t *testing.T, live, want []byte) {
		l, w := fromBytes(live), fromBytes(want)
		got := slices.Clone(l.Objects)
		for _, c := range Diff(l, w) {
			got = slices.DeleteFunc(got, func(o Object) bool { return o.Kind == c.Kind && o.ID == c.ID })
			if c.Action != Delete {
				got = append(got, Object{Kind: c.Kind, ID: c.ID, Body: c.After})
			}
		}
		if (State{Objects: got}).Digest() != w.Digest() {
			t.Fatalf("live %v, want %v, got %v", l, w, got)
		}
	})
}

// fromBytes makes objects of pairs: identity, body. A later one of the same
// identity is left out.
func fromBytes(b []byte) State {
	var s State
	seen := map[byte]bool{}
	for ; len(b) >= 2; b = b[2:] {
		if !seen[b[0]] {
			seen[b[0]] = true
			s.Objects = append(s.Objects, Object{Kind: string([]byte{'k', '0' + b[0]%3}), ID: string(b[:1]), Body: "body " + string(b[1:2])})
		}
	}
	return s
}
