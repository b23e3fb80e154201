package lang

import (
	"bytes"
	"fmt"
	"net"
	"net/netip"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/netpol/netpol/lang/diag"
)

// ListSuffix ends the names of files that an address_group reads.
const ListSuffix = ".txt"

// memberCost is what one line of a file of addresses takes from the budget; see
// cost.go.
const memberCost = 32

func (d *decoder) decodeAddressGroup(b *hclsyntax.Block) {
	g := &AddressGroup{Name: d.qualify(b.Labels[0]), Module: d.module, Range: headerRange(b)}
	if !d.checkGroupName(b, "an address group") {
		return
	}
	g.Description = d.text(b, "description", `"the children's devices"`).Value
	_, fromFile := b.Body.Attributes["file"]
	if fromFile {
		g.Members = d.fileMembers(d.text(b, "file", `"./kids.txt"`))
	} else {
		d.require(b, "members", `members = ["192.168.1.0/24", "@other"]`)
	}
	for _, t := range d.texts(b, "members", `"192.168.1.0/24"`) {
		if m, ok := d.member(t); ok {
			g.Members = append(g.Members, m)
		}
	}
	if d.define("address_group "+b.Labels[0], fmt.Sprintf("address group %q", b.Labels[0]), g.Range) {
		d.out.Groups = append(d.out.Groups, g)
	}
}

// checkGroupName reports a name that could not follow the @ of a reference.
func (d *decoder) checkGroupName(b *hclsyntax.Block, what string) bool {
	if nameInGroup(b.Labels[0]) {
		return true
	}
	d.diags.Add(diag.New(diag.InvalidName, nameRange(b), fmt.Sprintf("%q is not a name for %s: it begins with a letter, holds letters, digits, _ and -, and is at most 63 long.", b.Labels[0], what)))
	return false
}

// fileMembers reads the members of a group from a text file: one a line, with
// comments after a #.
func (d *decoder) fileMembers(named Text) []Member {
	if named.Range.IsZero() {
		return nil
	}
	name, why := inside(d.dir, named.Value)
	if why == "" && !strings.HasSuffix(name, ListSuffix) {
		// What is wrong with a file is shown with its lines, so it is none that
		// was not meant to be a list.
		why = "a list of addresses is a file whose name ends in " + ListSuffix
	}
	if why != "" {
		d.diags.Add(diag.New(diag.InvalidPath, named.Range, fmt.Sprintf("%q cannot be read: %s.", named.Value, why)))
		return nil
	}
	src, ok := d.readFile(name, named.Range)
	if !ok || !checkText(name, src, &d.diags) || !d.spend(memberCost*bytes.Count(src, []byte{'\n'}), named.Range) {
		return nil
	}
	out := make([]Member, 0, bytes.Count(src, []byte{'\n'})+1)
	faults := 0
	at := diag.Pos{Line: 1, Column: 1}
	for line := range strings.Lines(string(src)) {
		text, _, _ := strings.Cut(line, "#")
		indent := len(text) - len(strings.TrimLeft(text, " \t"))
		text = strings.TrimSpace(text)
		if text != "" {
			from := advance(at, line[:indent])
			t := Text{text, diag.Range{Filename: name, Start: from, End: advance(from, text)}}
			if m, ok := d.member(t); ok {
				out = append(out, m)
			} else if faults++; faults == maxSame {
				return out // most likely it is a file of something else
			}
		}
		at = diag.Pos{Line: at.Line + 1, Column: 1, Byte: at.Byte + len(line)}
	}
	return out
}

// member reads an address, a CIDR block, a hardware address or "@group".
func (d *decoder) member(t Text) (Member, bool) {
	if group, ok := strings.CutPrefix(t.Value, "@"); ok {
		return Member{Group: group, Range: t.Range}, true
	}
	// Eight bytes in colons would be an IPv6 address as well, and six are none.
	if mac, err := net.ParseMAC(t.Value); err == nil && len(mac) == 6 {
		return Member{MAC: mac.String(), Range: t.Range}, true
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
