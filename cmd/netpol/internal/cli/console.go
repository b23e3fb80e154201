package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/netpol/netpol/cmd/netpol/internal/console"
	"github.com/netpol/netpol/cmd/netpol/internal/outcome"
	"github.com/netpol/netpol/cmd/netpol/internal/policytest"
	"github.com/netpol/netpol/cmd/netpol/internal/view"
	"github.com/netpol/netpol/lang"
	"github.com/netpol/netpol/policies"
)

const consoleLong = `Type expressions of criteria and see what they mean: the type, and on which sample
flows they hold, with the terms that do not. The samples are built in, or the flows of
captures given with --pcap. With a policy directory (default: the working directory, if
it holds policies) its address groups, applications and schedules may be used.

Packets are sent on a Monday's noon; :time says another time, and :set total_bytes 20MB
what the flows have had so far. :help lists what else can be typed; the tab key completes attributes, applications and
groups. From a pipe, each line is answered in turn.

Exit codes: 0, or 1 if a line read from a pipe was faulty.`

func newConsoleCommand(t *tool) *cobra.Command {
	var captures []string
	cmd := &cobra.Command{
		Use:   "console [POLICIES]",
		Short: "Try expressions on sample flows",
		Long:  consoleLong,
		Example: `  netpol console
  netpol console --pcap call.pcap /etc/netpol
  echo "app == 'zoom' && dst_port > 1024" | netpol console`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: completeDirs,
		RunE: func(cmd *cobra.Command, args []string) error {
			dir, err := t.policyDir(args)
			if err != nil {
				return err
			}
			if len(args) == 0 && t.flags.policy == "" && !hasPolicies(dir) {
				dir = ""
			}
			s, err := t.consoleSession(cmd.Context(), dir, captures)
			if err != nil {
				return err
			}
			return t.console(s)
		},
	}
	cmd.Flags().StringArrayVar(&captures, "pcap", nil, "try on the flows of this capture `file`; may be repeated")
	if err := cmd.MarkFlagFilename("pcap", "pcap", "pcapng", "cap"); err != nil {
		panic(err) // the flag is one line above
	}
	t.addPolicyFlags(cmd)
	return cmd
}

func hasPolicies(dir string) bool {
	names, err := filepath.Glob(filepath.Join(dir, "*"+lang.PolicySuffix))
	return err == nil && len(names) > 0
}

// consoleSession compiles the surroundings, empty ones without a directory,
// and collects the samples.
func (t *tool) consoleSession(ctx context.Context, dir string, captures []string) (*console.Session, error) {
	catalogue, err := policies.Catalogue()
	if err != nil {
		return nil, fmt.Errorf("read catalogue: %w", err)
	}
	s := &console.Session{Catalogue: catalogue}
	if dir != "" {
		set, err := t.mustCompile(dir, foreign{})
		if err != nil {
			return nil, err
		}
		s.Policy, s.Bundle = set.policy, set.bundle
	} else {
		s.Policy, _ = lang.Parse(nil, lang.Options{})
		if s.Bundle, err = t.replayBundle(); err != nil {
			return nil, err
		}
	}
	if len(captures) == 0 {
		s.Samples, err = console.Builtin(s.Bundle)
		return s, err
	}
	e, err := outcome.New(s.Bundle, outcome.Lower(s.Policy, catalogue))
	if err != nil {
		return nil, err
	}
	flows, err := policytest.Replay(ctx, e, captures...)
	for i := range flows {
		s.Samples = append(s.Samples, console.Sample{Name: string(flows[i].Record.AppendText(nil)), Facts: flows[i].Facts})
	}
	return s, err
}

// console reads lines until the input ends.
func (t *tool) console(s *console.Session) error {
	if isTerminal(t.In) && isTerminal(t.Out) {
		return t.consoleTerminal(s)
	}
	in := bufio.NewScanner(t.In)
	in.Buffer(nil, lang.MaxCriteriaBytes*2)
	faulty := false
	for in.Scan() {
		r, err := t.consoleAnswer(t.Out, s, in.Text(), view.Style{})
		if err != nil {
			return err
		}
		if r.Quit {
			break
		}
		faulty = faulty || r.Faulty()
	}
	if err := in.Err(); err != nil {
		return fmt.Errorf("read expressions: %w", err)
	}
	if faulty {
		return exitError
	}
	return nil
}

func (t *tool) consoleAnswer(w io.Writer, s *console.Session, line string, st view.Style) (*console.Reply, error) {
	r, err := s.Answer(line)
	if err != nil {
		return nil, err
	}
	if len(r.Diagnostics) > 0 {
		source := func(string) []byte { return []byte(line) }
		if err := view.Diagnostics(w, r.Diagnostics, source, st); err != nil {
			return nil, err
		}
	}
	return r, view.ConsoleReply(w, r, st)
}

// consoleTerminal is console with a prompt, a history and completion.
func (t *tool) consoleTerminal(s *console.Session) (err error) {
	fd := int(t.In.Fd())
	state, err := term.MakeRaw(fd)
	if err != nil {
		return fmt.Errorf("prepare terminal: %w", err)
	}
	defer func() { err = errors.Join(err, term.Restore(fd, state)) }()
	terminal := term.NewTerminal(struct {
		io.Reader
		io.Writer
	}{t.In, t.Out}, "> ")
	if out, ok := t.Out.(*os.File); ok {
		if width, height, err := term.GetSize(int(out.Fd())); err == nil {
			_ = terminal.SetSize(width, height) // of use for long lines only
		}
	}
	terminal.AutoCompleteCallback = func(line string, pos int, key rune) (string, int, bool) {
		if key != '\t' {
			return line, pos, false
		}
		return s.Complete(line, pos)
	}
	fmt.Fprintln(terminal, "An expression, an attribute, or :help.")
	for {
		line, err := terminal.ReadLine()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read expressions: %w", err)
		}
		r, err := t.consoleAnswer(terminal, s, line, t.style(t.Out))
		if err != nil || r.Quit {
			return err
		}
	}
}
