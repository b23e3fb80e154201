package cli

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/netpol/netpol/lang"
)

// sharedFlags are flags that more than one verb takes.
type sharedFlags struct {
	stateDir string
	runDir   string
	etcDir   string
	policy   string
	vars     []string
	varFiles []string

	lockTimeout time.Duration
}

// Defaults that netpol and netpold agree on.
const (
	defaultStateDir = "/var/lib/netpol"
	defaultRunDir   = "/run/netpol"
	defaultEtcDir   = "/etc"
)

func (t *tool) addStateFlag(cmd *cobra.Command) {
	cmd.Flags().StringVar(&t.flags.stateDir, "state-dir", defaultStateDir, "`directory` of the applied bundle; the same as netpold's")
	markDir(cmd, "state-dir")
}

func (t *tool) addRunFlag(cmd *cobra.Command) {
	cmd.Flags().StringVar(&t.flags.runDir, "run-dir", defaultRunDir, "`directory` of netpold's control socket")
	markDir(cmd, "run-dir")
}

func (t *tool) addEtcFlag(cmd *cobra.Command) {
	cmd.Flags().StringVar(&t.flags.etcDir, "etc-dir", defaultEtcDir, "`directory` of connlabel.conf and xtables/connlabel.conf")
	markDir(cmd, "etc-dir")
}

// addPlaceFlags adds the directories that say which netpold is meant. Every verb
// that has to do with one takes both, so that the same flags serve them all.
func (t *tool) addPlaceFlags(cmd *cobra.Command) {
	t.addStateFlag(cmd)
	t.addRunFlag(cmd)
}

// addRouterFlags adds what every verb takes that reads or changes the router.
func (t *tool) addRouterFlags(cmd *cobra.Command) {
	t.addPlaceFlags(cmd)
	t.addEtcFlag(cmd)
}

// addPolicyFlags adds what every verb takes that compiles policies.
func (t *tool) addPolicyFlags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&t.flags.policy, "policy", "", "`directory` of the policy files (*.netpol.hcl)")
	markDir(cmd, "policy")
	t.addVarFlag(cmd)
}

func (t *tool) addVarFlag(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&t.flags.vars, "var", nil, "set a variable of the policy set, as `name=value`; may be repeated")
	cmd.Flags().StringArrayVar(&t.flags.varFiles, "var-file", nil, "`file` of variable values, lines of name = value; may be repeated, and --var counts more")
}

func (t *tool) addJSONFlag(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&t.json, "json", false, "print JSON for machines instead of text")
}

// markDir makes shells complete directories for a flag that was just added.
func markDir(cmd *cobra.Command, flag string) {
	if err := cmd.MarkFlagDirname(flag); err != nil {
		panic(err) // the flag does not exist: a mistake in this package
	}
}

// policyDir is the policy directory that the user named, as --policy or as
// the positional argument; the working directory otherwise.
func (t *tool) policyDir(args []string) (string, error) {
	if len(args) > 0 && t.flags.policy != "" {
		return "", errors.New("give the policy directory once: as an argument or with --policy")
	}
	if len(args) > 0 {
		return args[0], nil
	}
	if t.flags.policy != "" {
		return t.flags.policy, nil
	}
	return ".", nil
}

// variables reads the --var and --var-file flags.
func (t *tool) variables() (lang.Options, error) {
	opts := lang.Options{Vars: make(map[string]string, len(t.flags.vars))}
	for _, v := range t.flags.vars {
		name, value, ok := strings.Cut(v, "=")
		if !ok || name == "" {
			return opts, fmt.Errorf("--var %q: write it as name=value", v)
		}
		opts.Vars[name] = value
	}
	for _, name := range t.flags.varFiles {
		// Diagnostics name files of the policy directory from there, others in full.
		full, err := filepath.Abs(name)
		if err != nil {
			return opts, fmt.Errorf("--var-file %q: %w", name, err)
		}
		f, err := lang.ReadVarFile(full)
		if err != nil {
			return opts, fmt.Errorf("--var-file: %w", err)
		}
		opts.VarFiles = append(opts.VarFiles, f)
	}
	return opts, nil
}

// completeDirs is for verbs whose argument is the policy directory.
func completeDirs(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveFilterDirs
}
