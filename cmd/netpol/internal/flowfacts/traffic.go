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
	inward := f.LocalIP.IsValid() && f.LocalIP == f.DstIP && f.LocalIP != f.SrcIP
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
	g := *f
	Traffic(&g)
	for _, x := range []struct {
		what     string
		was, now meter
	}{{"bytes", bytesOf(f), bytesOf(&g)}, {"packets", packetsOf(f), packetsOf(&g)}, {"rate", ratesOf(f), ratesOf(&g)}} {
		for name, p := range map[string][2]*int{
			"total": {x.was.total, x.now.total}, "src": {x.was.src, x.now.src}, "dst": {x.was.dst, x.now.dst},
			"local": {x.was.local, x.now.local}, "other": {x.was.other, x.now.other},
		} {
			if *p[0] != 0 && *p[0] != *p[1] {
				return fmt.Sprintf("%s_%s is %d, but by the other counters it is %d.", name, x.what, *p[0], *p[1])
			}
		}
	}
	return ""
}
