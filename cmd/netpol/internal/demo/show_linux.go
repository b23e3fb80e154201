package demo

import (
	"context"
	"fmt"
	"net/netip"
	"sort"
	"strconv"
	"strings"

	"github.com/netpol/netpol/cmd/netpol/internal/lab"
)

// showConntrack prints the kernel's entries of the conversations, as
// conntrack -L -o labels would.
func (s *story) showConntrack(want []expectation, entries []entry) error {
	s.heading("What the kernel holds now")
	s.command("conntrack", "-L", "-o", "labels")
	about := map[connection]string{}
	for _, w := range want {
		about[w.key()] = w.about
	}
	sort.SliceStable(entries, func(i, j int) bool { return entries[i].label() > entries[j].label() })
	var rows [][]string
	for _, e := range entries {
		if _, ok := about[e.key()]; !ok {
			continue
		}
		label := ""
		if len(e.labels) > 0 {
			label = "labels=" + e.label()
		}
		rows = append(rows, []string{
			e.protoName(), "src=" + e.client.Addr().String(), "dst=" + e.server.Addr().String(),
			"sport=" + port(e.client), "dport=" + port(e.server), label,
		})
	}
	s.table(rows)
	return nil
}

func port(a netip.AddrPort) string { return strconv.Itoa(int(a.Port())) }

// showWire prints, for one Zoom connection of each kind and one that is not
// Zoom, the code point before and after, as tcpdump -v would.
func (s *story) showWire(want []expectation) error {
	s.heading("What leaves the router towards the Internet: the code point, before and after the label")
	s.command("tcpdump", "-nvi", lab.WAN)
	seen := trails(s.wan.Sightings())
	shown := map[string]bool{}
	for _, w := range want {
		t, ok := seen[w.key()]
		kind := kindOnWire(w)
		if !ok || kind == "" || shown[kind] || w.zoom() != (t.marked > 0) {
			continue
		}
		shown[kind] = true
		s.note("%s", w.about)
		s.printf("  %s\n", line(t.first))
		if t.marked > 0 && t.firstMarked != t.first {
			s.printf("  %s\n", line(t.firstMarked))
		}
		s.printf("  tos %#x on %d of %d\n", tosCS5, t.marked, t.packets)
	}
	return nil
}

// kindOnWire groups connections of which one is enough to show; empty for those
// that show nothing.
func kindOnWire(w expectation) string {
	switch {
	case w.zoom():
		return fmt.Sprintf("zoom %s %d", w.protoName(), w.client.Addr().BitLen())
	case w.proto == protoTCP && w.label == "":
		return "other"
	}
	return ""
}

// line is a packet in tcpdump's words.
func line(g lab.Sighting) string {
	proto := connection{proto: g.Proto}.protoName()
	if g.Src.Addr().Is6() {
		return fmt.Sprintf("IP6 (class %#x, hlim %d, next-header %s, length %d) %s > %s", g.TOS, g.TTL, strings.ToUpper(proto), g.Length, dotted(g.Src), dotted(g.Dst))
	}
	return fmt.Sprintf("IP (tos %#x, ttl %d, proto %s, length %d) %s > %s", g.TOS, g.TTL, strings.ToUpper(proto), g.Length, dotted(g.Src), dotted(g.Dst))
}

func dotted(a netip.AddrPort) string { return a.Addr().String() + "." + port(a) }

// checkWire says which connections have not the code point they must have.
func (s *story) checkWire(want []expectation) []string {
	up, down := trails(s.wan.Sightings()), trails(s.lan.Sightings())
	var wrong []string
	for _, w := range want {
		marked := up[w.key()].marked + down[w.key()].marked
		switch zoom := w.zoom(); {
		case zoom && marked == 0 && w.seen:
			wrong = append(wrong, fmt.Sprintf("%s -> %s (%s): no packet has tos %#x", w.client, w.server, w.about, tosCS5))
		case !zoom && marked > 0 && !w.coloured:
			wrong = append(wrong, fmt.Sprintf("%s -> %s (%s): %d packets have tos %#x, want none", w.client, w.server, w.about, marked, tosCS5))
		}
	}
	return wrong
}

// showWhy asks the enforcer about the first Zoom connection.
func (s *story) showWhy(ctx context.Context, want []expectation) error {
	for _, w := range want {
		if !w.zoom() {
			continue
		}
		s.heading("Why")
		_, err := s.netpol(ctx, "why", w.protoName(), w.client.String(), w.server.String())
		return err
	}
	return nil
}
