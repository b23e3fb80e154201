package all

import (
	"encoding/hex"
	"strings"
	"testing"

	"github.com/netpol/netpol/enforcer/dissect"
	"github.com/netpol/netpol/enforcer/dissect/dissecttest"
	"github.com/netpol/netpol/lang/fact"
)

// opening is what an implementation of a protocol sends first, written from the
// specification, and the name that it must get. The lists stand in files by
// kind: they are the audit of what is recognised, and of what is not mistaken.
type opening struct {
	name, want string
	in         dissecttest.Flow
}

// The shorthands that the lists are written with.
var (
	c, s     = dissecttest.Client[string], dissecttest.Server[string]
	tcp, udp = dissecttest.TCP, dissecttest.UDP
)

// oddPort is registered for nothing.
const oddPort = 40123

// x is bytes written in hexadecimal; the digits may stand in groups.
func x(digits string) string {
	b, err := hex.DecodeString(strings.Join(strings.Fields(digits), ""))
	if err != nil {
		panic("openings: " + digits)
	}
	return string(b)
}

// zeros, and anything else that a length asks for.
func zeros(n int) string { return strings.Repeat("\x00", n) }

// noise is n bytes that look like nothing (xorshift32).
func noise(n int) string {
	b := make([]byte, n)
	seed := uint32(2463534242)
	for i := range b {
		seed ^= seed << 13
		seed ^= seed >> 17
		seed ^= seed << 5
		b[i] = byte(seed >> 8)
	}
	return string(b)
}

// tlv is an element of BER with its length in the shortest form (X.690 section 8.1).
func tlv(tag byte, content string) string {
	n := len(content)
	switch {
	case n < 0x80:
		return string([]byte{tag, byte(n)}) + content
	case n < 0x100:
		return string([]byte{tag, 0x81, byte(n)}) + content
	}
	return string([]byte{tag, 0x82, byte(n >> 8), byte(n)}) + content
}

// prefixed is a message behind its length in so many bytes of network order,
// counted with extra.
func prefixed(width, extra int, message string) string {
	n := len(message) + extra
	b := make([]byte, width)
	for i := range b {
		b[i] = byte(n >> (8 * (width - 1 - i)))
	}
	return string(b) + message
}

func openings() (all []opening) {
	for _, list := range [][]opening{
		mailOpenings(), textOpenings(), webOpenings(), callOpenings(), databaseOpenings(), brokerOpenings(),
		directoryOpenings(), serviceOpenings(), routingOpenings(), tunnelOpenings(), remoteOpenings(), sharingOpenings(),
		plantOpenings(),
	} {
		all = append(all, list...)
	}
	return all
}

// identify grows a flow packet by packet, or byte by byte, as the engine does,
// and gives the name that it ends with.
func identify(t *testing.T, scheduler *dissect.Scheduler, fl dissecttest.Flow, bytewise bool) string {
	t.Helper()
	candidates := scheduler.Start(!fl.UDP, fl.SrcPort, fl.DstPort)
	var f fact.Facts
	named := ""
	cut := 0
	for _, p := range fl.Packets {
		steps := []int{len(p.Data)}
		if fl.UDP {
			steps[0] = 1
		} else if bytewise {
			steps = make([]int, len(p.Data))
			for i := range steps {
				steps[i] = 1
			}
		}
		for _, n := range steps {
			if cut += n; candidates.Empty() {
				break
			}
			scheduler.Run(&candidates, fl.Window(cut), &f)
			if named != "" && f.Protocol == "" {
				t.Errorf("named %q after %d and nothing after %d", named, cut-n, cut)
			}
			named = f.Protocol
		}
	}
	if !candidates.Empty() { // the connection ends
		fl = fl.Close()
		scheduler.Run(&candidates, fl.Whole(), &f)
	}
	return f.Protocol
}

// TestOpenings: every opening gets its name, in whole packets and byte by byte,
// and from a flow whose ends are the wrong way round, as they are in one that
// is first seen midway.
func TestOpenings(t *testing.T) {
	scheduler, err := dissect.NewScheduler(Dissectors(), dissect.Fuse{})
	if err != nil {
		t.Fatal(err)
	}
	seen := make(map[string]bool)
	for _, o := range openings() {
		if seen[o.want+o.name] {
			t.Errorf("%s: %s stands here twice", o.want, o.name)
		}
		seen[o.want+o.name] = true
		t.Run(o.want+"/"+o.name, func(t *testing.T) {
			if got := identify(t, scheduler, o.in, false); got != o.want {
				t.Errorf("got %q, want %q", got, o.want)
			}
			if !o.in.UDP && len(o.in.Packets[0].Data) <= 512 {
				if got := identify(t, scheduler, o.in, true); got != o.want {
					t.Errorf("byte by byte: got %q, want %q", got, o.want)
				}
			}
			if got := identify(t, scheduler, turned(o.in), false); got != o.want {
				t.Errorf("turned around: got %q, want %q", got, o.want)
			}
		})
	}
}

// turned is the flow as one that the other side opened.
func turned(fl dissecttest.Flow) dissecttest.Flow {
	out := fl
	out.SrcPort, out.DstPort = fl.DstPort, fl.SrcPort
	out.Packets = nil
	for _, p := range fl.Packets {
		p.From = 1 - p.From
		out.Packets = append(out.Packets, p)
	}
	return out
}
