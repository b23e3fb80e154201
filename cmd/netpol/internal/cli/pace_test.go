package cli

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/netpol/netpol/enforcer/packet"
)

// stamps is a source of packets with time stamps; 0 is the end of a file.
type stamps []time.Duration

func (s *stamps) Next(raw *packet.Raw) error {
	at := (*s)[0]
	*s = (*s)[1:]
	if at == 0 {
		return packet.ErrFileEnd
	}
	raw.Timestamp = int64(at)
	return nil
}

// TestPace: each capture takes as long as it was recorded, divided by the speed,
// wherever its time stamps begin, and one that goes back in time waits for nothing.
func TestPace(t *testing.T) {
	const ms = time.Millisecond
	s := &stamps{time.Hour, time.Hour + 80*ms, time.Hour + 40*ms, 0, 5 * time.Hour, 5*time.Hour + 80*ms}
	p := &pace{Source: s, ctx: t.Context(), speed: 2}
	began := time.Now()
	for range 6 {
		if err := p.Next(new(packet.Raw)); err != nil && !errors.Is(err, packet.ErrFileEnd) {
			t.Fatal(err)
		}
	}
	if took := time.Since(began); took < 80*ms || took > 10*time.Second {
		t.Errorf("two captures of 80 ms took %v at twice the speed, want 80 ms", took)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	p = &pace{Source: &stamps{time.Hour, 2 * time.Hour}, ctx: ctx, speed: 1}
	for range 2 {
		if err := p.Next(new(packet.Raw)); err != nil {
			t.Fatal(err)
		}
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("an interrupted replay waits: %v", took)
	}
}

func TestParseSpeed(t *testing.T) {
	for text, want := range map[string]float64{"max": 0, "1x": 1, "0.5": 0.5, "10x": 10} {
		if got, err := parseSpeed(text); err != nil || got != want {
			t.Errorf("parseSpeed(%q) = %v, %v, want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "0", "-1x", "fast", "NaN", "Inf"} {
		want := `--speed "` + text + `": write how many times faster than recorded packets are read, such as 1x or 0.5x, or max for as fast as possible`
		if _, err := parseSpeed(text); err == nil || err.Error() != want {
			t.Errorf("parseSpeed(%q): got %v, want %s", text, err, want)
		}
	}
}
