package compiler

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"strings"
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

// doneMark says that netpold need not see a connection, and quietMark that no rule has an
// effect on it any more.
const (
	doneMark  = 1 << 31
	quietMark = 1 << 30
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
			agreeInspection(t, b, set, o, holds)
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
			p.Cond = irtest.HeaderExpr(t, rapid.IntRange(0, 1).Draw(t, "depth"))
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
	settings := artifact.Settings{LocalNetworks: []netip.Prefix{localNet}, DoneMark: doneMark, QuietMark: quietMark}
	interest, narrow := opt.Interest(set.Policies)
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
			Settings: settings, Effects: kernelEffects(table, set.Policies, policies, nil), Labels: table.Labels,
			Decisions: decisions(set.Policies, table.Effects, policies), InitLabel: table.Init,
			Narrow: narrow, Interest: interest,
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
	got := firstPacket(b, o)
	agreeQuiet(t, b, o, got)
	got.mark &^= doneMark | quietMark // see agreeInspection
	if *got != *want {
		t.Fatalf("rules wrote labels %x mark %#x, policies say %x %#x, for %+v\n%s\n%s",
			got.labels, got.mark, want.labels, want.mark, *o.Facts, set.Dump(), nft.Text(b.Ruleset, b.Labels))
	}
}

// agreeQuiet wants a connection without the quiet mark where a rule asks for one of its labels,
// or netpold is to say more of it.
func agreeQuiet(t *rapid.T, b *artifact.Bundle, o irtest.Opening, e *entry) {
	if e.mark&quietMark == 0 {
		return
	}
	loud := slices.ContainsFunc(b.Ruleset.Loud, func(bit int) bool { return e.labels[bit/8]&(1<<(bit%8)) != 0 })
	if loud || e.mark&doneMark == 0 {
		t.Fatalf("labels %x and mark %#x: it has the quiet mark, and rules ask for %v, of %+v\n%s", e.labels, e.mark, b.Ruleset.Loud, *o.Facts, nft.Text(b.Ruleset, b.Labels))
	}
}

// agreeInspection wants that netpold sees every connection that a policy it
// decides holds of, that no policy of the kernel needs it without its seeing,
// and that it sees no others where headers tell.
func agreeInspection(t *rapid.T, b *artifact.Bundle, set *ir.Set, o irtest.Opening, holds []bool) {
	hidden := firstPacket(b, o).mark&doneMark != 0
	for i, p := range set.Policies {
		if hidden && holds[i] && (!p.Split.Kernel || p.Split.Late) {
			t.Fatalf("policy %s needs netpold, which does not see %+v\n%s\n%s", p.Name, *o.Facts, set.Dump(), nft.Text(b.Ruleset, b.Labels))
		}
	}
	interest, narrow := opt.Interest(set.Policies)
	if want := narrow && !slices.ContainsFunc(interest, func(c ir.Conjunction) bool { return conjunctionHolds(c, o.Facts) }); hidden != want {
		t.Fatalf("hidden is %v, want %v, of %+v\n%s\n%s", hidden, want, *o.Facts, set.Dump(), nft.Text(b.Ruleset, b.Labels))
	}
}

func conjunctionHolds(c ir.Conjunction, f *fact.Facts) bool {
	return !slices.ContainsFunc(c, func(l ir.Literal) bool { return irtest.Eval(l.Test, f, nil) == l.Not })
}

// firstPacket is the conntrack entry that the rules make of a connection.
func firstPacket(b *artifact.Bundle, o irtest.Opening) *entry {
	s := simulation{rs: &b.Ruleset, packet: o, entry: &entry{}}
	hook := "prerouting"
	if o.Output {
		hook = "output"
	}
	for _, c := range inOrder(b.Ruleset.Chains, hook) {
		if strings.HasPrefix(c.Name, "np_new_") {
			s.run(c.Name)
		}
	}
	return s.entry
}

// inOrder are the base chains of a hook as the kernel runs them: by priority, and of those that
// have the same, the last that came first (nf_hook_entries_grow, net/netfilter/core.c).
func inOrder(chains []artifact.Chain, hook string) []artifact.Chain {
	var out []artifact.Chain
	for _, c := range slices.Backward(chains) {
		if c.Hook == hook {
			out = append(out, c)
		}
	}
	slices.SortStableFunc(out, func(a, b artifact.Chain) int { return cmp.Compare(a.Priority, b.Priority) })
	return out
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
			case artifact.DoVMap:
				if e := s.element(do.Name, s.value(do.Key)); e != nil && s.run(e.Jump) {
					return true
				}
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
	case artifact.MatchIIFName, artifact.MatchOIFName:
		if m.Set == "" {
			return m.Name == strings.TrimRight(string(s.value(m.Kind)), "\x00")
		}
	default:
	}
	key := s.value(m.Kind)
	switch {
	case m.Set != "":
		return s.element(m.Set, key) != nil
	case m.Low != nil:
		if len(m.Low) != len(key) || len(m.High) != len(key) {
			panic(fmt.Sprintf("%s is asked for %x", m.Kind, m.Low))
		}
		return bytes.Compare(m.Low, key) <= 0 && bytes.Compare(key, m.High) <= 0
	}
	return bytes.Equal(binary.BigEndian.AppendUint64(nil, uint64(m.Value))[8-len(key):], key)
}

// value is what the packet has of the kind, as nf_tables loads it.
func (s *simulation) value(kind artifact.MatchKind) []byte {
	f := s.packet.Facts
	number := func(v, width int) []byte { return binary.BigEndian.AppendUint64(nil, uint64(v))[8-width:] }
	switch kind {
	case artifact.MatchL4Proto:
		return number(f.IPProtocol, 1)
	case artifact.MatchSport:
		return number(f.SrcPort, 2)
	case artifact.MatchDport:
		return number(f.DstPort, 2)
	case artifact.MatchSaddr4, artifact.MatchSaddr6:
		return f.SrcIP.AsSlice()
	case artifact.MatchDaddr4, artifact.MatchDaddr6:
		return f.DstIP.AsSlice()
	case artifact.MatchIIFName, artifact.MatchOIFName:
		if (kind == artifact.MatchOIFName) != s.packet.Output {
			panic("a device that the hook does not have")
		}
		return append([]byte(f.Interface), make([]byte, 16-len(f.Interface))...)
	default:
		panic("match " + kind)
	}
}

// element is the one that has the key.
func (s *simulation) element(name string, key []byte) *artifact.Element {
	set := s.rs.Sets[slices.IndexFunc(s.rs.Sets, func(s artifact.Set) bool { return s.Name == name })]
	at := slices.IndexFunc(set.Elements, func(e artifact.Element) bool {
		if len(e.Low) != len(key) {
			panic(fmt.Sprintf("set %s is asked for %x", name, key))
		}
		return bytes.Compare(e.Low, key) <= 0 && bytes.Compare(key, e.High) <= 0
	})
	if at < 0 {
		return nil
	}
	return &set.Elements[at]
}
