package compiler

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/compiler/emit/nft"
)

// Part is one file of a compiled bundle's directory.
type Part struct {
	Name string
	Data []byte
}

// Parts are the bundle itself and what of it a person can read, as files. The
// disassembly comes from the caller, because only the enforcer's side can read
// a program: program.Disassemble(b).
func Parts(b *artifact.Bundle, disassembly string) ([]Part, error) {
	encoded, err := artifact.Encode(b)
	if err != nil {
		return nil, err
	}
	manifest, err := manifest(b)
	if err != nil {
		return nil, fmt.Errorf("encode manifest: %w", err)
	}
	return []Part{
		{"bundle.npb", encoded},
		{"connlabel.conf", connlabels(b.Labels)},
		{"manifest.json", manifest},
		{"program.disasm", []byte(disassembly)},
		{"ruleset.nft", nft.Text(b.Ruleset, b.Labels)},
	}, nil
}

// connlabels is the labels in the format of connlabel.conf (libnetfilter_conntrack
// and iptables read the same): bit, blank, name.
func connlabels(labels []artifact.Label) []byte {
	var w strings.Builder
	for _, l := range labels {
		fmt.Fprintf(&w, "%d %s\n", l.Bit, l.Name)
	}
	return []byte(w.String())
}

// manifestVersion goes up when a reader of manifest.json would have to change.
const manifestVersion = 1

// manifest says in JSON what the bundle is and does, without the parts that
// only the enforcer reads. Field order and content are stable.
func manifest(b *artifact.Bundle) ([]byte, error) {
	var w strings.Builder
	enc := json.NewEncoder(&w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err := enc.Encode(struct {
		Version   int               `json:"version"`
		Digest    string            `json:"digest"` // of the bundle
		Format    int               `json:"format"`
		ABI       string            `json:"abi"`
		Catalogue string            `json:"catalogue"` // digest
		Settings  artifact.Settings `json:"settings"`
		Labels    []artifact.Label  `json:"labels"`
		Policies  []artifact.Policy `json:"policies"`
	}{manifestVersion, b.Digest(), b.Format, b.ABI, b.Catalogue.Digest, b.Settings, b.Labels, b.Policies})
	return []byte(w.String()), err
}
