package outcome

import (
	"errors"
	"fmt"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/lang/fact"
)

// Chains of the table that decide on packets (compiler/emit/nft).
const (
	chainDSCP    = "np_dscp"
	chainVerdict = "np_verdict"
)

// errOnlyKernel says that a rule asks for what a flow's facts do not tell.
var errOnlyKernel = errors.New("only a kernel can answer it")

// kernel answers for a bundle's rules as nf_tables would for a packet in the
// middle of a flow, from the side that opened it.
type kernel struct{ chains map[string][]artifact.Rule }

func newKernel(rs *artifact.Ruleset) kernel {
	k := kernel{chains: make(map[string][]artifact.Rule, len(rs.Chains))}
	for _, c := range rs.Chains {
		k.chains[c.Name] = c.Rules
	}
	return k
}

// packet is what rules see: what the enforcer has written on the connection,
// and the connection.
type packet struct {
	labels [16]byte
	mark   uint32
	facts  *fact.Facts
	// What rules did so far.
	dscp, verdict string
}

// decide walks the chains that change or judge packets.
func (k kernel) decide(p *packet) (dscp, verdict string, err error) {
	for _, chain := range []string{chainDSCP, chainVerdict} {
		if _, err = k.walk(chain, p, 0); err != nil {
			return "", "", err
		}
	}
	return p.dscp, p.verdict, nil
}

// maxJumps bounds jumps as the kernel does (NFT_JUMP_STACK_SIZE).
const maxJumps = 16

// walk runs a chain; done says that the packet's way ends here.
func (k kernel) walk(chain string, p *packet, depth int) (done bool, err error) {
	if depth > maxJumps {
		return false, fmt.Errorf("chain %s: more than %d jumps", chain, maxJumps)
	}
	for i := range k.chains[chain] {
		r := &k.chains[chain][i]
		hit, err := p.matches(r.Match)
		if err != nil {
			return false, fmt.Errorf("rule %s: %w", r.ID, err)
		}
		if !hit {
			continue
		}
		returns, done, err := k.run(r.Do, p, depth)
		if err != nil {
			return false, fmt.Errorf("rule %s: %w", r.ID, err)
		}
		if done {
			return true, nil
		}
		if returns {
			return false, nil
		}
	}
	return false, nil
}

func (p *packet) matches(list []artifact.Match) (bool, error) {
	for _, m := range list {
		hit, err := p.match(m)
		if err != nil || hit == m.Not {
			return false, err
		}
	}
	return true, nil
}

// match answers one condition, without its negation.
func (p *packet) match(m artifact.Match) (bool, error) {
	switch m.Kind {
	case artifact.MatchCTLabel:
		return p.labels[m.Bit/8]&(1<<(m.Bit%8)) != 0, nil
	case artifact.MatchCTMark:
		return p.mark&m.Mask == m.Value, nil
	case artifact.MatchL4Proto:
		return p.facts.IPProtocol == int(m.Value), nil
	case artifact.MatchFamily:
		version := p.facts.IPVersion
		if version == 0 {
			version = 4 // a test that names no address
		}
		return version == int(m.Value), nil
	case artifact.MatchCTState:
		return m.Name == "established", nil
	case artifact.MatchCTDirection:
		return m.Name == "original", nil
	case artifact.MatchTCPReset:
		return false, nil // a packet that carries data
	case artifact.MatchIIFName:
		return p.facts.Interface == m.Name, nil
	case artifact.MatchSport:
		return p.facts.SrcPort == int(m.Value), nil
	case artifact.MatchDport:
		return p.facts.DstPort == int(m.Value), nil
	default:
		return false, fmt.Errorf("condition %q: %w", m.Kind, errOnlyKernel)
	}
}

// run executes a rule's statements.
func (k kernel) run(list []artifact.Statement, p *packet, depth int) (returns, done bool, err error) {
	for _, s := range list {
		switch s.Kind {
		case artifact.DoCounter, artifact.DoLog, artifact.DoSetSynAck:
		case artifact.DoSetDSCP4, artifact.DoSetDSCP6:
			p.dscp = DSCPName(uint8(s.Value))
		case artifact.DoReturn:
			return true, false, nil
		case artifact.DoAccept, artifact.DoDrop:
			p.verdict = string(s.Kind)
			return false, true, nil
		case artifact.DoRejectTCPReset, artifact.DoRejectAdmin:
			p.verdict = "reject"
			return false, true, nil
		case artifact.DoJump:
			if done, err = k.walk(s.Name, p, depth+1); err != nil || done {
				return false, done, err
			}
		default:
			return false, false, fmt.Errorf("statement %q: %w", s.Kind, errOnlyKernel)
		}
	}
	return false, false, nil
}
