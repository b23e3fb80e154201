//go:build linux

package nft

import (
	"fmt"
	"strings"

	"github.com/netpol/netpol/compiler/artifact"
)

// everyMap is the set as a map that jumps to two chains in turn.
func everyMap(s artifact.Set) artifact.Set {
	s.Map = true
	for i := range s.Elements {
		s.Elements[i].Jump = [...]string{"np_plain", "np_plain2"}[i%2]
	}
	return s
}

// rangesAndMaps are the matches of each range form that nft has, and a vmap of
// each key.
func rangesAndMaps() []artifact.Rule {
	var out []artifact.Rule
	family := func(k artifact.MatchKind) []artifact.Match {
		switch k.SetType() {
		case artifact.SetAddr4:
			return []artifact.Match{{Kind: artifact.MatchFamily, Value: 4}}
		case artifact.SetAddr6:
			return []artifact.Match{{Kind: artifact.MatchFamily, Value: 6}}
		default:
			return nil
		}
	}
	six := func(s string) string { return "\x20\x01\x0d\xb8" + strings.Repeat(s, 12) }
	for _, not := range []bool{false, true} {
		for kind, ends := range map[artifact.MatchKind][]string{
			artifact.MatchSaddr4: {"\x0a\x00\x00\x00", "\x0a\xff\xff\xff", "\x0a\x00\x00\x00", "\x0a\x7f\xff\xff", "\x0a\x00\x00\x01", "\x0a\x00\x00\x01", "\x0a\x00\x00\x01", "\x0a\x00\x00\x09", "\x80\x00\x00\x00", "\xff\xff\xff\xff"},
			artifact.MatchDaddr4: {"\x0a\x00\x00\x00", "\x0a\x00\x00\xff"},
			artifact.MatchSaddr6: {six("\x00"), six("\xff"), six("\x00"), six("\x01"), six("\x01"), six("\x01")},
			artifact.MatchDaddr6: {six("\x00"), "\x20\x01\x0d\xb8\x00\x00\x0f" + strings.Repeat("\xff", 9), six("\x00"), "\x20\x01\x0d\xb8\x00\x00\x00" + strings.Repeat("\xff", 9)},
			artifact.MatchSport:  {"\x00\x00", "\x00\xff", "\x00\x01", "\xff\xff"},
			artifact.MatchDport:  {"\x1f\x40", "\x1f\x41"}, artifact.MatchL4Proto: {"\x06", "\x11"},
		} {
			for i := 0; i < len(ends); i += 2 {
				out = append(out, artifact.Rule{
					ID:    fmt.Sprintf("range/%s/%d/%v", kind, i, not),
					Match: append(family(kind), artifact.Match{Kind: kind, Not: not, Low: []byte(ends[i]), High: []byte(ends[i+1])}),
					Do:    []artifact.Statement{{Kind: artifact.DoDrop}},
				})
			}
		}
	}
	for kind, name := range map[artifact.MatchKind]string{
		artifact.MatchSaddr4: "ip4", artifact.MatchDaddr4: "ip4", artifact.MatchSaddr6: "ip6", artifact.MatchDaddr6: "ip6",
		artifact.MatchSport: "port", artifact.MatchDport: "port", artifact.MatchL4Proto: "proto", artifact.MatchIIFName: "dev",
	} {
		out = append(out, artifact.Rule{
			ID: "vmap/" + string(kind), Match: family(kind),
			Do: []artifact.Statement{{Kind: artifact.DoVMap, Key: kind, Name: "np_v" + name}},
		})
	}
	return out
}
