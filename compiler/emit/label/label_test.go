package label_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/compiler/emit/label"
	"github.com/netpol/netpol/compiler/ir"
)

// policy reads "zoom,video cs5 drop": labels, then DSCP and verdict, "-" for none.
func policy(text string) ir.Policy {
	f := strings.Fields(text + " - -")
	p := ir.Policy{Name: text}
	if f[0] != "-" {
		p.Labels = strings.Split(f[0], ",")
	}
	dscps := map[string]uint8{"cs5": 40, "cs1": 8, "ef": 46}
	if v, ok := dscps[f[1]]; ok {
		p.DSCP = &ir.DSCP{Name: f[1], Value: v}
	}
	for _, v := range []ir.Verdict{ir.Accept, ir.Drop, ir.Reject} {
		if f[2] == v.String() {
			p.Verdict = v
		}
	}
	return p
}

func policies(texts ...string) []ir.Policy {
	var out []ir.Policy
	for i, t := range texts {
		p := policy(t)
		p.ID = i
		out = append(out, p)
	}
	return out
}

// show is the table's labels as "bit name" and its kernel effects as
// "policy label effect", the readable form of what a case expects.
func show(t *label.Table) (labels, kernel []string) {
	for _, l := range t.Labels {
		labels = append(labels, fmt.Sprintf("%d %s", l.Bit, l.Name))
	}
	for _, k := range t.Kernel {
		s := fmt.Sprintf("%d %s", k.Policy, k.Label.Name)
		if k.DSCP != nil {
			s += fmt.Sprintf(" dscp %d", k.DSCP.Value)
		}
		kernel = append(kernel, strings.TrimSpace(s+" "+k.Verdict.String()))
	}
	return labels, kernel
}

func TestAllocate(t *testing.T) {
	tests := []struct {
		name   string
		in     label.Input
		labels []string
		kernel []string
	}{
		{
			name:   "one policy",
			in:     label.Input{Policies: policies("zoom cs5")},
			labels: []string{"0 zoom"},
			kernel: []string{"0 zoom dscp 40"},
		},
		{
			name:   "no policy",
			labels: []string{"0 np-seen"},
		},
		{
			name:   "pins stay, new labels take the lowest bit that nobody has",
			in:     label.Input{Policies: policies("a", "b", "c"), Pins: []label.Pin{{Name: "b", Bit: 7}, {Name: "retired", Bit: 2}}, Bits: map[int]string{0: "theirs"}},
			labels: []string{"1 a", "3 c", "7 b"},
		},
		{
			name:   "both effects by one label",
			in:     label.Input{Policies: policies("zoom cs5 accept")},
			labels: []string{"0 zoom"},
			kernel: []string{"0 zoom dscp 40 accept"},
		},
		{
			name:   "no label of one's own",
			in:     label.Input{Policies: policies("- cs5 drop", "- cs1", "- - drop")},
			labels: []string{"0 np-dscp-cs5", "1 np-drop", "2 np-dscp-cs1"},
			kernel: []string{"0 np-dscp-cs5 dscp 40", "0 np-drop drop", "1 np-dscp-cs1 dscp 8", "2 np-drop drop"},
		},
		{
			name:   "carriers disagree",
			in:     label.Input{Policies: policies("zoom cs5", "zoom cs1")},
			labels: []string{"0 zoom", "1 np-dscp-cs5", "2 np-dscp-cs1"},
			kernel: []string{"0 np-dscp-cs5 dscp 40", "1 np-dscp-cs1 dscp 8"},
		},
		{
			name:   "one carrier has no effect",
			in:     label.Input{Policies: policies("zoom cs5", "zoom")},
			labels: []string{"0 zoom", "1 np-dscp-cs5"},
			kernel: []string{"0 np-dscp-cs5 dscp 40"},
		},
		{
			name:   "another label of the policy will do",
			in:     label.Input{Policies: policies("zoom,voice cs5", "zoom cs1")},
			labels: []string{"0 zoom", "1 voice", "2 np-dscp-cs1"},
			kernel: []string{"0 voice dscp 40", "1 np-dscp-cs1 dscp 8"},
		},
		{
			name:   "another effect between the carriers",
			in:     label.Input{Policies: policies("zoom cs5", "- cs1", "zoom cs5")},
			labels: []string{"0 zoom", "1 np-dscp-cs5", "2 np-dscp-cs1"},
			kernel: []string{"0 np-dscp-cs5 dscp 40", "1 np-dscp-cs1 dscp 8", "2 np-dscp-cs5 dscp 40"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, diags := label.Allocate(tt.in)
			if len(diags) > 0 {
				t.Fatal(diags)
			}
			labels, kernel := show(got)
			if diff := cmp.Diff(tt.labels, labels); diff != "" {
				t.Errorf("labels (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.kernel, kernel); diff != "" {
				t.Errorf("kernel effects (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAllocateRefuses(t *testing.T) {
	var many []string
	for i := range 129 {
		many = append(many, fmt.Sprintf("l%d", i))
	}
	tests := []struct {
		name string
		in   label.Input
		want []string // parts of the message
	}{
		{"a 129th label", label.Input{Policies: policies(many...)}, []string{"NP0301", "129 labels", "room for 128", `"l128"`, "share labels"}},
		{
			"no bit left by other owners",
			label.Input{Policies: policies(many[:128]...), Bits: map[int]string{5: "theirs"}},
			[]string{"NP0301", "1 belong to other owners", `"l127"`},
		},
		{
			"pinned bit taken",
			label.Input{Policies: policies("zoom"), Pins: []label.Pin{{Name: "zoom", Bit: 3}}, Bits: map[int]string{3: "vpn"}, Names: map[string]int{"vpn": 3}},
			[]string{"NP0302", `"zoom"`, "bit 3", `"vpn"`},
		},
		{
			"same name, other bit",
			label.Input{Policies: policies("zoom"), Pins: []label.Pin{{Name: "zoom", Bit: 3}}, Bits: map[int]string{9: "zoom"}, Names: map[string]int{"zoom": 9}},
			[]string{"NP0303", `"zoom"`, "bit 9", "bit 3"},
		},
		{
			"new label with another owner's name",
			label.Input{Policies: policies("zoom"), Bits: map[int]string{9: "zoom"}, Names: map[string]int{"zoom": 9}},
			[]string{"NP0303", `"zoom"`, "bit 9"},
		},
		{"bit out of range", label.Input{Pins: []label.Pin{{Name: "a", Bit: 128}}}, []string{"NP0304", "128"}},
		{"bit pinned twice", label.Input{Pins: []label.Pin{{Name: "a", Bit: 1}, {Name: "b", Bit: 1}}}, []string{"NP0304", `"a"`, `"b"`}},
		{"label pinned twice", label.Input{Pins: []label.Pin{{Name: "a", Bit: 1}, {Name: "a", Bit: 2}}}, []string{"NP0304", "bit 1", "bit 2"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, diags := label.Allocate(tt.in)
			if len(diags) != 1 || !diags.HasErrors() {
				t.Fatalf("diagnostics: %v, want one error", diags)
			}
			for _, part := range tt.want {
				if got := diags[0].Error(); !strings.Contains(got, part) {
					t.Errorf("message does not say %q:\n%s", part, got)
				}
			}
		})
	}
}

// TestFirstPolicyWins plays random sets of policies against every set of
// policies that may hold at once: what the kernel does by the labels that the
// enforcer sets must be what the first policy says.
func TestFirstPolicyWins(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	pick := func(words ...string) string { return words[rng.IntN(len(words))] }
	for range 2000 {
		var texts []string
		for range 1 + rng.IntN(5) {
			texts = append(texts, pick("-", "a", "b", "a,b")+" "+pick("-", "cs5", "cs1")+" "+pick("-", "accept", "drop"))
		}
		in := policies(texts...)
		table, diags := label.Allocate(label.Input{Policies: in})
		if len(diags) > 0 {
			t.Fatal(diags)
		}
		for holds := range 1 << len(in) {
			wantDSCP, wantVerdict := first(in, holds)
			gotDSCP, gotVerdict := kernelDoes(table, enforcerSets(table, holds))
			if wantDSCP != gotDSCP || wantVerdict != gotVerdict {
				t.Fatalf("policies %q, holding %b: kernel does %d %q, want %d %q", texts, holds, gotDSCP, gotVerdict, wantDSCP, wantVerdict)
			}
		}
	}
}

// TestAllocateSaysWhatIsLeft asks for more labels by the netpol block than there
// is room for: authors' labels have theirs first.
func TestAllocateSaysWhatIsLeft(t *testing.T) {
	var apps []string
	for i := range 125 {
		apps = append(apps, fmt.Sprintf("app-%d", i))
	}
	in := policies(apps...)
	for i := range in {
		in[i].From = "label_applications"
	}
	in = append(in, policies("zoom cs5", "- cs1")...)
	_, diags := label.Allocate(label.Input{Policies: in, Pins: []label.Pin{{Name: "old", Bit: 3}}, Bits: map[int]string{5: "vpn", 6: "lan"}})
	want := `error[NP0301]: Too many labels: label_applications and label_categories ask for 125 labels, and 123 bits are left for them: ` +
		`a connection has room for 128, of which 2 are for the set's other labels, 2 belong to other owners and 1 to labels that only the lock still names. ` +
		`No bit is left for "app-123", "app-124". Name fewer applications or categories, or delete retired lines from netpol.lock.hcl once no live connection carries them.`
	if len(diags) != 1 || !strings.HasSuffix(diags[0].Error(), want) {
		t.Errorf("got %v\nwant %s", diags, want)
	}
}

// TestAllocateByTheRouter: what the router's connections say of bits counts where
// the lock says nothing.
func TestAllocateByTheRouter(t *testing.T) {
	router := label.Router{
		Applied: []artifact.Label{{Name: "zoom", Bit: 3}, {Name: "old", Bit: 0}},
		Held:    map[int]int{0: 1000, 1: 1, 3: 7},
	}
	tests := []struct {
		name string
		pins []label.Pin
		want string
	}{
		{"no lock", nil, "new=2 zoom=3"},
		{"the lock agrees", []label.Pin{{Name: "zoom", Bit: 3}, {Name: "old", Bit: 0}}, "new=2 zoom=3"},
		{"the lock moves a label", []label.Pin{{Name: "zoom", Bit: 5}}, "new=2 zoom=5"},
		{"the lock has a bit that nobody accounts for", []label.Pin{{Name: "new", Bit: 1}}, "new=1 zoom=3"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			table, diags := label.Allocate(label.Input{Policies: policies("zoom", "new"), Pins: tt.pins, Router: router})
			if len(diags) > 0 {
				t.Fatal(diags)
			}
			var got []string
			for _, l := range table.Labels {
				got = append(got, fmt.Sprintf("%s=%d", l.Name, l.Bit))
			}
			if text := strings.Join(got, " "); text != tt.want {
				t.Errorf("got %s, want %s", text, tt.want)
			}
		})
	}
}

func TestAllocateRefusesABitInForce(t *testing.T) {
	held := map[int]string{0: "no live connection carries it now, but one may at any time", 1: "1 live connection carries it", 1000: "1000 live connections carry it"}
	for n, carried := range held {
		_, diags := label.Allocate(label.Input{
			Policies: policies("new"), Pins: []label.Pin{{Name: "new", Bit: 0}},
			Router: label.Router{Applied: []artifact.Label{{Name: "old", Bit: 0}}, Held: map[int]int{0: n}},
		})
		want := `error[NP0305]: Label bit is in force as another label: The lock gives label "new" bit 0, which the policies in force on the router give to "old"; ` + carried +
			`. They would be taken for "new". Delete the line of "new" from netpol.lock.hcl, so that it gets another bit, or apply the policies without it first.`
		if len(diags) != 1 || !strings.HasSuffix(diags[0].Error(), want) {
			t.Errorf("got %v\nwant %s", diags, want)
		}
	}
}

func first(in []ir.Policy, holds int) (dscp int, verdict string) {
	for i := len(in) - 1; i >= 0; i-- {
		if holds>>i&1 == 0 {
			continue
		}
		if in[i].DSCP != nil {
			dscp = int(in[i].DSCP.Value)
		}
		if in[i].Verdict != ir.NoVerdict {
			verdict = in[i].Verdict.String()
		}
	}
	return dscp, verdict
}

func enforcerSets(t *label.Table, holds int) map[int]bool {
	set := map[int]bool{}
	var claimed [2]bool
	for i, e := range t.Effects {
		if holds>>i&1 == 0 {
			continue
		}
		for _, bit := range e.Labels {
			set[bit] = true
		}
		for dim, c := range []artifact.Claim{e.DSCP, e.Verdict} {
			if c.Kind == artifact.ClaimAuto && !claimed[dim] {
				set[c.Bit] = true
			}
			claimed[dim] = claimed[dim] || c.Kind != artifact.ClaimNone
		}
	}
	return set
}

func kernelDoes(t *label.Table, set map[int]bool) (dscp int, verdict string) {
	for i := len(t.Kernel) - 1; i >= 0; i-- {
		k := t.Kernel[i]
		if !set[k.Label.Bit] {
			continue
		}
		if k.DSCP != nil {
			dscp = int(k.DSCP.Value)
		}
		if k.Verdict != ir.NoVerdict {
			verdict = k.Verdict.String()
		}
	}
	return dscp, verdict
}
