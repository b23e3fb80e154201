package pulse

import (
	"testing"
	"time"
)

// TestMomentsAreShared: whoever asks between two moments waits for the same one, and
// never for none.
func TestMomentsAreShared(t *testing.T) {
	second := time.Unix(1_700_000_000, 0)
	for _, tt := range []struct {
		name  string
		now   time.Time
		apart time.Duration
		want  time.Duration
	}{
		{"just after one", second.Add(time.Nanosecond), time.Second, time.Second - time.Nanosecond},
		{"at one", second, time.Second, time.Second},
		{"just before one", second.Add(999 * time.Millisecond), time.Second, time.Millisecond},
		{"of the half seconds", second.Add(300 * time.Millisecond), time.Second / 2, 200 * time.Millisecond},
		{"whole seconds are among the half ones", second.Add(700 * time.Millisecond), time.Second / 2, 300 * time.Millisecond},
	} {
		if got := until(tt.now, tt.apart); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
	if got := Until(Slow); got <= 0 || got > Slow {
		t.Errorf("the next moment is in %v", got)
	}
}
