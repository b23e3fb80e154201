package cli

import (
	"errors"
	"os"
	"strings"

	"github.com/netpol/netpol/cmd/netpol/internal/router"
	"github.com/netpol/netpol/cmd/netpol/internal/view"
	"github.com/netpol/netpol/compiler/artifact"
)

// accounting is whether conntrack counts packets and bytes, of this network
// namespace.
const accounting = "/proc/sys/net/netfilter/nf_conntrack_acct"

// showStanding tells of what stands against the applied bundle outside of what
// a plan compares: a netpold that enforces another one, and a kernel that was
// told to count no longer. behind says that apply has something to do about it.
func (t *tool) showStanding(live *router.Live) (behind bool, err error) {
	if live.Bundle == nil || !artifact.NeedEnforcer(live.Bundle.Policies, live.Bundle.Sinks) {
		return false, nil
	}
	// The rules that count first packets switch it on as they are loaded; whoever
	// switches it off later is not asked again.
	if value, err := os.ReadFile(accounting); err == nil && strings.TrimSpace(string(value)) == "0" {
		if err := t.progress("net.netfilter.nf_conntrack_acct is 0: the kernel counts no packets of new connections, so netpold is shown all of them, and bytes, packets and rates are 0: sysctl -w net.netfilter.nf_conntrack_acct=1"); err != nil {
			return false, err
		}
	}
	client, err := t.dial()
	if err != nil {
		return false, nil // show and doctor tell of a netpold that does not run
	}
	defer client.Close()
	status, err := client.Within(statusLimit).Status()
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return false, t.progress("netpold listens on %s and has not answered for %s, and new connections are not named: netpol status", t.router().SocketPath(), statusLimit)
	}
	if err != nil || status.Waiting || status.Digest == live.Bundle.Digest() {
		return false, nil
	}
	return true, t.progress("netpold enforces bundle %s, and %s is applied: netpol apply has it go over, unless it has another --state-dir",
		view.ShortDigest(status.Digest), view.ShortDigest(live.Bundle.Digest()))
}
