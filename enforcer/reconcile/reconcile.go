package reconcile

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"slices"
)

// Object is one thing on the router: a policy, a label, a chain, a rule.
// Kind and ID identify it; two objects of a State never share both. Objects
// are equal iff their bodies are.
type Object struct {
	Kind string `json:"kind"`
	ID   string `json:"id"`
	Body string `json:"body"` // canonical text
	// Summary is shown to people instead of Body; empty means Body.
	Summary string `json:"summary,omitempty"`
}

type key struct{ kind, id string }

func (o Object) key() key { return key{o.Kind, o.ID} }

// State is all of a router, in the order in which people are shown it. What
// depends on order (the rules of a chain) says so in a body.
type State struct {
	Objects []Object `json:"objects"`
}

// Digest is a sha256 in hex over all objects, whatever their order; summaries
// do not count. Equal digests mean that Diff finds nothing.
func (s State) Digest() string {
	objects := slices.Clone(s.Objects)
	slices.SortFunc(objects, compare)
	h := sha256.New()
	for _, o := range objects {
		writeField(h, o.Kind)
		writeField(h, o.ID)
		writeField(h, o.Body)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// writeField writes a length before the text, so that no two lists of fields
// give the same bytes. A hash never fails to write.
func writeField(h hash.Hash, s string) {
	var n [8]byte
	binary.BigEndian.PutUint64(n[:], uint64(len(s)))
	_, _ = h.Write(n[:])
	_, _ = h.Write([]byte(s))
}
