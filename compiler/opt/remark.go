package opt

import "github.com/netpol/netpol/compiler/ir"

// remark finds the policies whose mark packets have to write again. A policy that asks
// something of packets has rules that write its mark on each of them; of bits that an
// earlier policy, decided once, has written otherwise, they would be the last word,
// although the first policy's counts. A policy that writes again is such a later one to those
// before it.
func remark(policies []ir.Policy) {
	var later []*ir.Policy
	for i := len(policies) - 1; i >= 0; i-- {
		p := &policies[i]
		if p.Mark == nil || p.Audit {
			continue
		}
		if !p.Lasting() {
			later = append(later, p)
			continue
		}
		for _, o := range later {
			if (p.Mark.Value^o.Mark.Value)&p.Mark.Mask&o.Mark.Mask != 0 && !exclude(p.Cond, o.Cond) {
				p.Remarks = true
				later = append(later, p)
				break
			}
		}
	}
}
