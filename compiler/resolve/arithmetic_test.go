package resolve

import (
	"math"
	"testing"
)

func TestCalculate(t *testing.T) {
	for _, tt := range []struct {
		name     string
		operator string
		a, b     int
		want     int
		ok       bool
	}{
		{"sum", "+", 1000, 24, 1024, true},
		{"difference", "-", 1, 2, -1, true},
		{"product", "*", 1024, -3, -3072, true},
		{"quotient", "/", 12, 4, 3, true},
		{"rest", "%", 7, 4, 3, true},
		{"a rest is left", "/", 7, 4, 0, false},
		{"by zero", "/", 7, 0, 0, false},
		{"rest by zero", "%", 7, 0, 0, false},
		{"sum past the end", "+", math.MaxInt, math.MaxInt, 0, false},
		{"product past the end", "*", math.MaxInt, 2, 0, false},
		{"power", "**", 2, 2, 0, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, ok := calculate(tt.operator, tt.a, tt.b)
			if ok != tt.ok || ok && got != tt.want {
				t.Errorf("got %d, %v, want %d, %v", got, ok, tt.want, tt.ok)
			}
		})
	}
}
