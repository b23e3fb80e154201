package lang

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/netpol/netpol/lang/diag"
)

func (d *decoder) decodeAddressGroup(b *hclsyntax.Block) {
	g := &AddressGroup{Name: b.Labels[0], Range: headerRange(b)}
	if !nameInGroup(g.Name) {
		d.diags.Add(diag.New(diag.InvalidName, nameRange(b), fmt.Sprintf("%q is no name for an address group: it begins with a letter, holds letters, digits, _ and -, and is at most 63 long.", g.Name)))
		return
	}
	g.Description = d.text(b, "description", `"the children's devices"`).Value
	if d.require(b, "members", `members = ["192.168.1.0/24", "@other"]`) != nil {
		for _, t := range d.texts(b, "members", `"192.168.1.0/24"`) {
			if m, ok := d.member(t); ok {
				g.Members = append(g.Members, m)
			}
		}
	}
	if d.define("address_group "+g.Name, fmt.Sprintf("address group %q", g.Name), g.Range) {
		d.out.Groups = append(d.out.Groups, g)
	}
}

// member reads an address, a CIDR block or "@group".
func (d *decoder) member(t Text) (Member, bool) {
	if group, ok := strings.CutPrefix(t.Value, "@"); ok {
		return Member{Group: group, Range: t.Range}, true
	}
	p, ok := d.prefix(t)
	return Member{Prefix: p, Range: t.Range}, ok
}

// prefix reads an address or CIDR block.
func (d *decoder) prefix(t Text) (netip.Prefix, bool) {
	p, fault := ParsePrefix(t.Value)
	if fault.Code != "" {
		fault.Subject = t.Range
		d.diags.Add(fault)
	}
	return p, fault.Code == ""
}

// ParsePrefix reads an address or CIDR block as every part of the language
// writes it. A mistake is a diagnostic without a place; none has no code.
func ParsePrefix(s string) (netip.Prefix, diag.Diagnostic) {
	none := diag.Diagnostic{}
	if addr, err := netip.ParseAddr(s); err == nil && addr.Zone() == "" {
		addr = addr.Unmap()
		return netip.PrefixFrom(addr, addr.BitLen()), none
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return netip.Prefix{}, diag.New(diag.InvalidAddress, diag.Range{},
			fmt.Sprintf("%q is neither an IPv4 or IPv6 address nor a CIDR block such as 192.168.1.0/24 or 2001:db8::/32.", s))
	}
	if p.Addr().Is4In6() {
		return netip.Prefix{}, diag.New(diag.InvalidAddress, diag.Range{},
			fmt.Sprintf("%q is a block of IPv4-mapped addresses, which never appear on the wire. Write the IPv4 block.", s))
	}
	if p != p.Masked() {
		return p.Masked(), diag.New(diag.HostBitsSet, diag.Range{},
			fmt.Sprintf("%q has address bits to the right of its prefix length, so it is unclear whether the block or the one address is meant.", s)).
			WithHint(fmt.Sprintf("write '%s' for the block, or '%s' for the address", p.Masked(), p.Addr()))
	}
	return p, none
}

// nameInGroup reports whether a name can follow the @ of a reference.
func nameInGroup(s string) bool {
	if s == "" || len(s) > 63 || !isLetter(s[0]) {
		return false
	}
	for i := range len(s) {
		if c := s[i]; !isLetter(c) && !isDigit(c) && c != '_' && c != '-' {
			return false
		}
	}
	return true
}

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
