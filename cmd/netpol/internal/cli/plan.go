package cli

import (
	"fmt"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/netpol/netpol/cmd/netpol/internal/planfile"
	"github.com/netpol/netpol/cmd/netpol/internal/router"
	"github.com/netpol/netpol/cmd/netpol/internal/view"
	"github.com/netpol/netpol/compiler"
	"github.com/netpol/netpol/enforcer/reconcile"
	"github.com/netpol/netpol/lang/diag"
)

type planArgs struct {
	dir              string
	out              string
	detailedExitCode bool
	refreshOnly      bool
}

// planned is a compiled policy set held against the live router.
type planned struct {
	set     *policySet
	live    *router.Live
	changes []reconcile.Change
	pins    lockUpdate
	// bits are those of live connections where they matter, and retired those that
	// the lock alone still names; empty for a plan that was saved.
	bits    router.LabelBits
	retired [16]byte
}

func newPlanCommand(t *tool) *cobra.Command {
	var a planArgs
	cmd := &cobra.Command{
		Use:   "plan [POLICIES]",
		Short: "Show what apply would change on this router",
		Long: `Compare a policy directory (default: the working directory) with what this router
runs, and show the difference: + is made, ~ is changed, - is removed.

What somebody else changed since the last apply is listed as drift, with the process
that did it where netpold has seen it. With --refresh-only drift is all that is
looked for, and the policy files are not read. A netpold that enforces another bundle
than the one applied is told of, and counts as a change.

plan writes nothing, except the plan itself with --out. It reads the kernel's
tables, so it needs CAP_NET_ADMIN in the router's network namespace.

Exit codes: 0 planned, 1 error. With --detailed-exitcode: 0 there is nothing to
change, 1 error, 2 there are changes.`,
		Example: `  sudo netpol plan
  sudo netpol plan --out router.np /etc/netpol && sudo netpol apply router.np
  sudo netpol plan --refresh-only --detailed-exitcode
  sudo netpol plan --detailed-exitcode >/dev/null || echo drift or error`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: completeDirs,
		RunE: func(_ *cobra.Command, args []string) error {
			var err error
			if a.refreshOnly {
				return t.refreshOnly(a, args)
			}
			if a.dir, err = t.policyDir(args); err != nil {
				return err
			}
			return t.runPlan(a)
		},
	}
	cmd.Flags().StringVar(&a.out, "out", "", "save the plan in this `file`, for apply")
	cmd.Flags().BoolVar(&a.detailedExitCode, "detailed-exitcode", false, "exit with 2 when there are changes")
	cmd.Flags().BoolVar(&a.refreshOnly, "refresh-only", false, "compare the router with what was applied, not with the policy files")
	t.addPolicyFlags(cmd)
	t.addRouterFlags(cmd)
	t.addJSONFlag(cmd)
	return cmd
}

func (t *tool) router() router.Router {
	return router.Router{StateDir: t.flags.stateDir, RunDir: t.flags.runDir, EtcDir: t.flags.etcDir}
}

func (t *tool) runPlan(a planArgs) error {
	p, err := t.plan(a.dir)
	if err != nil {
		return err
	}
	if err := t.showDrift(p.live); err != nil {
		return err
	}
	if err := t.showPlan(p); err != nil {
		return err
	}
	behind, err := t.showStanding(p.live)
	if err != nil {
		return err
	}
	if a.out != "" {
		if err := p.save(t.router(), a.out); err != nil {
			return err
		}
		if err := t.progress("Saved the plan in %s. To do exactly this: netpol apply %s", a.out, a.out); err != nil {
			return err
		}
	}
	if a.detailedExitCode && (behind || len(p.changes) > 0) {
		return exitChanges
	}
	return nil
}

// plan compiles a directory and compares it with the router.
func (t *tool) plan(dir string) (*planned, error) {
	others, err := foreignLabels(t.flags.etcDir)
	if err != nil {
		return nil, err
	}
	set, err := t.mustCompile(dir, others)
	if err != nil {
		return nil, err
	}
	r := t.router()
	live, err := r.Read()
	if err != nil {
		return nil, err
	}
	bits, err := set.labelBits(live)
	if err != nil {
		return nil, err
	}
	others.router = compiler.Router{Applied: bits.Applied, Held: bits.Held}
	if set.disturbs(others.router) {
		if set, err = t.compileDir(dir, others); err != nil {
			return nil, err
		}
		if set.diags.HasErrors() {
			return nil, t.report(slices.DeleteFunc(set.diags, func(d diag.Diagnostic) bool { return d.Severity != diag.Error }), set.source)
		}
	}
	p := &planned{set: set, live: live, changes: r.Diff(live, set.bundle), bits: bits, retired: set.retired(others)}
	// What kernels differ in is asked before anybody approves of it.
	if len(p.changes) > 0 && len(set.bundle.Ruleset.Flowtables) > 0 {
		if err := router.Check(set.bundle); err != nil {
			return nil, err
		}
	}
	p.pins, err = set.lockUpdate(others.router)
	return p, err
}

func (t *tool) showPlan(p *planned) error {
	if err := t.warnInterfaces(p.set.bundle); err != nil {
		return err
	}
	if err := t.warnSinks(p.set.bundle); err != nil {
		return err
	}
	if t.json {
		return view.PlanJSON(t.Out, p.changes, p.set.bundle.Digest())
	}
	return view.Plan(t.Out, p.changes, p.notes(), t.style(t.Out))
}

// save writes the plan for a later apply.
func (p *planned) save(r router.Router, name string) error {
	path, err := filepath.Abs(p.pins.path)
	if err != nil {
		return fmt.Errorf("save plan: %w", err)
	}
	now, _ := r.Current(p.live) // 0 where nothing is in force
	data, err := planfile.Encode(planfile.Plan{
		Live: p.live.Digest(), Revision: now.Serial, Bundle: p.set.bundle,
		LockPath: path, LockBefore: p.pins.beforeDigest(), LockAfter: string(p.pins.after),
	})
	if err != nil {
		return err
	}
	return writeFile(name, data)
}
