package cli

import (
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/term"

	"github.com/netpol/netpol/cmd/netpol/internal/release"
	"github.com/netpol/netpol/cmd/netpol/internal/source"
	"github.com/netpol/netpol/cmd/netpol/internal/view"
	"github.com/netpol/netpol/lang/diag"
)

// Streams are the standard streams of one run.
type Streams struct {
	In  *os.File
	Out io.Writer
	Err io.Writer
}

// tool is what the verbs share: the streams, how to print on them, and the
// flags that several verbs take.
type tool struct {
	Streams
	flags   sharedFlags
	noColor bool
	json    bool
}

// exitCode ends the run with a code when everything that had to be said has
// been said.
type exitCode int

// Exit codes.
const (
	exitOK      exitCode = 0
	exitError   exitCode = 1
	exitChanges exitCode = 2 // plan --detailed-exitcode only
	exitRefused exitCode = 3 // verify and pull: the release must not be used
	exitSource  exitCode = 4 // pull: there is no release to be had
)

func (c exitCode) Error() string { return fmt.Sprintf("exit code %d", int(c)) }

// style decides on colours for a stream: only on a terminal, and not against
// the user's wish (https://no-color.org).
func (t *tool) style(w io.Writer) view.Style {
	if t.noColor || os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb" {
		return view.Style{}
	}
	return view.Style{Color: isTerminal(w)}
}

func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && f != nil && term.IsTerminal(int(f.Fd()))
}

// report prints diagnostics and turns errors among them into the exit code.
// Warnings alone let the verb go on.
func (t *tool) report(list diag.List, src view.Sources) error {
	list.Sort()
	switch {
	case len(list) == 0:
		return nil
	case t.json:
		for _, d := range list {
			if err := view.DiagnosticJSON(t.Out, d); err != nil {
				return fmt.Errorf("write output: %w", err)
			}
		}
	default:
		if err := view.Diagnostics(t.Err, list, src, t.style(t.Err)); err != nil {
			return fmt.Errorf("write output: %w", err)
		}
	}
	if list.HasErrors() {
		return exitError
	}
	return nil
}

// finish prints a fault that no verb has printed yet and returns the exit
// code of the process.
func (t *tool) finish(err error) int {
	var code exitCode
	var refusal *release.Refusal
	switch {
	case err == nil:
		return int(exitOK)
	case errors.As(err, &code):
		return int(code)
	case errors.As(err, &refusal):
		if !t.json || view.RefusedJSON(t.Out, refusal.Reason, err) != nil {
			view.Error(t.Err, err, t.style(t.Err))
		}
		return int(exitRefused)
	case errors.Is(err, source.ErrFetch):
		if !t.json || view.ErrorJSON(t.Out, err) != nil {
			view.Error(t.Err, err, t.style(t.Err))
		}
		return int(exitSource)
	case t.json:
		if view.ErrorJSON(t.Out, explain(err)) == nil {
			return int(exitError)
		}
	}
	view.Error(t.Err, explain(err), t.style(t.Err))
	return int(exitError)
}

// explain adds what to do about a fault whose own text does not say it.
func explain(err error) error {
	if errors.Is(err, os.ErrPermission) && os.Geteuid() != 0 {
		return fmt.Errorf("%w\nnetpol reads and writes the kernel's tables and the files under --state-dir and --etc-dir: "+
			"run it as root (it needs CAP_NET_ADMIN), or in a namespace that you own", err)
	}
	if errors.Is(err, os.ErrPermission) {
		return fmt.Errorf("%w\nthe kernel refuses although netpol runs as root: "+
			"CAP_NET_ADMIN is missing in this container or network namespace, or the path is read-only", err)
	}
	return err
}
