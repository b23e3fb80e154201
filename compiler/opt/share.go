package opt

import (
	"fmt"
	"strings"

	"github.com/netpol/netpol/compiler/ir"
)

// share makes equal conditions one node over the whole set, so that memory and
// later passes pay once for a condition that many policies repeat, such as an
// exemption of the whole set.
func share(policies []ir.Policy) {
	s := sharer{ids: map[string]int{}}
	for i := range policies {
		policies[i].Cond, _ = s.unique(policies[i].Cond)
	}
}

// sharer numbers distinct conditions; nodes[id] is the one that is kept.
type sharer struct {
	ids   map[string]int
	nodes []ir.Expr
}

// unique returns the kept node that equals e, and its number.
func (s *sharer) unique(e ir.Expr) (ir.Expr, int) {
	switch e := e.(type) {
	case *ir.And:
		list, key := s.uniqueAll("and", e.List)
		return s.keep(key, &ir.And{List: list, Range: e.Range})
	case *ir.Or:
		list, key := s.uniqueAll("or", e.List)
		return s.keep(key, &ir.Or{List: list, Range: e.Range})
	case *ir.Not:
		x, id := s.unique(e.X)
		return s.keep(fmt.Sprintf("not %d", id), &ir.Not{X: x, Range: e.Range})
	case *ir.Const, *ir.Compare, *ir.Residual:
	}
	return s.keep("= "+keyOf(e), e)
}

func (s *sharer) uniqueAll(word string, in []ir.Expr) ([]ir.Expr, string) {
	out := make([]ir.Expr, len(in))
	var key strings.Builder
	key.WriteString(word)
	for i, e := range in {
		x, id := s.unique(e)
		out[i] = x
		fmt.Fprintf(&key, " %d", id)
	}
	return out, key.String()
}

func (s *sharer) keep(key string, e ir.Expr) (ir.Expr, int) {
	if id, ok := s.ids[key]; ok {
		return s.nodes[id], id
	}
	s.ids[key] = len(s.nodes)
	s.nodes = append(s.nodes, e)
	return e, len(s.nodes) - 1
}
