package view

import (
	"fmt"
	"io"
	"time"

	"github.com/netpol/netpol/enforcer/telemetry"
)

// FlowTable writes connections as rows for people: figures first, because they are as wide on
// each line, then the connection.
type FlowTable struct {
	// Width is how many columns the terminal has, 0 where there is none: then lines are
	// whole and there is no heading, so that what comes next counts and cuts rows alone.
	Width int
	Now   time.Time

	headed bool
}

// narrow is the width under which a row has its rate and its bytes alone.
const narrow = 120

// Row writes a connection.
func (t *FlowTable) Row(w io.Writer, f *telemetry.Flow) error {
	if !t.headed && t.Width > 0 {
		t.headed = true
		if _, err := fmt.Fprintln(w, Fit(t.figures("UP b/s", "DOWN b/s", "RATE b/s", "BYTES", "AGE", "RTT", "RETR")+"CONNECTION", t.Width)); err != nil {
			return err
		}
	}
	text := t.figures(Bits(f.LocalRate), Bits(f.OtherRate), Bits(f.Rate), Figure(f.Bytes), Age(t.Now.Sub(f.FirstSeen)),
		Micros(f.RTT()), fmt.Sprint(f.Retrans)) + cleanLine(string(f.AppendNamed(nil)))
	if t.Width > 0 {
		text = Fit(text, t.Width)
	}
	_, err := fmt.Fprintln(w, text)
	return err
}

func (t *FlowTable) figures(up, down, rate, bytes, age, rtt, retrans string) string {
	if t.Width > 0 && t.Width < narrow {
		return fmt.Sprintf("%8s %6s %5s  ", rate, bytes, age)
	}
	return fmt.Sprintf("%8s %8s %8s %6s %5s %6s %4s  ", rate, up, down, bytes, age, rtt, retrans)
}

// FlowJSON writes one connection that netpold tracks as a line of JSON, with the keys of
// replay and those of the moment.
func FlowJSON(w io.Writer, f *telemetry.Flow) error {
	b := append([]byte(`{"format_version":"`+FormatVersion+`","type":"flow",`), f.AppendJSON(nil)[1:]...)
	_, err := w.Write(append(b, '\n'))
	return err
}

// Remark writes a sentence for people.
func Remark(w io.Writer, text string) error {
	_, err := fmt.Fprintln(w, text)
	return err
}
