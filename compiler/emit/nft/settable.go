package nft

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/netpol/netpol/compiler/artifact"
)

// setTable collects the sets of a table. A set's name follows from what is in
// it, so that equal constants are one set and a plan shows a set changed only
// when it has.
type setTable struct {
	byName map[string]artifact.Set
	known  map[string]string // names of sets that are no author's, by content
}

func newSetTable(s space) setTable {
	return setTable{byName: map[string]artifact.Set{}, known: map[string]string{
		content(artifact.SetAddr4, s.region(s.local[0])): "np_local4",
		content(artifact.SetAddr6, s.region(s.local[1])): "np_local6",
		content(artifact.SetProto, s.region(s.ports)):    "np_with_ports",
	}}
}

func content(typ artifact.SetType, r region) string { return string(typ) + "\x00" + r.key() }

// add is the name of the set of a region.
func (t setTable) add(typ artifact.SetType, r region) string {
	key := content(typ, r)
	name, ok := t.known[key]
	if !ok {
		sum := sha256.Sum256([]byte(key))
		name = namePrefix(typ) + hex.EncodeToString(sum[:6])
	}
	if _, ok := t.byName[name]; ok {
		return name
	}
	s := artifact.Set{Name: name, Type: typ}
	for _, v := range r {
		s.Elements = append(s.Elements, artifact.Element{Low: []byte(v.low), High: []byte(v.high)})
	}
	t.byName[name] = s
	return name
}

// addMap is the name of a map of verdicts. Elements are sorted here.
func (t setTable) addMap(typ artifact.SetType, elements []artifact.Element) string {
	slices.SortFunc(elements, func(a, b artifact.Element) int { return bytes.Compare(a.Low, b.Low) })
	sum := sha256.New()
	sum.Write([]byte(typ))
	for _, e := range elements {
		sum.Write(e.Low)
		sum.Write(e.High)
		sum.Write([]byte(e.Jump + "\x00"))
	}
	name := "np_v" + strings.TrimPrefix(namePrefix(typ), "np_") + hex.EncodeToString(sum.Sum(nil)[:6])
	t.byName[name] = artifact.Set{Name: name, Type: typ, Map: true, Elements: elements}
	return name
}

func namePrefix(typ artifact.SetType) string {
	switch typ {
	case artifact.SetAddr4:
		return "np_ip4_"
	case artifact.SetAddr6:
		return "np_ip6_"
	case artifact.SetProto:
		return "np_proto_"
	case artifact.SetService:
		return "np_port_"
	case artifact.SetDevice:
		return "np_dev_"
	default:
		return "np_set_"
	}
}

func (t setTable) list() []artifact.Set {
	var out []artifact.Set
	for _, s := range t.byName {
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b artifact.Set) int { return strings.Compare(a.Name, b.Name) })
	return out
}
