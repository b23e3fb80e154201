package cli

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/netpol/netpol/cmd/netpol/internal/view"
)

var errNotApproved = errors.New("not approved: nothing was changed")

// canAsk reports whether there is somebody to ask.
func (t *tool) canAsk() bool { return !t.json && isTerminal(t.In) }

// ask wants the word yes from the person at the terminal.
func (t *tool) ask(question string) error {
	if !t.canAsk() {
		return errNoTerminal
	}
	if err := view.Question(t.Out, question, t.style(t.Out)); err != nil {
		return err
	}
	answer, err := bufio.NewReader(t.In).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("read answer: %w", err)
	}
	if strings.TrimSpace(answer) != "yes" {
		return errNotApproved
	}
	return nil
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
