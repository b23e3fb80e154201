package nft

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/netpol/netpol/compiler/artifact"
)

// outChains note by a label which interface a connection's first packet leaves
// by. That is known where packets are forwarded and where the router sends its
// own, before any verdict; later rules, and those for replies, ask for the label.
func outChains(list []Out, t *packetTests) []artifact.Chain {
	if len(list) == 0 {
		return nil
	}
	var out []artifact.Chain
	priority := min(priorityDecide(t.settings), t.settings.Priority-2) // before what asks for the label
	for _, hook := range []string{"forward", "output"} {
		c := artifact.Chain{Name: "np_leaving_" + hook, Hook: hook, Type: "filter", Priority: priority}
		for _, o := range list {
			c.Rules = append(c.Rules, artifact.Rule{
				ID: "leaving-" + hook + "/" + o.Label.Name, Comment: "the interface that a connection leaves by",
				Match: append([]artifact.Match{{Kind: artifact.MatchCTStatus, Name: "confirmed", Not: true}}, t.leaving(o)...),
				Do:    []artifact.Statement{{Kind: artifact.DoSetCTLabel, Name: o.Label.Name, Bit: o.Label.Bit}},
			})
		}
		out = append(out, c)
	}
	return out
}

// leaving asks for the names, one by itself and several by a set.
func (t *packetTests) leaving(o Out) []artifact.Match {
	switch len(o.Names) {
	case 0: // any interface at all
		return nil
	case 1:
		return []artifact.Match{{Kind: artifact.MatchOIFName, Name: o.Names[0], Not: o.Invert}}
	}
	sum := sha256.Sum256([]byte(strings.Join(o.Names, ",")))
	s := artifact.Set{Name: "np_out_" + hex.EncodeToString(sum[:4]), Type: artifact.SetDevice}
	for _, name := range o.Names {
		b := make([]byte, artifact.SetDevice.Width())
		copy(b, name)
		s.Elements = append(s.Elements, artifact.Element{Low: b, High: b})
	}
	t.sets[s.Name] = s
	return []artifact.Match{{Kind: artifact.MatchOIFName, Set: s.Name, Not: o.Invert}}
}
