package faults

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"text/tabwriter"

	"github.com/netpol/netpol/cmd/netpol/internal/cli"
	"github.com/netpol/netpol/cmd/netpold/daemon"
)

// fault is a row of the table: what is done, what is to come of it, and who
// does it.
type fault struct {
	row    string // of the list of faults, with a letter where it has several
	inject string
	expect string
	run    func(*trial)
}

// faults are the rows, in order.
func faults() []fault {
	return []fault{
		{"1", "kill -9 apply at random moments", "the old policies or the new ones, whole", killedAtRandom},
		{"2", "kill -9 apply at each netlink call", "as 1", killedAtSystemCalls},
		{"3", "fsync, rename, write, unlink, chmod, mkdir killed or failed with ENOSPC and EIO", "the old state can be read; an apply that fails says so", failingFiles},
		{"4", "two applies at once", "one wins; the other names its process, command, user and since when", twoApplies},
		{"5", "a rule of somebody else between plan and apply", "stale plan, nothing is written", stalePlan},
		{"6a", "`nft flush ruleset`, netpold alive", "healed within 2 s, culprit named", flushedAlive},
		{"6b", "the same, and a rule of another's, with `table_owner`", "the table is untouched", flushedOwned},
		{"7", "`nft flush ruleset`, netpold dead, then started", "restored within 1 s of the start, told", flushedDead},
		{"8a", "`iptables-nft -F` and `-X` in every table", "netpol's table is untouched", iptablesFlushed},
		{"8b", "`ipset flush`, `ipset destroy`, `nft flush set`, `nft delete set` of sets that netpold fills", "noticed, told, filled again", setsEmptied},
		{"8c", "`conntrack -D` of one flow, `conntrack -F`", "labels and elements back with the flow's next packet, elements of silent flows gone", forgottenByConntrack},
		{"9", "kill -9 netpold under load", "nothing is lost, labels act, netpold takes up its work", killedUnderLoad},
		{"10a", "kill -9 netpold while first packets wait for it (`hold`), failing open", "at most the packets that waited are lost", heldOpenKilled},
		{"10b", "the same, failing closed", "new connections blocked, decided ones pass", heldClosedKilled},
		{"11a", "SIGSTOP netpold under load", "nothing is lost, what came meanwhile is named afterwards", stopped},
		{"11b", "SIGSTOP netpold under a supervisor's watchdog", "noticed in its time, started anew", supervised},
		{"11c", "SIGSTOP netpold while first packets wait for it", "open: at most the packets that wait are stuck; closed: new connections blocked", heldStopped},
		{"16", "conntrack's table made small and flooded", "netpold lives; counted, told once", tableOfConnectionsFull},
		{"17", "sets for 4 elements and more flows", "counted, told once, other effects act", setsFull},
		{"18", "interface renamed, deleted and made again, flapping", "rules match by name, plan tells of one that is not there, capture goes on within 1 s", links},
		{"19", "a flow older than the first rule that sets a label", "ENOSPC counted, done mark set without the label", olderThanLabels},
		{"20", "a label removed, its line deleted from the lock, another added, 1,000 live connections", "the bit is in quarantine, no connection is taken for another", labelReplaced},
		{"21a", "the clock set back and forth", "schedules follow within 1 s, deadlines and labels stay", clockSet},
		{"21b", "programs in a time namespace with other uptimes", "they work, deadlines are kept", otherUptime},
		{"22", "state directory full or read-only", "netpold up and degraded, apply refused", noRoom},
		{"23a", "one byte changed in bundle, record, journal, deadline", "found", damaged},
		{"23b", "the deadline of an unconfirmed change damaged", "told; taken back by the process that knows it", damagedDeadline},
		{"24", "power cut within an apply", "the old policies or the new ones, whole, within 2 s", powerCut},
		{"33", "a policy drops ssh, nobody confirms, netpold or the keeper killed", "taken back by the deadline + 2 s", lockedOut},
		{"34", "CAP_NET_ADMIN missing", "refused with the reason, nothing half armed", withoutRights},
	}
}

// trial is one run of a fault.
type trial struct {
	*testing.T
	measured string // the row's figure
	cannot   string // why it cannot be run here
}

// measure gives the row its figure.
func (t *trial) measure(format string, args ...any) { t.measured = fmt.Sprintf(format, args...) }

// unable ends a fault that this machine or this run has no means for. Unlike a
// skip it is told in the table.
func (t *trial) unable(format string, args ...any) {
	t.Helper()
	t.cannot = fmt.Sprintf(format, args...)
	t.Skip(t.cannot)
}

// long asks for the long forms, which take minutes and change what the whole
// machine shares (the clock, the size of conntrack's table).
func long() bool { return os.Getenv("NETPOL_FAULTS") == "1" }

// rounds is how often something is repeated in the short and in the long form.
func rounds(short, far int) int {
	if long() {
		return far
	}
	return short
}

// TestMain makes the test binary the programs: under their names it is them.
func TestMain(m *testing.M) {
	switch filepath.Base(os.Args[0]) {
	case "netpol":
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		defer stop()
		os.Exit(cli.Run(ctx, os.Args[1:], cli.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}))
	case "netpold":
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
		defer stop()
		if err := daemon.Main(ctx, os.Args[1:]); err != nil {
			fmt.Fprintln(os.Stderr, "netpold:", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// result is a row with how it came out.
type result struct {
	fault
	verdict, figure string
}

// TestFaults runs every row and prints the table.
func TestFaults(t *testing.T) {
	list := faults()
	results := make([]result, len(list))
	t.Run("row", func(t *testing.T) {
		for i, f := range list {
			t.Run(f.row, func(t *testing.T) {
				if !long() {
					t.Parallel()
				}
				trial := &trial{T: t}
				defer func() { results[i] = trial.result(f) }()
				f.run(trial)
			})
		}
	})
	var ran []result // those that -run asked for
	for _, r := range results {
		if r.row != "" {
			ran = append(ran, r)
		}
	}
	if len(ran) > 1 || testing.Verbose() {
		printTable(os.Stdout, ran)
	}
	if path := os.Getenv("NETPOL_FAULTS_TABLE"); path != "" {
		if err := os.WriteFile(path, []byte(markdown(ran)), 0o644); err != nil {
			t.Error(err)
		}
	}
}

// result is the row's outcome, to be asked when its function ended, however.
func (t *trial) result(f fault) result {
	switch {
	case t.cannot != "":
		return result{f, "not run", t.cannot}
	case t.Skipped():
		return result{f, "not run", "see the log"}
	case t.Failed() || t.measured == "":
		return result{f, "FAIL", cmp.Or(t.measured, "see the log")}
	}
	return result{f, "ok", t.measured}
}

func printTable(w io.Writer, rows []result) {
	table := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(table, "ROW\tFAULT\tEXPECTED\tMEASURED\t")
	for _, r := range rows {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", r.row, r.inject, r.expect, r.figure, r.verdict)
	}
	table.Flush()
}

func markdown(rows []result) string {
	var b strings.Builder
	b.WriteString("| # | fault | what happens | measured |\n|---|---|---|---|\n")
	for _, r := range rows {
		figure := r.figure
		if r.verdict != "ok" {
			figure = r.verdict + ": " + figure
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", r.row, r.inject, r.expect, figure)
	}
	return b.String()
}
