package netify

import (
	"net/netip"
	"strings"

	"github.com/netpol/netpol/lang/importer"
)

// exemptions converts a list of exemptions: addresses, which match either end,
// and criteria. ok is false when one of them was lost.
func (r *run) exemptions(v *value) (out []string, ok bool) {
	list, ok := r.strings(v, "exemptions")
	var addresses []string
	for _, s := range list {
		trimmed := strings.TrimSpace(s.text)
		switch {
		case isAddress(trimmed):
			a, good := r.exemptAddress(s, trimmed)
			ok = ok && good
			if good {
				addresses = append(addresses, importer.QuoteText(a))
			}
		case macText.MatchString(trimmed):
			m := importer.QuoteText(strings.ToLower(trimmed))
			r.report(importer.Assumed, s.from, s.to, "Netify's documentation exempts IP addresses; taken as the hardware address of either end.")
			out = append(out, "local_mac == "+m+" || other_mac == "+m)
		case strings.HasPrefix(trimmed, "@") && groupText.MatchString(trimmed[1:]):
			r.report(importer.UndefinedGroup, s.from, s.to, "The members of %s are not in this file. Write an address_group block with them, and exempt = \"local_ip in '%s' || other_ip in '%s'\".", trimmed, trimmed, trimmed)
			ok = false
		default:
			c, good := r.criteria(s)
			ok = ok && good
			if good && c.Shape != importer.Never {
				out = append(out, c.Text)
			}
		}
	}
	if len(addresses) > 0 {
		set := addresses[0]
		op := " == "
		if len(addresses) > 1 || strings.Contains(set, "/") {
			op, set = " in ", "["+strings.Join(addresses, ", ")+"]"
		}
		out = append([]string{"local_ip" + op + set + " || other_ip" + op + set}, out...)
	}
	return out, ok
}

// exemptAddress is a bare address or block as netpol writes it.
func (r *run) exemptAddress(v *value, s string) (string, bool) {
	if addr, err := netip.ParseAddr(s); err == nil {
		return addr.Unmap().String(), true
	}
	p, err := netip.ParsePrefix(s)
	if err != nil || p.Addr().Is4In6() {
		r.report(importer.NotConverted, v.from, v.to, "A block of IPv4-mapped addresses never appears on the wire. Write the IPv4 block.")
		return "", false
	}
	r.report(importer.Assumed, v.from, v.to, "Netify's documentation exempts addresses, not blocks of them; taken as the block %s.", p.Masked())
	return p.Masked().String(), true
}

// globalExemptions converts the exemptions of all actions.
func (r *run) globalExemptions(v *value) {
	list, ok := r.exemptions(v)
	r.exempt = list
	if !ok {
		r.unexempt = true
		r.report(importer.PolicyDisabled, v.from, v.to, "An exemption for all actions was lost, so every policy is switched off: without it they would reach further.")
	}
}

// actionExemptions converts the exemptions of one action.
func (r *run) actionExemptions(a *action, v *value) {
	list, ok := r.exemptions(v)
	a.exempt = list
	if !ok {
		a.disable("an exemption could not be converted")
	}
}
