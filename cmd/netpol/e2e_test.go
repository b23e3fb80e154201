package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/netpol/netpol/enforcer/kernel/kerneltest"
)

const zoomPolicy = `policy "prioritize-zoom" {
  criteria = "app == 'zoom'"
  label    = "zoom"
  dscp     = "cs5"
}
`

// site is one router of the tests: a namespace, its directories and the
// programs to run there.
type site struct {
	t        *testing.T
	ns       *kerneltest.NS
	dir      string // holds bin, policies, state, run and etc
	policies string
}

// newSite makes a router with foreign things on it, which must be there in the
// end as they are now.
func newSite(t *testing.T, ns *kerneltest.NS) *site {
	t.Helper()
	s := &site{t: t, ns: ns, dir: t.TempDir()}
	s.policies = filepath.Join(s.dir, "policies")
	s.installTool()
	s.write("policies/zoom.netpol.hcl", zoomPolicy)
	s.write("etc/connlabel.conf", "# labels of the office\n7\tcorporate\n")
	ns.Run("nft", "add table inet other; add chain inet other c { type filter hook forward priority 0; }; add rule inet other c counter accept")
	return s
}

// installTool makes this test binary the tool: under the name netpol it runs
// main (see TestMain).
func (s *site) installTool() {
	s.t.Helper()
	self, err := os.Executable()
	if err == nil {
		err = os.Mkdir(s.path("bin"), 0o755)
	}
	if err == nil {
		err = os.Link(self, s.path("bin/netpol"))
	}
	if errors.Is(err, syscall.EXDEV) {
		err = exec.Command("cp", self, s.path("bin/netpol")).Run()
	}
	if err != nil {
		s.t.Fatalf("install netpol: %v", err)
	}
}

func (s *site) path(name string) string { return filepath.Join(s.dir, name) }

func (s *site) write(name, text string) {
	s.t.Helper()
	if err := os.MkdirAll(filepath.Dir(s.path(name)), 0o755); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(s.path(name), []byte(text), 0o644); err != nil {
		s.t.Fatal(err)
	}
}

// netpol runs the tool on the router with the site's directories.
func (s *site) netpol(wantCode int, verb string, args ...string) string {
	s.t.Helper()
	return s.run(wantCode, s.line(verb, args))
}

// line is a command line with the site's directories. Unless a test asks for it,
// nothing waits to be confirmed, wherever the tests run: over ssh it would.
func (s *site) line(verb string, args []string) []string {
	line := []string{verb, "--state-dir", s.path("state"), "--run-dir", s.path("run"), "--etc-dir", s.path("etc")}
	changes := verb == "apply" || verb == "rollback" || verb == "pull"
	if changes && !slices.ContainsFunc(args, func(a string) bool { return strings.HasSuffix(a, "confirm") || a == overSSH }) {
		line = append(line, "--no-confirm")
	}
	return append(line, slices.DeleteFunc(slices.Clone(args), func(a string) bool { return a == overSSH })...)
}

// overSSH among the arguments leaves it to netpol whether a change waits.
const overSSH = "over ssh"

// ask runs a verb that only talks to netpold.
func (s *site) ask(args ...string) string {
	s.t.Helper()
	return s.run(0, append(args, "--run-dir", s.path("run")))
}

func (s *site) run(wantCode int, args []string) string {
	s.t.Helper()
	cmd := exec.Command(s.path("bin/netpol"), args...)
	var out []byte
	var err error
	s.ns.Do(func() { out, err = cmd.CombinedOutput() })
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		s.t.Fatalf("netpol %s: %v", strings.Join(args, " "), err)
	}
	if code := cmd.ProcessState.ExitCode(); code != wantCode {
		s.t.Fatalf("netpol %s: exit code %d, want %d\n%s", strings.Join(args, " "), code, wantCode, out)
	}
	return string(out)
}

// wantText fails unless the output holds every one of the texts.
func (s *site) wantText(out string, texts ...string) {
	s.t.Helper()
	for _, text := range texts {
		if !strings.Contains(out, text) {
			s.t.Errorf("output lacks %q:\n%s", text, out)
		}
	}
}

// picture is everything on the router that a stranger owns or could see.
func (s *site) picture() string {
	s.t.Helper()
	var b strings.Builder
	b.WriteString(s.ns.Run("nft", "-a", "list", "ruleset"))
	err := filepath.Walk(s.dir, func(path string, info os.FileInfo, err error) error {
		if err != nil || strings.HasPrefix(path, s.path("bin")) {
			return err
		}
		b.WriteString(path + " " + info.Mode().String() + "\n")
		if info.Mode().IsRegular() {
			data, err := os.ReadFile(path)
			b.Write(data)
			return err
		}
		return nil
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return b.String()
}

func TestPlanApplyDestroy(t *testing.T) {
	s := newSite(t, kerneltest.NewNS(t))
	before := s.picture()

	out := s.netpol(2, "plan", "--detailed-exitcode", s.policies)
	s.wantText(out, "+ label", "bit 0 (will be pinned in netpol.lock.hcl)", "+ rule", "dscp4/zoom", " to add, 0 to change, 0 to destroy.")
	out = s.netpol(1, "apply", s.policies)
	s.wantText(out, "--auto-approve")
	if after := s.picture(); after != before {
		t.Fatalf("plan, or an apply that was refused, changed something:\n%s", after)
	}

	out = s.netpol(0, "apply", "--auto-approve", s.policies)
	s.wantText(out, "Apply complete! Resources: ", "netpold does not run")
	applied := s.picture()
	s.wantText(applied, "7\tcorporate\n", "zoom", "table inet other", "ct label set", "netpol.lock.hcl", "bundle.npb")

	out = s.netpol(0, "apply", "--auto-approve", s.policies)
	s.wantText(out, "No changes. The router matches the policy.")
	s.netpol(0, "plan", "--detailed-exitcode", s.policies)
	if after := s.picture(); after != applied {
		t.Errorf("a second apply changed something:\n%s\nbefore:\n%s", after, applied)
	}
	s.wantText(s.netpol(0, "show"), "prioritize-zoom", "ct mark & 0x40000000 == 0x0 ct label zoom jump np_dscp_l1", "np_dscp_l1 ", "ip dscp set cs5", "netpold does not run")

	s.wantText(s.netpol(0, "destroy", "--auto-approve"), "Destroy complete!")
	s.take("policies/netpol.lock.hcl") // the policies' own, which destroy leaves
	if after := s.picture(); after != before {
		t.Errorf("destroy left a trace:\n%s\nbefore:\n%s", after, before)
	}
	s.wantText(s.netpol(0, "destroy"), "There is nothing of netpol on this router.")
}

func TestPlanShowsDriftAndApplyRepairsIt(t *testing.T) {
	s := newSite(t, kerneltest.NewNS(t))
	s.netpol(0, "apply", "--auto-approve", s.policies)

	s.ns.Run("nft", "flush chain inet netpol np_dscp")
	s.ns.Run("nft", "add rule inet netpol np_dscp counter drop")
	s.write("etc/xtables/connlabel.conf", "9 theirs\n")
	out := s.netpol(2, "plan", "--detailed-exitcode", s.policies)
	s.wantText(out, "+ rule  np_dscp np_dscp_l1     ct mark & 0x40000000 == 0x0 ct label zoom jump", "- rule  np_dscp without an id", "+ file ")

	s.netpol(0, "apply", "--auto-approve", s.policies)
	s.netpol(0, "plan", "--detailed-exitcode", s.policies)
	s.wantText(s.picture(), "9 theirs\n")

	// The right rules in the wrong order are drift too.
	handle := ruleHandle(t, s.ns.Run("nft", "-a", "list", "chain", "inet", "netpol", "np_capture_pre_open"), "capture-pre/loopback")
	s.ns.Run("nft", "delete", "rule", "inet", "netpol", "np_capture_pre_open", "handle", handle)
	s.ns.Run("nft", "add", "rule", "inet", "netpol", "np_capture_pre_open", `iifname "lo" return comment "capture-pre/loopback the router talking to itself"`)
	out = s.netpol(2, "plan", "--detailed-exitcode", s.policies)
	s.wantText(out, "~ chain  np_capture_pre_open", "0 to add, 1 to change, 0 to destroy")
}

// ruleHandle finds the handle of the rule with the comment in nft's listing.
func ruleHandle(t *testing.T, listing, comment string) string {
	t.Helper()
	for line := range strings.Lines(listing) {
		if _, handle, ok := strings.Cut(line, "# handle "); ok && strings.Contains(line, comment) {
			return strings.TrimSpace(handle)
		}
	}
	t.Fatalf("no rule with comment %q in\n%s", comment, listing)
	return ""
}

// take reads a file and removes it.
func (s *site) take(name string) []byte {
	s.t.Helper()
	data, err := os.ReadFile(s.path(name))
	if err == nil {
		err = os.Remove(s.path(name))
	}
	if err != nil {
		s.t.Fatal(err)
	}
	return data
}

func TestSavedPlanIsForTheRouterItWasMadeOn(t *testing.T) {
	s := newSite(t, kerneltest.NewNS(t))
	plan := s.path("router.np")
	before := s.picture()
	s.wantText(s.netpol(0, "plan", "--out", plan, s.policies), "netpol apply "+plan)
	data := s.take("router.np")
	if after := s.picture(); after != before {
		t.Fatalf("plan --out wrote more than the plan:\n%s", after)
	}

	// Damage is found before anything is touched.
	s.write("router.np", string(data[:len(data)/2]))
	s.wantText(s.netpol(1, "apply", plan), "not a plan file")
	s.write("router.np", string(data))

	// A router that moved is not the one that was reviewed.
	s.ns.Run("nft", "add table inet netpol")
	moved := s.picture()
	s.wantText(s.netpol(1, "apply", "--auto-approve", plan), "stale plan")
	if after := s.picture(); after != moved {
		t.Errorf("a refused plan changed something:\n%s", after)
	}
	s.ns.Run("nft", "delete table inet netpol")

	// Nor is a lock file that gained a label since.
	s.write("policies/netpol.lock.hcl", "label \"other\" {\n  bit = 0\n}\n")
	s.wantText(s.netpol(1, "apply", plan), "stale plan: the lock file")
	s.take("policies/netpol.lock.hcl")

	// As it was: apply needs no question, and does exactly that.
	s.wantText(s.netpol(0, "apply", plan), "Apply complete!")
	s.netpol(0, "plan", "--detailed-exitcode", s.policies)
	s.wantText(s.netpol(1, "apply", plan), "stale plan")

	// A router that went on and came back is another one, although it looks the same.
	s.write("policies/games.netpol.hcl", gamesPolicy)
	s.netpol(0, "plan", "--out", plan, s.policies)
	s.netpol(0, "apply", "--auto-approve", s.policies)
	s.netpol(0, "rollback", "--auto-approve")
	s.take("policies/netpol.lock.hcl")
	s.wantText(s.netpol(1, "apply", plan), "stale plan", "made on revision 1, and revision 3 is in force")
}

func TestApplyLeavesNothingOfAFaultySet(t *testing.T) {
	s := newSite(t, kerneltest.NewNS(t))
	s.write("policies/zoom.netpol.hcl", "policy \"z\" {\n  criteria = \"app == 'zom'\"\n  label = \"zoom\"\n}\n")
	before := s.picture()
	s.wantText(s.netpol(1, "apply", "--auto-approve", s.policies), "error[NP0012]: Unknown application", "Did you mean 'zoom'?")
	// A label of the lock file that somebody else has taken meanwhile.
	s.write("policies/zoom.netpol.hcl", zoomPolicy)
	s.write("policies/netpol.lock.hcl", "label \"zoom\" {\n  bit = 7\n}\n")
	s.wantText(s.netpol(1, "apply", "--auto-approve", s.policies), "corporate")
	s.take("policies/netpol.lock.hcl")
	s.write("policies/zoom.netpol.hcl", "policy \"z\" {\n  criteria = \"app == 'zom'\"\n  label = \"zoom\"\n}\n")
	if after := s.picture(); after != before {
		t.Errorf("a faulty set changed something:\n%s", after)
	}
}

func TestPlanWithoutPrivileges(t *testing.T) {
	s := newSite(t, kerneltest.NewNS(t))
	if err := os.Chmod(filepath.Dir(s.dir), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(s.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", s.path("bin/netpol"), "plan", s.policies)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	var err error
	s.ns.Do(func() { err = cmd.Run() })
	if err == nil || !strings.Contains(out.String(), "CAP_NET_ADMIN") {
		t.Errorf("got %v and %q, want a failure that names CAP_NET_ADMIN", err, out.String())
	}
}
