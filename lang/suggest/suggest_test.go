package suggest

import "testing"

func TestNearestByWord(t *testing.T) {
	names := []string{"amazon-prime-video", "vpn-proxy", "cloudflare-dns", "google-dns", "google-meet", "microsoft-teams", "office-update", "steam", "zoom"}
	tests := []struct{ name, in, want string }{
		{"last word", "teams", "microsoft-teams"},
		{"last words", "prime-video", "amazon-prime-video"},
		{"first word", "office", "office-update"},
		{"one letter off is likelier", "steams", "steam"},
		{"a word of three letters", "vpn", "vpn-proxy"},
		{"several end so", "dns", ""},
		{"several begin so", "google", ""},
		{"not a whole word", "eams", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got, _ := Nearest(tt.in, names); got != tt.want {
				t.Errorf("Nearest(%q): got %q, want %q", tt.in, got, tt.want)
			}
		})
	}
}

func TestBudget(t *testing.T) {
	var b Budget
	names := make([]string, maxComparisons/2)
	names[0] = "zoom"
	if got := b.Hint("zom", names); got != "did you mean 'zoom'?" {
		t.Errorf("first hint: got %q", got)
	}
	if _, ok := b.Nearest("zom", names); !ok {
		t.Error("second suggestion: got none")
	}
	if got := b.Hint("zom", names); got != "" {
		t.Errorf("hint beyond the budget: got %q, want none", got)
	}
	if _, ok := b.Nearest("zom", names); ok {
		t.Error("suggestion beyond the budget: got one")
	}
}

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
