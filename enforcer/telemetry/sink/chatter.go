package sink

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

const (
	// chatterLines are logged of a sink's clients in chatterTime, at most: whoever can connect could
	// fill the disk otherwise.
	chatterLines = 30
	chatterTime  = time.Minute
)

// chatter logs what clients do. The zero value works.
type chatter struct {
	mu      sync.Mutex // guards what follows
	began   time.Time
	lines   int
	omitted int // since the last line
}

func (c *chatter) log(to *slog.Logger, level slog.Level, text string, attributes ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := time.Now(); now.Sub(c.began) >= chatterTime {
		c.began, c.lines = now, 0
	}
	if c.lines++; c.lines > chatterLines {
		c.omitted++
		return
	}
	if c.omitted > 0 {
		attributes = append(attributes, "lines_left_out", c.omitted)
		c.omitted = 0
	}
	to.Log(context.Background(), level, text, attributes...)
}
