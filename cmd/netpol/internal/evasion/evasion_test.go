package evasion

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"github.com/netpol/netpol/policies"
)

// TestTable: each row's connections have the outcome that it states.
func TestTable(t *testing.T) {
	catalogue, err := policies.Catalogue()
	if err != nil {
		t.Fatal(err)
	}
	results, err := Run(t.Context(), catalogue, Rows())
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		t.Run(fmt.Sprintf("%d/%s", r.Row, r.Variant), func(t *testing.T) {
			if !r.OK() {
				t.Errorf("%s: got %+v, want %+v", r.Title, r.Got, r.Want)
			}
		})
	}
}

// TestTableIsWhole: 36 rows, each once.
func TestTableIsWhole(t *testing.T) {
	var got []int
	for _, r := range Rows() {
		got = append(got, r.Number)
		if r.Title == "" || r.Variants() == 0 {
			t.Errorf("row %d is empty", r.Number)
		}
	}
	slices.Sort(got)
	for i := range 36 {
		if i >= len(got) || got[i] != i+1 {
			t.Fatalf("rows are %d", got)
		}
	}
}

// TestCaptures: what selftest writes is a capture of the same packets each time.
func TestCaptures(t *testing.T) {
	for _, r := range Rows() {
		for i := range r.Variants() {
			var a, b bytes.Buffer
			if err := r.WriteCapture(&a, i); err != nil {
				t.Fatal(err)
			}
			if err := r.WriteCapture(&b, i); err != nil {
				t.Fatal(err)
			}
			if a.Len() < 24+16+54 || !bytes.Equal(a.Bytes(), b.Bytes()) {
				t.Errorf("row %d, %d: %d bytes, and %d the second time", r.Number, i, a.Len(), b.Len())
			}
		}
	}
}
