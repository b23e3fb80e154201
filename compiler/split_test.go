package compiler

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"github.com/expr-lang/expr"
	"pgregory.net/rapid"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/compiler/emit/label"
	"github.com/netpol/netpol/compiler/emit/nft"
	"github.com/netpol/netpol/compiler/emit/prog"
	"github.com/netpol/netpol/compiler/internal/irtest"
	"github.com/netpol/netpol/compiler/ir"
	"github.com/netpol/netpol/compiler/opt"
	"github.com/netpol/netpol/enforcer/program"
	"github.com/netpol/netpol/lang/fact"
)

// localNet is local besides the private ranges.
var localNet = netip.MustParsePrefix("203.0.113.0/29")

func inside(a netip.Addr) bool {
	return a.IsPrivate() || a.IsLinkLocalUnicast() || a.IsLoopback() || localNet.Contains(a)
}

// TestSplitSaysTheSame: for random policies and connections, the plain meaning
// of the conditions, the program, and the rules of the first packet agree.
func TestSplitSaysTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := splitPolicies(t)
		set, _ := opt.Run(&ir.Set{Policies: in})
		b := splitBundle(t, set)
		p, err := program.Load(b)
		if err != nil {
			t.Fatal(err)
		}
		m := p.NewMachine()
		for range 8 {
			o := irtest.OpeningPacket(t, inside)
			holds := make([]bool, len(set.Policies))
			for i := range set.Policies {
				holds[i] = irtest.Eval(original(in, set.Policies[i].Name).Cond, o.Facts, runExpr(t))
			}
			agreeProgram(t, m.Eval(o.Facts), holds)
			agreeKernel(t, b, set, o, holds)
		}
	})
}

// splitPolicies draws policies with every effect, most for the kernel alone.
// Names are unique, so that one that survives opt is found again.
func splitPolicies(t *rapid.T) []ir.Policy {
	n := rapid.IntRange(1, 6).Draw(t, "policies")
	if rapid.IntRange(0, 9).Draw(t, "many") == 0 {
		n = 80 // enough for blocks of rules
	}
	out := make([]ir.Policy, n)
	for i := range out {
		p := ir.Policy{ID: i, Name: fmt.Sprint(i)}
		switch {
		case n > 6:
			p.Cond = irtest.HeaderExpr(t, 0)
		case rapid.IntRange(0, 4).Draw(t, "where") == 0:
			p.Cond = irtest.Expr(t, 2)
		default:
			p.Cond = irtest.HeaderExpr(t, 2)
		}
		p.Labels = rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"a", "b", "c"}), 0, 2, rapid.ID).Draw(t, "labels")
		if mask := rapid.Uint32Range(0, 15).Draw(t, "mask"); mask != 0 {
			p.Mark = &artifact.Mark{Value: rapid.Uint32Range(0, 15).Draw(t, "mark") & mask, Mask: mask}
		}
		if v := rapid.Uint8Range(0, 3).Draw(t, "dscp"); v != 0 {
			p.DSCP = &ir.DSCP{Name: artifact.DSCPName(v << 3), Value: v << 3}
		}
		p.Verdict = ir.Verdict(rapid.IntRange(0, 3).Draw(t, "verdict"))
		out[i] = p
	}
	return out
}

func original(in []ir.Policy, name string) *ir.Policy {
	return &in[slices.IndexFunc(in, func(p ir.Policy) bool { return p.Name == name })]
}

func splitBundle(t *rapid.T, set *ir.Set) *artifact.Bundle {
	settings := artifact.Settings{LocalNetworks: []netip.Prefix{localNet}, DoneMark: 1 << 31}
	table, diags := label.Allocate(label.Input{Policies: set.Policies})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	code, diags := prog.Emit(set.Policies, table.Effects)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	policies := describe(set.Policies)
	return &artifact.Bundle{
		Format: artifact.FormatVersion, ABI: fact.ABI(), Settings: settings, Labels: table.Labels, Policies: policies, Program: code,
		Ruleset: nft.Emit(nft.Input{
			Settings: settings, Effects: kernelEffects(table.Kernel, policies), Labels: table.Labels,
			Decisions: decisions(set.Policies, table.Effects, policies), InitLabel: table.Init,
		}),
	}
}

func runExpr(t *rapid.T) irtest.Run {
	return func(source string, f *fact.Facts) bool {
		p, err := expr.Compile(source, expr.Env(fact.Facts{}), expr.AsBool())
		if err != nil {
			t.Fatal(err)
		}
		out, err := expr.Run(p, *f)
		return err == nil && out.(bool)
	}
}

func agreeProgram(t *rapid.T, v *program.Verdict, holds []bool) {
	for i, want := range holds {
		if got := slices.Contains(v.Policies, i); got != want {
			t.Fatalf("policy %d: program says %v, its condition %v", i, got, want)
		}
	}
}

// agreeKernel compares what the first packet's rules wrote with what the
// policies say that the kernel decides.
func agreeKernel(t *rapid.T, b *artifact.Bundle, set *ir.Set, o irtest.Opening, holds []bool) {
	want := &entry{}
	var taken uint32
	claimed := map[string]bool{}
	claim := func(dim string, c artifact.Claim) {
		if c.Kind != artifact.ClaimNone && !claimed[dim] {
			claimed[dim] = true
			if c.Kind == artifact.ClaimAuto && !c.Late {
				want.set(c.Bit)
			}
		}
	}
	for i, p := range set.Policies {
		if !p.Split.Kernel || !holds[i] {
			continue
		}
		e := b.Program.Effects[i]
		for _, bit := range e.Labels {
			want.set(bit)
		}
		if e.Mark != nil {
			want.mark |= e.Mark.Value & e.Mark.Mask &^ taken
			taken |= e.Mark.Mask
		}
		claim("dscp", e.DSCP)
		claim("verdict", e.Verdict)
	}
	got := &entry{}
	s := simulation{rs: &b.Ruleset, packet: o, entry: got}
	if o.Output {
		s.run("np_new_out")
	} else {
		s.run("np_new_pre")
	}
	if *got != *want {
		t.Fatalf("rules wrote labels %x mark %#x, policies say %x %#x, for %+v\n%s\n%s",
			got.labels, got.mark, want.labels, want.mark, *o.Facts, set.Dump(), nft.Text(b.Ruleset, b.Labels))
	}
}

// entry is a conntrack entry.
type entry struct {
	labels [16]byte
	mark   uint32
}

func (e *entry) set(bit int) { e.labels[bit/8] |= 1 << (bit % 8) }

// simulation walks chains as nf_tables does.
type simulation struct {
	rs     *artifact.Ruleset
	packet irtest.Opening
	entry  *entry
}

// run walks a chain; true means that the base chain is over.
func (s *simulation) run(name string) bool {
	at := slices.IndexFunc(s.rs.Chains, func(c artifact.Chain) bool { return c.Name == name })
	if at < 0 {
		if name == "np_new_pre" || name == "np_new_out" {
			return true // nothing is decided on first packets
		}
		panic("no chain " + name)
	}
	for _, r := range s.rs.Chains[at].Rules {
		if !s.matches(r) {
			continue
		}
		for _, do := range r.Do {
			switch do.Kind {
			case artifact.DoSetCTLabel:
				s.entry.set(do.Bit)
			case artifact.DoSetCTMark:
				s.entry.mark = s.entry.mark&^do.Mask | do.Value
			case artifact.DoJump:
				if s.run(do.Name) {
					return true
				}
			case artifact.DoGoto:
				return s.run(do.Name)
			case artifact.DoAccept:
				return true
			case artifact.DoReturn:
				return false
			default:
				panic("statement " + do.Kind)
			}
		}
	}
	return false
}

func (s *simulation) matches(r artifact.Rule) bool {
	for _, m := range r.Match {
		if s.match(m) == m.Not {
			return false
		}
	}
	return true
}

func (s *simulation) match(m artifact.Match) bool {
	f := s.packet.Facts
	switch m.Kind {
	case artifact.MatchCTStatus:
		return false // not confirmed
	case artifact.MatchFamily:
		return int(m.Value) == f.IPVersion
	case artifact.MatchL4Proto:
		return s.number(m, f.IPProtocol, 1)
	case artifact.MatchSport:
		return s.number(m, f.SrcPort, 2)
	case artifact.MatchDport:
		return s.number(m, f.DstPort, 2)
	case artifact.MatchSaddr4, artifact.MatchSaddr6:
		return s.lookup(m.Set, f.SrcIP.AsSlice())
	case artifact.MatchDaddr4, artifact.MatchDaddr6:
		return s.lookup(m.Set, f.DstIP.AsSlice())
	case artifact.MatchIIFName, artifact.MatchOIFName:
		if (m.Kind == artifact.MatchOIFName) != s.packet.Output {
			panic("a device that the hook does not have")
		}
		if m.Set == "" {
			return m.Name == f.Interface
		}
		return s.lookup(m.Set, append([]byte(f.Interface), make([]byte, 16-len(f.Interface))...))
	default:
		panic("match " + m.Kind)
	}
}

func (s *simulation) number(m artifact.Match, v, width int) bool {
	if m.Set == "" {
		return int(m.Value) == v
	}
	return s.lookup(m.Set, binary.BigEndian.AppendUint64(nil, uint64(v))[8-width:])
}

func (s *simulation) lookup(name string, key []byte) bool {
	set := s.rs.Sets[slices.IndexFunc(s.rs.Sets, func(s artifact.Set) bool { return s.Name == name })]
	return slices.ContainsFunc(set.Elements, func(e artifact.Element) bool {
		if len(e.Low) != len(key) {
			panic(fmt.Sprintf("set %s is asked for %x", name, key))
		}
		return bytes.Compare(e.Low, key) <= 0 && bytes.Compare(key, e.High) <= 0
	})
}
