package cli

import (
	"errors"
	"regexp"
	"strings"
	"sync"

	"github.com/netpol/netpol/cmd/netpol/internal/view"
	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/flow"
	"github.com/netpol/netpol/enforcer/telemetry"
	"github.com/netpol/netpol/lang/diag"
	"github.com/netpol/netpol/lang/fact"
)

// topSource asks netpold for the screen of top.
type topSource struct {
	tool *tool

	mu       sync.Mutex // guards what follows: criteria are checked while they are typed
	compiler *filterCompiler
	criteria string // of where
	where    *artifact.Program
}

// word is what is looked for as text instead of being read as criteria.
var word = regexp.MustCompile(`^[\pL\pN._:-]+$`)

// isWord says that criteria are none, but a word. An attribute that is true or false is a
// criterion by itself.
func isWord(criteria string) bool {
	a, ok := fact.Lookup(criteria)
	return word.MatchString(criteria) && (!ok || a.Type != fact.Flag)
}

// Look answers a question about the flows that criteria mean.
func (s *topSource) Look(criteria string, q telemetry.Question) (telemetry.Overview, error) {
	criteria = strings.TrimSpace(criteria)
	if isWord(criteria) {
		q.Text, criteria = criteria, ""
	}
	where, err := s.program(criteria)
	if err != nil {
		return telemetry.Overview{}, err
	}
	return s.tool.askFlows(&flowQuery{where, q})
}

// Check says what is wrong with criteria.
func (s *topSource) Check(criteria string) error {
	if criteria = strings.TrimSpace(criteria); isWord(criteria) {
		return nil
	}
	_, err := s.program(criteria)
	return err
}

// program is that of criteria. The last one is kept: it is asked for at every look.
func (s *topSource) program(criteria string) (*artifact.Program, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if criteria == "" {
		return everyFlow(), nil
	}
	if s.where != nil && s.criteria == criteria {
		return s.where, nil
	}
	if s.compiler == nil {
		c, diags, err := s.tool.filterCompiler()
		if err != nil || diags.HasErrors() {
			return nil, errors.Join(err, firstOf(diags))
		}
		s.compiler = c
	}
	where, diags := s.compiler.compile(criteria)
	if where == nil {
		return nil, firstOf(diags)
	}
	s.criteria, s.where = criteria, where
	return where, nil
}

// firstOf is the first error of a list, on one line.
func firstOf(list diag.List) error {
	list.Sort()
	for _, d := range list {
		if d.Severity == diag.Error {
			return errors.New(strings.TrimSpace(d.Detail + " " + view.Sentence(d.Hint)))
		}
	}
	return nil
}

// Why is the account of a connection.
func (s *topSource) Why(f *telemetry.Flow) (string, error) {
	t := flow.Tuple{Src: f.SrcIP, Dst: f.DstIP, SrcPort: uint16(f.SrcPort), DstPort: uint16(f.DstPort), Proto: uint8(f.IPProtocol)}
	why, found, err := s.tool.askWhy(t)
	if err == nil && !found {
		err = errors.New("the connection is over")
	}
	if err != nil {
		return "", err
	}
	var b strings.Builder
	err = view.Why(&b, why, view.Style{})
	return b.String(), err
}
