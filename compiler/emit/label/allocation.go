package label

import (
	"fmt"
	"strings"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/lang/diag"
)

// Codes of this package's diagnostics: NP0301 to NP0309.
const (
	codeTooMany  = "NP0301"
	codeBitTaken = "NP0302"
	codeName     = "NP0303"
	codePin      = "NP0304"
	codeLiveBit  = "NP0305"
)

// allocation is the state of giving out bits.
type allocation struct {
	in    Input
	bits  map[string]int  // every label with a bit, in use or not
	owner map[int]string  // the same the other way round
	used  map[string]bool // labels of this set
}

// newAllocation takes over the pins of the lock.
func newAllocation(in Input) (*allocation, diag.List) {
	a := &allocation{in: in, bits: map[string]int{}, owner: map[int]string{}, used: map[string]bool{}}
	var diags diag.List
	for _, p := range in.Pins {
		if p.Bit < 0 || p.Bit >= Bits {
			diags.Add(pinError(p, fmt.Sprintf("The lock gives label %q bit %d, but bits go from 0 to %d.", p.Name, p.Bit, Bits-1)))
			continue
		}
		if other, ok := a.owner[p.Bit]; ok && other != p.Name {
			diags.Add(pinError(p, fmt.Sprintf("The lock gives bit %d to both %q and %q. Delete the line of the one that no live connection carries.", p.Bit, other, p.Name)))
			continue
		}
		if old, ok := a.bits[p.Name]; ok && old != p.Bit {
			diags.Add(pinError(p, fmt.Sprintf("The lock gives label %q both bit %d and bit %d. Delete one of the lines.", p.Name, old, p.Bit)))
			continue
		}
		a.bits[p.Name], a.owner[p.Bit] = p.Bit, p.Name
	}
	a.remember()
	return a, diags
}

// remember takes over the labels that are in force as if the lock had them, where
// it says nothing else: what was deleted there by hand lives on in connections.
func (a *allocation) remember() {
	for _, l := range a.in.Router.Applied {
		if _, pinned := a.bits[l.Name]; pinned {
			continue
		}
		if _, taken := a.owner[l.Bit]; !taken {
			a.bits[l.Name], a.owner[l.Bit] = l.Bit, l.Name
		}
	}
}

// inForce finds a label in force under another name that has a label's bit:
// connections that carry it would get the new label's effects.
func (a *allocation) inForce(n need) (diag.Diagnostic, bool) {
	bit, pinned := a.bits[n.name]
	if !pinned || n.name == Seen {
		return diag.Diagnostic{}, false
	}
	for _, l := range a.in.Router.Applied {
		if l.Bit == bit && l.Name != n.name && l.Name != Seen {
			return diag.Diagnostic{
				Severity: diag.Error, Code: codeLiveBit, Summary: "Label bit is in force as another label", Subject: n.at,
				Detail: fmt.Sprintf("The lock gives label %q bit %d, which the policies in force on the router give to %q; %s. They would be taken for %q. "+
					"Delete the line of %q from netpol.lock.hcl, so that it gets another bit, or apply the policies without it first.",
					n.name, bit, l.Name, carriers(a.in.Router.Held[bit]), n.name, n.name),
			}, true
		}
	}
	return diag.Diagnostic{}, false
}

// carriers says how many live connections carry a bit.
func carriers(n int) string {
	switch n {
	case 0:
		return "no live connection carries it now, but one may at any time"
	case 1:
		return "1 live connection carries it"
	}
	return fmt.Sprintf("%d live connections carry it", n)
}

func pinError(p Pin, detail string) diag.Diagnostic {
	return diag.Diagnostic{Severity: diag.Error, Code: codePin, Summary: "Invalid label bit in the lock", Detail: detail, Subject: p.Range}
}

// allocate gives every needed label a bit: the pinned one, or else the lowest
// that nobody has.
func (a *allocation) allocate(list []need) diag.List {
	var diags diag.List
	for _, n := range list {
		a.used[n.name] = true
	}
	var left []need
	for _, n := range list {
		if d, ok := a.clash(n); ok {
			diags.Add(d)
			continue
		}
		if d, ok := a.inForce(n); ok {
			diags.Add(d)
			continue
		}
		if _, ok := a.bits[n.name]; ok {
			continue
		}
		bit, ok := a.lowestFree()
		if !ok {
			left = append(left, n)
			continue
		}
		a.bits[n.name], a.owner[bit] = bit, n.name
	}
	if len(left) > 0 {
		diags.Add(a.tooMany(list, left))
	}
	return diags
}

// clash finds another owner's line in the way of a label.
func (a *allocation) clash(n need) (diag.Diagnostic, bool) {
	bit, pinned := a.bits[n.name]
	if other, ok := a.in.Bits[bit]; pinned && ok && other != n.name {
		return diag.Diagnostic{
			Severity: diag.Error, Code: codeBitTaken, Summary: "Label bit belongs to another owner", Subject: n.at,
			Detail: fmt.Sprintf("Label %q is pinned to bit %d, which connlabel.conf gives to %q outside netpol's block. "+
				"Give %q another bit in connlabel.conf, or delete the line of %q from netpol.lock.hcl once no live connection carries it.", n.name, bit, other, other, n.name),
		}, true
	}
	if theirs, ok := a.in.Names[n.name]; ok && (!pinned || theirs != bit) {
		ours := "netpol would choose another"
		if pinned {
			ours = fmt.Sprintf("the lock pins it to bit %d", bit)
		}
		return diag.Diagnostic{
			Severity: diag.Error, Code: codeName, Summary: "Label name belongs to another owner", Subject: n.at,
			Detail: fmt.Sprintf("connlabel.conf defines label %q as bit %d outside netpol's block, and %s. "+
				"Choose another name for the label, or remove the line from connlabel.conf.", n.name, theirs, ours),
		}, true
	}
	return diag.Diagnostic{}, false
}

// lowestFree is a bit that neither another owner nor any pin has, in use or
// not, and that no live connection carries, whoever set it.
func (a *allocation) lowestFree() (int, bool) {
	for bit := range Bits {
		if _, ok := a.in.Bits[bit]; ok || a.in.Router.Held[bit] > 0 {
			continue
		}
		if _, ok := a.owner[bit]; !ok {
			return bit, true
		}
	}
	return 0, false
}

// shownNames bounds the names in a message.
const shownNames = 5

func (a *allocation) tooMany(list, left []need) diag.Diagnostic {
	taken := a.taken()
	detail := fmt.Sprintf("The set needs %d labels, but a connection has room for %d, of which %s.", len(list), Bits, taken)
	way := "Let policies share labels"
	if asked := fromNetpol(list); left[0].from != "" {
		detail = fmt.Sprintf("label_applications and label_categories ask for %d labels, and %d bits are left for them: a connection has room for %d, of which %d are for the set's other labels, %s.",
			asked, asked-len(left), Bits, len(list)-asked, taken)
		way = "Name fewer applications or categories"
	}
	return diag.Diagnostic{
		Severity: diag.Error, Code: codeTooMany, Summary: "Too many labels", Subject: left[0].at,
		Detail: fmt.Sprintf("%s No bit is left for %s. %s, or delete retired lines from netpol.lock.hcl once no live connection carries them.", detail, someNames(left), way),
	}
}

// fromNetpol is how many of the labels the netpol block asks for.
func fromNetpol(list []need) int {
	n := 0
	for _, x := range list {
		if x.from != "" {
			n++
		}
	}
	return n
}

// taken says who has bits that this set cannot.
func (a *allocation) taken() string {
	retired := 0
	for name := range a.bits {
		if !a.used[name] {
			retired++
		}
	}
	text := fmt.Sprintf("%d belong to other owners and %d to labels that only the lock still names", len(a.in.Bits), retired)
	if n := a.quarantined(); n > 0 {
		text += fmt.Sprintf(", and %d more are on live connections", n)
	}
	return text
}

// quarantined is how many bits nobody owns and live connections carry.
func (a *allocation) quarantined() int {
	n := 0
	for bit, held := range a.in.Router.Held {
		_, theirs := a.in.Bits[bit]
		if _, owned := a.owner[bit]; held > 0 && !owned && !theirs {
			n++
		}
	}
	return n
}

// someNames is the first few labels.
func someNames(left []need) string {
	names := make([]string, 0, shownNames)
	for _, n := range left[:min(len(left), shownNames)] {
		names = append(names, fmt.Sprintf("%q", n.name))
	}
	if more := len(left) - len(names); more > 0 {
		names = append(names, fmt.Sprintf("%d more", more))
	}
	return strings.Join(names, ", ")
}

// label is the artifact's form of a label that has a bit.
func (a *allocation) label(name string) artifact.Label {
	return artifact.Label{Name: name, Bit: a.bits[name], Auto: strings.HasPrefix(name, AutoPrefix)}
}
