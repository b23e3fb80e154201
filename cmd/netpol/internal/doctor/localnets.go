package doctor

import (
	"encoding/hex"
	"fmt"
	"math/bits"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// localNetworks looks for networks behind this router whose hosts its policies take
// for outside: public ones, of interfaces that no default route leads by.
func localNetworks(m Machine) []Finding {
	if m.Bundle == nil {
		return nil
	}
	const check = "local networks"
	inside := m.Bundle.Settings.Inside()
	var list []Finding
	for _, n := range m.attached() {
		if slices.ContainsFunc(inside, func(p netip.Prefix) bool { return p.Contains(n.net.Addr()) }) {
			continue
		}
		list = append(list, Finding{
			check, Warn, fmt.Sprintf("%s has %s, which the policies take for outside: local_ip, origin and host limits are not of its hosts", n.device, n.net),
			fmt.Sprintf(`if its hosts are yours, add %q to local_networks in the netpol block`, n.net),
		})
	}
	if len(list) == 0 {
		return good(check, "what is attached is local, or lies towards the default route")
	}
	return list
}

// network is one that an interface is in.
type network struct {
	device string
	net    netip.Prefix
}

// attached are the networks of interfaces that no default route leads by; none where
// there is no default route, because then no side is the outer one.
func (m Machine) attached() []network {
	four, outer4 := m.routes4()
	six, outer6 := m.addresses6(), m.defaults6()
	if len(outer4)+len(outer6) == 0 {
		return nil
	}
	var out []network
	for _, n := range append(four, six...) {
		if !slices.Contains(outer4, n.device) && !slices.Contains(outer6, n.device) && !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	return out
}

// routes4 are the networks on links and the interfaces of default routes (proc(5),
// /proc/net/route: numbers in the machine's byte order, in hexadecimal).
func (m Machine) routes4() (links []network, outer []string) {
	for line := range strings.Lines(m.read("/proc/net/route")) {
		f := strings.Fields(line)
		if len(f) < 8 {
			continue
		}
		to, err := strconv.ParseUint(f[1], 16, 32)
		via, err2 := strconv.ParseUint(f[2], 16, 32)
		mask, err3 := strconv.ParseUint(f[7], 16, 32)
		switch {
		case err != nil || err2 != nil || err3 != nil:
		case mask == 0:
			outer = append(outer, f[0])
		case via == 0:
			a := netip.AddrFrom4([4]byte{byte(to), byte(to >> 8), byte(to >> 16), byte(to >> 24)})
			links = append(links, network{f[0], netip.PrefixFrom(a, bits.OnesCount64(mask))})
		}
	}
	return links, outer
}

// addresses6 are the networks of interfaces' addresses (/proc/net/if_inet6).
func (m Machine) addresses6() (links []network) {
	const global = "00" // scope
	for line := range strings.Lines(m.read("/proc/net/if_inet6")) {
		f := strings.Fields(line)
		if len(f) != 6 || f[3] != global {
			continue
		}
		length, err := strconv.ParseUint(f[2], 16, 8)
		if p, ok := prefix6(f[0], int(length)); ok && err == nil {
			links = append(links, network{f[5], p})
		}
	}
	return links
}

// defaults6 are the interfaces of default routes (/proc/net/ipv6_route); the one that
// refuses what there is no route to is none.
func (m Machine) defaults6() (outer []string) {
	for line := range strings.Lines(m.read("/proc/net/ipv6_route")) {
		f := strings.Fields(line)
		if len(f) == 10 && f[1] == "00" && f[9] != "lo" {
			outer = append(outer, f[9])
		}
	}
	return outer
}

func prefix6(text string, length int) (netip.Prefix, bool) {
	raw, err := hex.DecodeString(text)
	a, ok := netip.AddrFromSlice(raw)
	if err != nil || !ok || !a.Is6() {
		return netip.Prefix{}, false
	}
	p, err := a.Prefix(length)
	return p, err == nil
}
