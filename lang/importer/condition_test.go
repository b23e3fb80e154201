package importer

import "testing"

func TestConditions(t *testing.T) {
	a, b, c := NewAtom("a == 'x'"), NewAtom("b"), NewAtom("c matches 'p'")
	tests := []struct {
		name  string
		in    Condition
		want  string
		depth int
	}{
		{"parentheses around the other operator", AllOf(a, AnyOf(b, c)), "a == 'x' && (b || c matches 'p')", 1},
		{"none around the same", AllOf(AllOf(a, b), c), "a == 'x' && b && c matches 'p'", 0},
		{"twice the same", AnyOf(a, b, a), "a == 'x' || b", 0},
		{"one", AllOf(a, a), "a == 'x'", 0},
		{"always vanishes", AllOf(a, Fixed(true)), "a == 'x'", 0},
		{"never decides", AllOf(a, Fixed(false), b), "false", 0},
		{"always decides", AnyOf(a, Fixed(true)), "true", 0},
		{"none of nothing", AnyOf(), "false", 0},
		{"all of nothing", AllOf(), "true", 0},
		{"not equal", Not(a), "a != 'x'", 0},
		{"not not equal", Not(Not(a)), "a == 'x'", 0},
		{"not a match", Not(c), "!(c matches 'p')", 1},
		{"not not a match", Not(Not(c)), "c matches 'p'", 0},
		{"not several", Not(AnyOf(a, b)), "!(a == 'x' || b)", 1},
		{"not always", Not(Fixed(true)), "false", 0},
		{"not text with spaces", Not(NewAtom("a == 'x y'")), "!(a == 'x y')", 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.in.Text != tt.want || tt.in.Depth != tt.depth {
				t.Errorf("got %q, depth %d, want %q, depth %d", tt.in.Text, tt.in.Depth, tt.want, tt.depth)
			}
		})
	}
}
