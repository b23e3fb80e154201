package suggest

import "testing"

func TestNearest(t *testing.T) {
	names := []string{"zoom", "youtube", "teams", "tcp", "x"}
	tests := []struct{ name, in, want string }{
		{"one letter missing", "zom", "zoom"},
		{"case does not count", "ZOOM", "zoom"},
		{"swapped letters", "yuotube", "youtube"},
		{"too far", "netflix", ""},
		{"short words need to be near", "abc", ""},
		{"swapped letters of a short word", "tpc", "tcp"},
		{"two letters", "temas", "teams"},
		{"empty", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got, _ := Nearest(tt.in, names); got != tt.want {
				t.Errorf("Nearest(%q): got %q, want %q", tt.in, got, tt.want)
			}
		})
	}
	if got, want := Hint("zom", names), "did you mean 'zoom'?"; got != want {
		t.Errorf("Hint: got %q, want %q", got, want)
	}
	if got := Hint("netflix", names); got != "" {
		t.Errorf("Hint without a near name: got %q, want none", got)
	}
}
