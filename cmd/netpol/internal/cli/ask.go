package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/netpol/netpol/cmd/netpol/internal/view"
)

var errNotApproved = errors.New("not approved: nothing was changed")

// canAsk reports whether there is somebody to ask.
func (t *tool) canAsk() bool { return !t.json && isTerminal(t.In) }

// ask wants the word yes from the person at the terminal. It ends with ctx,
// because an interrupt must not wait for the answer.
func (t *tool) ask(ctx context.Context, question string) error {
	if !t.canAsk() {
		return errNoTerminal
	}
	if err := view.Question(t.Out, question, t.style(t.Out)); err != nil {
		return err
	}
	type line struct {
		text string
		err  error
	}
	answered := make(chan line, 1)
	go func() {
		text, err := bufio.NewReader(t.In).ReadString('\n')
		answered <- line{text, err}
	}()
	select {
	case <-ctx.Done():
		return errNotApproved
	case answer := <-answered:
		if answer.err != nil && !errors.Is(answer.err, io.EOF) {
			return fmt.Errorf("read answer: %w", answer.err)
		}
		if strings.TrimSpace(answer.text) != "yes" {
			return errNotApproved
		}
		return nil
	}
}

// step prints one line of what a verb does while it changes the router.
func (t *tool) step(message string) { _ = t.progress("%s", message) }

// progress prints a remark of a verb that changes something: on the output
// that the plan goes to, as a line of its own.
func (t *tool) progress(format string, args ...any) error {
	message := fmt.Sprintf(format, args...)
	if t.json {
		return view.ProgressJSON(t.Out, message)
	}
	return view.Progress(t.Out, message, t.style(t.Out))
}
