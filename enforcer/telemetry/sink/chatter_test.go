package sink

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"
)

// TestChatterIsBounded has a client connect again and again: the log says so some times, and then
// how often it did not.
func TestChatterIsBounded(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(slog.NewTextHandler(&out, nil))
	var c chatter
	for range 1000 {
		c.log(log, slog.LevelInfo, "client of sink connected")
	}
	if n := strings.Count(out.String(), "\n"); n != chatterLines {
		t.Errorf("%d lines, want %d", n, chatterLines)
	}
	out.Reset()
	c.began = c.began.Add(-2 * time.Minute)
	c.log(log, slog.LevelInfo, "client of sink gone", "why", "x")
	if got := out.String(); !strings.Contains(got, "why=x lines_left_out=970") {
		t.Errorf("got %s", got)
	}
}
