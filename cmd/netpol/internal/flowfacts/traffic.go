package flowfacts

import (
	"fmt"

	"github.com/netpol/netpol/lang/fact"
)

// What a flow is taken for where it does not say: a young one of small packets,
// and full packets of Ethernet where bytes are given alone.
const (
	youngPackets = 2
	youngBytes   = 60 // a packet
	fullBytes    = 1500
)

// meter is a counter under its five names.
type meter struct{ total, src, dst, local, other *int }

func bytesOf(f *fact.Facts) meter {
	return meter{&f.TotalBytes, &f.SrcBytes, &f.DstBytes, &f.LocalBytes, &f.OtherBytes}
}

func packetsOf(f *fact.Facts) meter {
	return meter{&f.TotalPackets, &f.SrcPackets, &f.DstPackets, &f.LocalPackets, &f.OtherPackets}
}

func ratesOf(f *fact.Facts) meter {
	return meter{&f.TotalRate, &f.SrcRate, &f.DstRate, &f.LocalRate, &f.OtherRate}
}

// Traffic fills in the counters that follow from those that are not 0. A total
// that says nothing of the sides is half of each; packets are full where only
// bytes are given, and bytes are those of full packets where only packets are.
// A flow that says nothing of either is at its second packet.
func Traffic(f *fact.Facts) {
	inward := isInward(f)
	packets, bytes := packetsOf(f), bytesOf(f)
	packets.sides(inward)
	bytes.sides(inward)
	if *packets.src+*packets.dst == 0 && *bytes.src+*bytes.dst == 0 {
		*packets.src, *bytes.src = youngPackets, youngPackets*youngBytes
	}
	if *packets.src+*packets.dst == 0 {
		*packets.src, *packets.dst = (*bytes.src+fullBytes-1)/fullBytes, (*bytes.dst+fullBytes-1)/fullBytes
	}
	if *bytes.src+*bytes.dst == 0 {
		*bytes.src, *bytes.dst = *packets.src*fullBytes, *packets.dst*fullBytes
	}
	*packets.src = max(*packets.src, 1) // somebody opened it
	packets.names(inward)
	bytes.names(inward)
	rates := ratesOf(f)
	rates.sides(inward)
	rates.names(inward)
}

// sides finds what each side sent.
func (m meter) sides(inward bool) {
	local, other := m.src, m.dst
	if inward {
		local, other = other, local
	}
	for _, p := range [][2]*int{{local, m.local}, {other, m.other}} {
		if *p[0] == 0 {
			*p[0] = *p[1]
		}
	}
	switch left := *m.total - *m.src - *m.dst; {
	case left <= 0:
	case *m.src == 0 && *m.dst == 0:
		*m.src, *m.dst = left-left/2, left/2
	case *m.src == 0:
		*m.src = left
	default:
		*m.dst += left
	}
}

// names writes the other names of the sides.
func (m meter) names(inward bool) {
	*m.total = *m.src + *m.dst
	*m.local, *m.other = *m.src, *m.dst
	if inward {
		*m.local, *m.other = *m.dst, *m.src
	}
}

// Conflict says which counters of a flow contradict each other; empty for none.
func Conflict(f *fact.Facts) string {
	inward := isInward(f)
	for _, x := range []struct {
		what string
		m    meter
	}{{"bytes", bytesOf(f)}, {"packets", packetsOf(f)}, {"rate", ratesOf(f)}} {
		if text := x.m.conflict(x.what, inward); text != "" {
			return text
		}
	}
	return ""
}

func (m meter) conflict(what string, inward bool) string {
	local, other := m.local, m.other
	if inward {
		local, other = other, local
	}
	src, dst := max(*m.src, *local), max(*m.dst, *other)
	differ := func(a, b int) bool { return a != 0 && b != 0 && a != b }
	switch {
	case differ(*m.src, *local) || differ(*m.dst, *other):
		return fmt.Sprintf("The %s of one side has two values, under its two names.", what)
	case *m.total == 0:
	case src != 0 && dst != 0 && src+dst != *m.total:
		return fmt.Sprintf("total_%s is %d, but the two sides make %d.", what, *m.total, src+dst)
	case src > *m.total || dst > *m.total:
		return fmt.Sprintf("total_%s is %d, but one side alone has %d.", what, *m.total, max(src, dst))
	}
	return ""
}

// isInward says that the flow's local side is the one that it was opened to.
func isInward(f *fact.Facts) bool {
	return f.LocalIP.IsValid() && f.LocalIP == f.DstIP && f.LocalIP != f.SrcIP
}
