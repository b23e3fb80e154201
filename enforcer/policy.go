package enforcer

import (
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/classify"
	"github.com/netpol/netpol/enforcer/dissect"
	"github.com/netpol/netpol/enforcer/program"
	"github.com/netpol/netpol/lang/fact"
)

// defaultBudget is how many packets of a flow are inspected where the bundle
// does not say.
const defaultBudget = 32

// maxBudget is what Record.Inspected can count.
const maxBudget = math.MaxUint16 / smallSegments

// policy is a bundle, loaded. It is immutable.
type policy struct {
	bundle  *artifact.Bundle
	program *program.Program
	// early is what of the program can be said of a flow by its headers alone;
	// nil when that is nothing.
	early *program.Program
	// What can be said of flows whose interface is not known, and of those that
	// were named by an earlier process.
	unplaced, unplacedEarly, unnamed *program.Blind
	classifier                       *classify.Classifier
	wants                            dissect.Wants
	budget                           int    // packets inspected of a flow
	doneMark                         uint32 // 0 when the bundle has none
	quietMark                        uint32 // likewise; of flows without any of the loud labels
	loud                             [16]byte
	gate                             int // packets of a flow that the kernel shows, at least budget
	beats                            time.Duration
	local                            []netip.Prefix
	labels                           []artifact.Label
	ownLabels                        [16]byte
	analysed                         [16]byte    // the label that goes with the done mark; empty for none
	shed                             [16]byte    // that of flows given up for lack of room, likewise
	ownMark                          uint32      // mark bits that policies write
	watch                            *watch      // nil when nothing asks for counters
	alike                            bool        // nothing asks for more than what is known of flows, without their tuples
	audits                           map[int]int // label bits of policies that are only counted and logged, by policy
	sticky                           [16]byte    // label bits that rules of the kernel's set as well
	zone                             *time.Location
	places                           *places
	counts                           bool // flows' counters are kept
	audience                         *audience
	ledger                           *ledger // nil when nothing is aggregated
}

func loadPolicy(b *artifact.Bundle) (*policy, error) {
	prog, err := program.Load(b)
	if err != nil {
		return nil, err
	}
	classifier, err := classify.New(&b.Catalogue)
	if err != nil {
		return nil, fmt.Errorf("load bundle: %w", err)
	}
	p := &policy{
		bundle: b, program: prog, classifier: classifier,
		budget:   b.Settings.InspectPacket,
		doneMark: b.Settings.DoneMark, quietMark: b.Settings.QuietMark,
		beats:  beatsOf(&b.Ruleset),
		local:  b.Settings.LocalNetworks,
		labels: b.Labels,
	}
	if p.budget <= 0 {
		p.budget = defaultBudget
	}
	p.budget = min(p.budget, maxBudget)
	p.gate = max(gateOf(&b.Ruleset), p.budget)
	p.unplaced = prog.Blind(isInterface)
	p.unnamed = prog.Blind(func(a fact.Attribute) bool {
		return isInterface(a) || isFirstPacket(a) || !a.FromHeaders() && !counted(a)
	})
	p.ownLabels, p.ownMark = prog.Own()
	p.loud = bitsOf(b.Ruleset.Loud)
	p.analysed, p.shed = bitOf(b.Labels, b.Settings.AnalysedLabel), bitOf(b.Labels, artifact.ShedLabel)
	p.watch = newWatch(&b.Program)
	p.alike = !slices.ContainsFunc(b.Program.Reads, differs)
	p.sticky = prog.Sticky()
	p.findAudits()
	if p.places, err = newPlaces(b); err != nil {
		return nil, err
	}
	if p.audience, err = newAudience(b, prog); err != nil {
		return nil, err
	}
	p.counts = p.watch != nil || p.audience.counts
	p.wants = dissect.WantsOf(slices.Concat(b.Program.Reads, b.SinkProgram.Reads))
	if p.zone, err = time.LoadLocation(b.Settings.Timezone); err != nil {
		return nil, fmt.Errorf("load bundle: time zone of the policies: %w", err)
	}
	if b := headersOnly(b); len(b.Program.Clauses) > 0 {
		if p.early, err = program.Load(b); err != nil {
			return nil, err
		}
		p.unplacedEarly = p.early.Blind(isInterface)
	}
	return p, nil
}

// bitOf is the label of a name, without a bit if there is none.
func bitOf(labels []artifact.Label, name string) (out [16]byte) {
	for _, l := range labels {
		if l.Name == name {
			out[l.Bit/8] = 1 << (l.Bit % 8)
		}
	}
	return out
}

func bitsOf(labels []int) (out [16]byte) {
	for _, bit := range labels {
		out[bit/8] |= 1 << (bit % 8)
	}
	return out
}

// differs says that an attribute is not the same of all flows of which the same is known.
func differs(name string) bool {
	a, ok := fact.Lookup(name)
	return !ok || a.OfRecord() || a.From == "compiler" || a.From == "kernel"
}

// isFirstPacket says that only a connection's first packet tells the value, and
// nothing that conntrack keeps.
func isFirstPacket(a fact.Attribute) bool {
	return a.Name == "ip_dscp" || a.Name == "vlan_id" || a.Name == "src_mac"
}

func isInterface(a fact.Attribute) bool { return a.Name == "interface" }

// auditPrefix is how the labels of audit policies begin.
const auditPrefix = "np-audit-"

// findAudits finds the labels of the audit policies.
func (p *policy) findAudits() {
	p.audits = make(map[int]int)
	auto := make(map[int]bool)
	for _, l := range p.labels {
		auto[l.Bit] = l.Auto && strings.HasPrefix(l.Name, auditPrefix)
	}
	for id, e := range p.bundle.Program.Effects {
		for _, bit := range e.Labels {
			if p.bundle.Policies[id].Audit && auto[bit] {
				p.audits[id] = bit
			}
		}
	}
}

// gateOf is how many packets of a flow the capture rules log; 0 when they do
// not say.
func gateOf(rs *artifact.Ruleset) int {
	for _, c := range rs.Chains {
		for _, r := range c.Rules {
			for _, m := range r.Match {
				if m.Kind == artifact.MatchCTPackets && m.Not && m.Limit > 0 && strings.HasSuffix(r.ID, "/budget") {
					return int(min(m.Limit, math.MaxUint16)) - 1
				}
			}
		}
	}
	return 0
}

// headersOnly is the bundle with those clauses alone that ask for nothing but
// addresses, ports and the like. The others must wait until the flow has a
// name: before that, app != 'zoom' holds of everything, and a drop on the
// first packet would keep the name from ever being seen. For the same reason
// verdicts that come after an accept by name wait too (artifact.Claim.Late).
func headersOnly(b *artifact.Bundle) *artifact.Bundle {
	out := *b
	out.Program.Clauses = nil
	for _, c := range b.Program.Clauses {
		all := true
		for _, l := range c.If {
			all = all && asksHeaders(&b.Program, l.Test())
		}
		if all {
			out.Program.Clauses = append(out.Program.Clauses, c)
		}
	}
	out.Program.Effects = slices.Clone(b.Program.Effects)
	for i := range out.Program.Effects {
		e := &out.Program.Effects[i]
		if e.Verdict.Late {
			e.Verdict = artifact.Claim{Kind: artifact.ClaimOwn} // a claim without a label
		}
		if e.Late {
			e.Labels, e.Mark = nil, nil
		}
	}
	return &out
}

// asksHeaders says that a test needs the packet headers only. Members of a
// group are earlier tests, as Load has checked.
func asksHeaders(p *artifact.Program, test int) bool {
	t := &p.Tests[test]
	switch t.Op {
	case artifact.TestAll, artifact.TestAny:
		for _, l := range t.Of {
			if !asksHeaders(p, l.Test()) {
				return false
			}
		}
		return true
	case artifact.TestCode:
		return false // its attributes are not listed
	case artifact.TestEqual, artifact.TestUnder, artifact.TestPrefix, artifact.TestSuffix, artifact.TestContains,
		artifact.TestMatches, artifact.TestRange, artifact.TestNetwork, artifact.TestFlag:
	}
	a, ok := fact.Lookup(t.Attribute)
	return ok && a.FromHeaders()
}

// isLocal says that an address is on the inside: a private range (RFC 1918,
// RFC 4193), the link itself, or one of the operator's networks.
func (p *policy) isLocal(a netip.Addr) bool {
	if a.IsPrivate() || a.IsLinkLocalUnicast() || a.IsLoopback() {
		return true
	}
	for _, n := range p.local {
		if n.Contains(a) {
			return true
		}
	}
	return false
}

// labelNames are the bundle's names for the bits that are set.
func (p *policy) labelNames(to []string, bits *[16]byte) []string {
	for _, l := range p.labels {
		if bits[l.Bit/8]&(1<<(l.Bit%8)) != 0 {
			to = append(to, l.Name)
		}
	}
	return to
}
