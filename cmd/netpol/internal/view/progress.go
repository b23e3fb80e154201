package view

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// Progress writes one step of a verb that changes something.
func Progress(w io.Writer, message string, st Style) error {
	_, err := fmt.Fprintf(w, "%s %s\n", st.in("-", dim), cleanLine(message))
	return err
}

// Question asks for the word yes; the answer is read by the caller.
func Question(w io.Writer, question string, st Style) error {
	_, err := fmt.Fprintf(w, "\n%s\n  Only 'yes' is taken as a yes.\n\n  Answer: ", st.in(question, bold))
	return err
}

// Meter is a line of a terminal that shows how far a long run is. It is safe
// for concurrent use. A nil Meter shows nothing.
type Meter struct {
	mu    sync.Mutex
	w     io.Writer
	last  time.Time
	shown bool
}

// NewMeter returns a meter on a terminal; nil, which shows nothing, elsewhere.
func NewMeter(w io.Writer, terminal bool) *Meter {
	if !terminal || os.Getenv("TERM") == "dumb" {
		return nil
	}
	return &Meter{w: w}
}

// meterInterval is how often the line changes; faster is not readable.
const meterInterval = 100 * time.Millisecond

// Show puts a text in the line, unless it changed a moment ago.
func (m *Meter) Show(text string) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if time.Since(m.last) < meterInterval {
		return
	}
	m.last, m.shown = time.Now(), true
	fmt.Fprintf(m.w, "\r\x1b[K%s", shorten(cleanLine(text), maxColumns))
}

// Clear empties the line for what is printed next.
func (m *Meter) Clear() {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.shown {
		fmt.Fprint(m.w, "\r\x1b[K")
		m.shown = false
	}
}
