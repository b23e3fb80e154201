package doctor

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/kernel/ct"
	"github.com/netpol/netpol/enforcer/kernel/nft"
	"github.com/netpol/netpol/enforcer/kernel/probe"
	"github.com/netpol/netpol/enforcer/kernel/survey"
)

// Status is how a check came out.
type Status string

// Statuses.
const (
	OK   Status = "ok"
	Warn Status = "warn" // netpol works, but not as one may think
	Fail Status = "fail" // netpol cannot do its work
)

// Finding is the outcome of one check.
type Finding struct {
	Check  string `json:"check"`
	Status Status `json:"status"`
	Detail string `json:"detail"`
	Fix    string `json:"fix,omitempty"` // what to do; empty where all is well
}

// Machine is what is examined.
type Machine struct {
	// Root stands before every path that is read; "" is the machine itself.
	Root string
	// EtcDir and StateDir are netpol's, without Root.
	EtcDir, StateDir string
	// Bundle is what is applied; nil when nothing is.
	Bundle *artifact.Bundle
	// Features are the kernel's answers, Found is what others have there, and
	// FoundErr why that could not be read.
	Features []probe.Result
	// Conntrack are the kernel's counts of its table of connections; zero where it
	// does not tell.
	Conntrack ct.TableStats
	// NFT is what "nft --version" says; empty where it is not installed.
	NFT string
	// Persist is why the kernel has no tables that outlive their owner; nil if it
	// has.
	Persist error
	// Flowtable is why the kernel cannot offload connections; nil if it can.
	Flowtable error
	// Queue is how the kernel holds packets, and QueueErr why it cannot.
	Queue    nft.QueueForm
	QueueErr error
	Found    survey.Found
	FoundErr error
}

// Examine runs every check, in the order in which people read them.
func Examine(m Machine) []Finding {
	checks := []func(Machine) []Finding{
		features, flowtables, queues, tableOwner, capabilities, settings, conntrackRoom, offloads, untracking, inspectors,
		labelFiles, marks, clock, StateDir, legacyTables, inputs, localNetworks,
	}
	var list []Finding
	for _, check := range checks {
		list = append(list, check(m)...)
	}
	return list
}

// Worst is the worst of all statuses.
func Worst(list []Finding) Status {
	worst := OK
	for _, f := range list {
		if f.Status == Fail || f.Status == Warn && worst == OK {
			worst = f.Status
		}
	}
	return worst
}

// read is a small file below the root; empty if it cannot be read.
func (m Machine) read(path string) string {
	data, err := os.ReadFile(filepath.Join(m.Root, path))
	if err != nil {
		return ""
	}
	return string(data)
}

func (m Machine) exists(path string) bool {
	_, err := os.Stat(filepath.Join(m.Root, path))
	return err == nil
}

// processes are the names of running programs.
func (m Machine) processes() []string {
	files, _ := filepath.Glob(filepath.Join(m.Root, "/proc/[0-9]*/comm")) // the pattern is well formed
	var names []string
	for _, file := range files {
		data, err := os.ReadFile(file)
		if name := strings.TrimSpace(string(data)); err == nil && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// modules are the names of loaded kernel modules.
func (m Machine) modules() []string {
	var names []string
	for line := range strings.Lines(m.read("/proc/modules")) {
		name, _, _ := strings.Cut(line, " ")
		names = append(names, name)
	}
	return names
}

// ownMasks are the bits of the conntrack mark that the bundle writes, and those of
// the packet mark.
func (m Machine) ownMasks() (connection, packet uint32) {
	connection = 0x80000000 // the done mark, unless set otherwise
	if m.Bundle == nil {
		return connection, 0
	}
	connection = m.Bundle.Settings.OwnMark()
	for _, p := range m.Bundle.Policies {
		if p.Mark != nil {
			connection |= p.Mark.Mask
		}
	}
	for _, r := range m.Bundle.Routes {
		packet |= r.Mask
	}
	if m.Bundle.Settings.HoldPackets > 0 {
		packet |= m.Bundle.Settings.HeldMark().Mask()
	}
	return connection, packet
}

func good(check, format string, args ...any) []Finding {
	return []Finding{{Check: check, Status: OK, Detail: fmt.Sprintf(format, args...)}}
}
