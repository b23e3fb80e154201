package cli

import (
	"os/exec"
	_ "time/tzdata" // what doctor says of time zones is what netpold has, which brings its own

	"github.com/spf13/cobra"

	"github.com/netpol/netpol/cmd/netpol/internal/doctor"
	"github.com/netpol/netpol/cmd/netpol/internal/view"
	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/control"
	"github.com/netpol/netpol/enforcer/kernel/ct"
	"github.com/netpol/netpol/enforcer/kernel/probe"
	"github.com/netpol/netpol/enforcer/kernel/survey"
)

func newDoctorCommand(t *tool) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Find what keeps netpol from working on this router",
		Long: `Ask the kernel for the features that netpol needs, and look for settings, offloads
and other programs that stand against it. Each finding says what to do about it.
doctor changes nothing.

Exit codes: 0 all is well, or there are warnings only; 1 error, or something fails.`,
		Example: `  sudo netpol doctor
  sudo netpol doctor --json | jq 'select(.status != "ok")'`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return t.doctor() },
	}
	t.addRouterFlags(cmd)
	t.addJSONFlag(cmd)
	return cmd
}

func (t *tool) doctor() error {
	m := doctor.Machine{EtcDir: t.flags.etcDir, StateDir: t.flags.stateDir, Features: probe.All(), Flowtable: probe.HaveFlowtable(), Persist: probe.HavePersist(), NFT: nftVersion()}
	m.Queue, m.QueueErr = probe.HaveQueue()
	m.Found, m.FoundErr = survey.Look()
	if client, err := ct.Open(); err == nil { // without rights the counts are not told
		m.Conntrack, _ = client.TableStats()
		_ = client.Close()
	}
	live, err := t.router().Read()
	if err == nil {
		m.Bundle = live.Bundle
	}
	list := append(doctor.Examine(m), t.examineEnforcer(m)...)
	if err == nil && live.Damaged() != nil {
		list = append(list, doctor.Finding{Check: "applied bundle", Status: doctor.Fail, Detail: live.Damaged().Error(), Fix: artifact.WayOut(live.Damaged())})
	}
	if t.json {
		err = view.FindingsJSON(t.Out, list)
	} else {
		err = view.Findings(t.Out, list, t.style(t.Out))
	}
	if err == nil && doctor.Worst(list) == doctor.Fail {
		return exitError
	}
	return err
}

// examineEnforcer asks netpold how it is.
func (t *tool) examineEnforcer(m doctor.Machine) []doctor.Finding {
	f := doctor.Finding{Check: "netpold", Status: doctor.OK}
	state, err := t.enforcerState()
	runs, _ := state.Status.(control.Status) // the zero Status where it does not run
	digest := ""
	if m.Bundle != nil {
		digest = m.Bundle.Digest()
	}
	switch {
	case err != nil:
		f.Status, f.Detail, f.Fix = doctor.Fail, err.Error(), "restart netpold: systemctl restart netpold"
	case !state.Running && m.Bundle == nil:
		f.Detail = "does not run, and nothing is applied"
	case !state.Running:
		f.Status, f.Detail, f.Fix = doctor.Warn, "does not run: new connections get what the kernel decides alone", "systemctl enable --now netpold"
	case digest != "" && runs.Digest != digest:
		f.Status, f.Detail, f.Fix = doctor.Fail, "runs another bundle than the one that is applied", "systemctl reload netpold; give netpol and netpold the same --state-dir"
	default:
		f.Detail = "runs"
	}
	list := []doctor.Finding{f}
	for _, r := range runs.Degraded {
		list = append(list, doctor.Finding{Check: "netpold: " + r.Code, Status: doctor.Warn, Detail: r.Detail, Fix: r.WayOut})
	}
	return list
}

// nftVersion is what the nft of this machine calls itself; empty without one.
func nftVersion() string {
	out, err := exec.Command("nft", "--version").Output()
	if err != nil {
		return ""
	}
	return string(out)
}
