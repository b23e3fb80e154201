package view

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// Replay is the summary of a run over captures.
type Replay struct {
	Files, FileErrors     int
	Packets, Bytes        uint64
	NotIP, Broken         uint64 // packets left alone
	Flows, Named, Matched int
	Elapsed               time.Duration
}

// Text writes it for people.
func (r Replay) Text(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, %s, %s in %s: %s, %d with an application, %d with a policy.\n",
		count(r.Files, "capture"), count(int(r.Packets), "packet"), size(r.Bytes), r.Elapsed.Round(time.Millisecond),
		count(r.Flows, "flow"), r.Named, r.Matched)
	if r.NotIP > 0 {
		fmt.Fprintf(&b, "%s left alone: no IP in them.\n", count(int(r.NotIP), "packet"))
	}
	if r.Broken > 0 {
		fmt.Fprintf(&b, "%s left alone: cut off or contradictory headers.\n", count(int(r.Broken), "packet"))
	}
	if r.FileErrors > 0 {
		fmt.Fprintf(&b, "%s could not be read to the end.\n", count(r.FileErrors, "capture"))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// ReplayProgress is the meter's text; total is 0 where it is not known.
func ReplayProgress(packets uint64, done, total int64) string {
	if total <= 0 {
		return fmt.Sprintf("%d packets, %s", packets, size(uint64(done)))
	}
	return fmt.Sprintf("%d packets, %s of %s (%d %%)", packets, size(uint64(done)), size(uint64(total)), done*100/total)
}

// size is a number of bytes as people say it.
func size(n uint64) string {
	switch {
	case n >= 1e9:
		return fmt.Sprintf("%.1f GB", float64(n)/1e9)
	case n >= 1e6:
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	case n >= 1e3:
		return fmt.Sprintf("%.1f kB", float64(n)/1e3)
	}
	return fmt.Sprintf("%d B", n)
}
