package cli

import (
	"errors"
	"regexp"
	"slices"
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
	groups   []telemetry.Group // nil before they are asked for
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
	if asksGroups(&q) {
		if q.Groups, err = s.hostGroups(); err != nil {
			return telemetry.Overview{}, err
		}
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
	if err := s.compilerReady(); err != nil {
		return nil, err
	}
	where, diags := s.compiler.compile(criteria)
	if where == nil {
		return nil, firstOf(diags)
	}
	s.criteria, s.where = criteria, where
	return where, nil
}

// compilerReady makes the compiler, once; the caller holds mu.
func (s *topSource) compilerReady() error {
	if s.compiler != nil {
		return nil
	}
	c, diags, err := s.tool.filterCompiler()
	if err != nil || diags.HasErrors() {
		return errors.Join(err, firstOf(diags))
	}
	s.compiler = c
	return nil
}

// asksGroups says that a question is about address groups.
func asksGroups(q *telemetry.Question) bool {
	return q.By == telemetry.ByGroup || slices.ContainsFunc(q.Within, func(p telemetry.Part) bool { return p.By == telemetry.ByGroup })
}

var errNoGroups = errors.New("there are no address groups: --policy names the directory of policies that have some")

// hostGroups are the address groups of --policy, or else those that the applied aggregates tell
// apart.
func (s *topSource) hostGroups() ([]telemetry.Group, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.groups != nil {
		return s.groups, nil
	}
	if err := s.compilerReady(); err != nil {
		return nil, err
	}
	list, diags := s.compiler.groups()
	if err := firstOf(diags); err != nil {
		return nil, err
	}
	for _, g := range list {
		s.groups = append(s.groups, telemetry.Group(g))
	}
	if s.groups == nil {
		return nil, errNoGroups
	}
	return s.groups, nil
}

// firstOf is the first error of a list, on one line.
func firstOf(list diag.List) error {
	list.Sort()
	for _, d := range list {
		if d.Severity == diag.Error {
			text := d.Detail
			if d.Hint != "" {
				text += " " + view.Sentence(d.Hint)
			}
			return errors.New(text)
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
