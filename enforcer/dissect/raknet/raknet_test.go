package raknet

import (
	"strings"
	"testing"

	"github.com/netpol/netpol/enforcer/dissect"
	"github.com/netpol/netpol/enforcer/dissect/dissecttest"
	"github.com/netpol/netpol/lang/fact"
)

const (
	ping      = "\x84\x01\x00\x00" + "\x00\x00\x48" + "\x00timestmp"                             // unreliable, 9 bytes
	reliable  = "\x84\x02\x00\x00" + "\x40\x00\x10" + "\x05\x00\x00" + "ab"                      // reliable, 2 bytes
	ordered   = "\x84\x03\x00\x00" + "\x60\x00\x10" + "\x06\x00\x00" + "\x00\x00\x00\x00" + "ab" // and ordered
	sequenced = "\x84\x04\x00\x00" + "\x20\x00\x08" + "\x06\x00\x00" + "\x00\x00\x00\x00" + "a"
	split     = "\x8c\x05\x00\x00" + "\x70\x00\x10" + "\x07\x00\x00" + "\x00\x00\x00\x00" + "\x00\x00\x00\x03\x00\x01\x00\x00\x00\x02" + "ab"
	two       = "\x84\x06\x00\x00" + "\x40\x00\x10\x08\x00\x00ab" + "\x40\x00\x08\x09\x00\x00c"
	ack       = "\xc0\x00\x02\x01\x01\x00\x00\x00\x03\x00\x00\x05\x00\x00"
)

func cases() []dissecttest.Case {
	udp, c, s := dissecttest.UDP, dissecttest.Client[string], dissecttest.Server[string]
	want := fact.Facts{Protocol: "raknet"}
	return []dissecttest.Case{
		{Name: "two frame sets", In: udp(60000, c(ping), c(reliable)), Result: dissect.Match, Want: want},
		{Name: "every kind of frame", In: udp(60000, c(ordered), c(sequenced)), Result: dissect.Match, Want: want},
		{Name: "a part of a larger message", In: udp(60000, c(split), c(two)), Result: dissect.Match, Want: want},
		{Name: "frame set and its acknowledgement", In: udp(60000, c(two), s(ack)), Result: dissect.Match, Want: want},
		{Name: "another kind between", In: udp(60000, c(two), s("x"), s(ack)), Result: dissect.Match, Want: want},
		{Name: "one frame set", In: udp(60000, c(ping)), Result: dissect.NeedMore},
		{Name: "acknowledgement of two records", In: udp(60000, s(ack)), Result: dissect.Match, Want: want},
		{Name: "acknowledgement of one record", In: udp(60000, s("\xc0\x00\x01\x01\x01\x00\x00")), Result: dissect.NeedMore},
		{Name: "a byte too many", In: udp(60000, c(ping+"x"), c(ping+"x")), Result: dissect.NoMatch},
		{Name: "a byte too few", In: udp(60000, c(ping[:len(ping)-1])), Result: dissect.NoMatch},
		{Name: "part 3 of 3 counted from 0", In: udp(60000, c(strings.Replace(split, "\x00\x00\x00\x02ab", "\x00\x00\x00\x03ab", 1))), Result: dissect.NoMatch},
		{Name: "acknowledged range upside down", In: udp(60000, s("\xc0\x00\x01\x00\x05\x00\x00\x03\x00\x00")), Result: dissect.NoMatch},
		{Name: "six, one of RakNet", In: udp(60000, c(ping), c("b"), c("c"), c("d"), c("e"), c("f")), Result: dissect.NoMatch},
	}
}

func TestDissector(t *testing.T) { dissecttest.Run(t, Dissector{}, cases()) }

func FuzzDissector(f *testing.F) { dissecttest.FuzzOne(f, Dissector{}, cases()) }
