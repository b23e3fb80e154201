package lint

import (
	"fmt"
	"slices"
	"strings"

	"github.com/netpol/netpol/lang/diag"
)

func markCollision() Rule {
	return Rule{ID: "NP0550", Slug: "mark-collision", Category: Safety, Severity: diag.Warning, Summary: "Mark belongs to another program", Options: []string{"absent"}, check: checkMarkCollision}
}

// markOwner is a program that keeps state in mark bits.
type markOwner struct {
	name string
	mask uint32
}

// markOwners lists the bits that programs on routers use unless told otherwise.
func markOwners() []markOwner {
	return []markOwner{
		{"mwan3", 0x3f00},           // OpenWrt mwan3, globals.mmx_mask
		{"pbr", 0xff0000},           // OpenWrt pbr, fw_mask
		{"kubernetes", 0x4000},      // kube-proxy masqueradeBit 14, Docker's swarm ingress uses the same
		{"kubernetes-drop", 0x8000}, // kubelet iptablesDropBit 15
		// Encrypted overlay networks, drivers/overlay/encryption.go: 0xd0c4e3. Its
		// low bits, which everybody uses, are left out.
		{"docker", 0xd0c000},
		{"tailscale", 0xff0000}, // util/linuxfw, fwmarkMask
		{"calico", 0xffff0000},  // Felix, IptablesMarkMask
	}
}

// checkMarkCollision reports marks that write bits of other programs. Owners
// that are not on the router can be named in the option absent.
func checkMarkCollision(p *pass) {
	var absent []string
	for _, v := range p.option("absent") {
		absent = append(absent, v.Value)
	}
	done := p.in.Policy.Settings.DoneMark
	for _, b := range p.in.Policy.Policies {
		if b.Mark == nil {
			continue
		}
		var owners []string
		taken := done
		for _, o := range markOwners() {
			if b.Mark.Mask&o.mask != 0 && !slices.Contains(absent, o.name) {
				owners = append(owners, fmt.Sprintf("%s (%#x)", o.name, o.mask))
				taken |= o.mask
			}
		}
		if b.Mark.Mask&done != 0 {
			owners = append(owners, fmt.Sprintf("netpold itself (%#x)", done))
		}
		if len(owners) == 0 {
			continue
		}
		f := Finding{
			Subject: b.Mark.Range, Policy: b.Name,
			Detail: fmt.Sprintf("The mask %#x takes bits that belong to %s, if that is on the router.", b.Mark.Mask, strings.Join(owners, ", ")),
			Hint:   "take bits of the low byte, such as mask 0xff, or name what is not installed in the option absent of this rule",
		}
		if b.Mark.Value&taken == 0 && b.Mark.Mask&^taken != 0 {
			f.Hint = fmt.Sprintf("write \"%#x/%#x\", or name what is not installed in the option absent of this rule", b.Mark.Value, narrowest(b.Mark.Value, b.Mark.Mask&^taken))
		}
		p.report(f)
	}
}

// narrowest is the low byte of the free bits where the value fits into it.
func narrowest(value, free uint32) uint32 {
	if value&^(free&0xff) == 0 {
		return free & 0xff
	}
	return free
}
