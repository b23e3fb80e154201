package cli

import "testing"

// TestTypedFilters has criteria checked as they are typed: a word is looked for, and of what
// is wrong there is one line.
func TestTypedFilters(t *testing.T) {
	source := &topSource{tool: &tool{flags: sharedFlags{stateDir: t.TempDir()}}}
	tests := []struct{ typed, want string }{
		{"", ""},
		{"zoom", ""},
		{"us04.zoom.us", ""},
		{"2001:db8::1", ""},
		{"detection_guessed", ""},
		{"app == 'zoom' ", ""},
		{"app ==", "The expression ends too early."},
		{"app == 'zom'", "No application is named 'zom'. Did you mean 'zoom'?"},
		{"app = 'zoom'", "The expression cannot be read: unexpected =. Write == to compare"},
	}
	for _, tt := range tests {
		got := ""
		if err := source.Check(tt.typed); err != nil {
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("%q: got %q, want %q", tt.typed, got, tt.want)
		}
	}
	if isWord("detection_guessed") || !isWord("zoom") {
		t.Error("an attribute that is true or false is a criterion, any other word is none")
	}
}
