package program_test

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/program"
	"github.com/netpol/netpol/lang/fact"
)

// TestStickyBitsAreNeverCleared: they are in a mask only when they are set.
func TestStickyBitsAreNeverCleared(t *testing.T) {
	b := sample()
	b.Program.Sticky, b.Program.StickyMark = []int{1, 127}, 0x0f
	for _, tt := range []struct {
		name       string
		in         fact.Facts
		labels     [16]byte
		labelMask  [16]byte
		mark, mask uint32
	}{
		{"none is set", fact.Facts{Application: "webex", Guessed: true}, bits(127), bits(0, 64, 127), 0, 0xf0},
		{"one is set, by a policy whose mark bits are sticky", fact.Facts{Application: "zoom"}, bits(1), bits(0, 1, 64), 0x1, 0xff},
		{"a mark is set, of which half is sticky", fact.Facts{DstPort: 443}, bits(64, 127), bits(0, 64, 127), 0x22, 0xff},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v := load(t, b).NewMachine().Eval(&tt.in)
			got := program.Verdict{Labels: v.Labels, LabelMask: v.LabelMask, Mark: v.Mark, MarkMask: v.MarkMask}
			want := program.Verdict{Labels: tt.labels, LabelMask: tt.labelMask, Mark: tt.mark, MarkMask: tt.mask}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
	b.Program.Sticky = []int{5}
	if _, err := program.Load(b); err == nil {
		t.Error("another owner's bit was taken for a sticky one")
	}
}

// flows are facts to try: all that the sample's tests tell apart.
func flows() (list []fact.Facts) {
	for _, app := range []string{"", "zoom"} {
		for _, host := range []string{"", "us.zoom.us"} {
			for _, port := range []int{0, 443} {
				for _, ip := range []string{"192.0.2.1", "10.0.0.1"} {
					for _, guessed := range []bool{false, true} {
						list = append(list, fact.Facts{
							Application: app, Hostname: host, DstPort: port, LocalIP: netip.MustParseAddr(ip), Guessed: guessed,
						})
					}
				}
			}
		}
	}
	return list
}

// TestBlindSaysOnlyWhatIsCertain holds a narrowed verdict against the verdicts
// for every value that the unknown attribute may have: each bit in the masks
// must be the same in all of them, and bits that are the same in all of them
// must not be missing where no policy that asks for it could write them.
func TestBlindSaysOnlyWhatIsCertain(t *testing.T) {
	values := map[string]func(*fact.Facts) []fact.Facts{
		"application": func(f *fact.Facts) []fact.Facts {
			a, b := *f, *f
			a.Application, b.Application = "", "zoom"
			return []fact.Facts{a, b}
		},
		"dst_port": func(f *fact.Facts) []fact.Facts {
			a, b := *f, *f
			a.DstPort, b.DstPort = 1, 8805
			return []fact.Facts{a, b}
		},
		"local_ip": func(f *fact.Facts) []fact.Facts {
			a, b := *f, *f
			a.LocalIP, b.LocalIP = netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")
			return []fact.Facts{a, b}
		},
		"detection_guessed": func(f *fact.Facts) []fact.Facts {
			a, b := *f, *f
			a.Guessed, b.Guessed = false, true
			return []fact.Facts{a, b}
		},
	}
	for name, alternatives := range values {
		t.Run(name, func(t *testing.T) {
			p := load(t, sample())
			m := p.NewMachine()
			blind := p.Blind(func(a fact.Attribute) bool { return a.Name == name })
			decides := 0
			for _, f := range flows() {
				v := m.Eval(&f)
				m.Narrow(v, blind)
				narrow := program.Verdict{Labels: v.Labels, LabelMask: v.LabelMask, Mark: v.Mark, MarkMask: v.MarkMask}
				if narrow.LabelMask != [16]byte{} || narrow.MarkMask != 0 {
					decides++
				}
				for _, alternative := range alternatives(&f) {
					full := m.Eval(&alternative)
					for i, mask := range narrow.LabelMask {
						if (full.Labels[i]^narrow.Labels[i])&mask != 0 {
							t.Errorf("%+v: labels %x under %x, with the value known %x", f, narrow.Labels, narrow.LabelMask, full.Labels)
						}
					}
					if (full.Mark^narrow.Mark)&narrow.MarkMask != 0 {
						t.Errorf("%+v: mark %#x under %#x, with the value known %#x", f, narrow.Mark, narrow.MarkMask, full.Mark)
					}
				}
			}
			if decides == 0 {
				t.Error("nothing is ever certain: the test tests nothing")
			}
		})
	}
}

func TestBlindToNothing(t *testing.T) {
	p := load(t, sample())
	if b := p.Blind(func(a fact.Attribute) bool { return a.Name == "ja4" }); b != nil {
		t.Errorf("no policy asks for it, got %+v", b)
	}
	m := p.NewMachine()
	f := fact.Facts{Application: "zoom"}
	want := *m.Eval(&f)
	got := m.Eval(&f)
	m.Narrow(got, nil)
	if diff := cmp.Diff(want.Labels, got.Labels); diff != "" {
		t.Error(diff)
	}
}

// TestBlindReadsBytecode: an attribute in a condition that runs as bytecode is
// asked for as well.
func TestBlindReadsBytecode(t *testing.T) {
	b := sample()
	b.Program.Codes = []artifact.Code{{Source: "len(interface) > 4"}}
	b.Program.Tests = append(b.Program.Tests, artifact.Test{Op: artifact.TestCode})
	b.Program.Clauses[2].If = append(b.Program.Clauses[2].If, 7)
	p := load(t, b)
	if p.Blind(func(a fact.Attribute) bool { return a.Name == "interface" }) == nil {
		t.Error("the bytecode's attribute is not seen")
	}
	if p.Blind(func(a fact.Attribute) bool { return a.Name == "vlan_id" }) != nil {
		t.Error("an attribute is seen that nobody asks for")
	}
}

func TestNarrowAllocatesNothing(t *testing.T) {
	p := load(t, sample())
	m, blind := p.NewMachine(), p.Blind(func(a fact.Attribute) bool { return a.Name == "dst_port" })
	f := fact.Facts{Application: "zoom", DstPort: 443}
	if n := testing.AllocsPerRun(100, func() { m.Narrow(m.Eval(&f), blind) }); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}
