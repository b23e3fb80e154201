package diag

import "testing"

func TestCompactKeepsTheFirstOfEach(t *testing.T) {
	at := func(column int) Range { return Range{Filename: "a", Start: Pos{Line: 1, Column: column}} }
	list := List{
		New(UnknownApplication, at(1), "x"), New(UnknownApplication, at(1), "x"), New(UnknownApplication, at(1), "y"),
		New(UnknownApplication, at(2), "x"), New(UnknownApplication, at(1), "x"),
	}
	list.Compact()
	if len(list) != 3 || list[1].Detail != "y" || list[2].Subject.Start.Column != 2 {
		t.Errorf("got %v, want three in their order", list)
	}
}
