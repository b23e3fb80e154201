package console

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/netpol/netpol/cmd/netpol/internal/flowfacts"
	"github.com/netpol/netpol/cmd/netpol/internal/outcome"
	"github.com/netpol/netpol/lang"
	"github.com/netpol/netpol/lang/diag"
	"github.com/netpol/netpol/lang/fact"
	"github.com/netpol/netpol/lang/suggest"
)

// clock is the set's clock with all of its schedules, whether conditions name
// them or not.
func (s *Session) clock() (*flowfacts.Clock, error) {
	names := []string{}
	for _, x := range s.Policy.Schedules {
		names = append(names, "'"+x.Name+"'")
	}
	if len(names) == 0 {
		return flowfacts.NewClock(s.Bundle.Settings, nil)
	}
	text := "schedule in [" + strings.Join(names, ", ") + "]"
	filter, diags, err := outcome.NewFilter(s.Policy, s.Catalogue, []lang.Criteria{lang.NewCriteria(Filename, text)})
	if err != nil {
		return nil, err
	}
	if filter == nil {
		return nil, fmt.Errorf("read schedules: %w", diags[0])
	}
	return filter.Evaluator().Clock, nil
}

// facts are a sample's at the session's time, with what :set has set.
func (s *Session) facts(x *Sample, clock *flowfacts.Clock) (*fact.Facts, error) {
	f := *x.Facts
	for _, p := range s.set {
		a, _ := fact.Lookup(p.Name)
		_ = flowfacts.Set(&f, a, p.Value, s.Catalogue) // it was read when it was set
	}
	flowfacts.Traffic(&f)
	at := s.time
	if at.IsZero() {
		at = clock.Default()
	}
	return &f, clock.Read(&f, at)
}

// setTime answers :time.
func (s *Session) setTime(text string) *Reply {
	clock, err := s.clock()
	if err != nil {
		return fault(err.Error())
	}
	if text != "" {
		if s.time, err = clock.Parse(text); err != nil {
			return fault(strings.ToUpper(err.Error()[:1]) + err.Error()[1:] + ".")
		}
	}
	at := s.time
	if at.IsZero() {
		at = clock.Default()
	}
	var f fact.Facts
	if err := clock.Read(&f, at); err != nil {
		return fault(err.Error())
	}
	note := at.In(clock.Zone()).Format("Packets are sent on Monday, 2 January 2006 at 15:04:05 (MST)")
	if f.Schedules != "" {
		note += ", while " + strings.ReplaceAll(f.Schedules, ",", ", ") + " is in force"
	}
	return &Reply{Note: note + "."}
}

// schedules answers :schedules.
func (s *Session) schedules(prefix string) *Reply {
	clock, err := s.clock()
	if err != nil {
		return fault(err.Error())
	}
	at := s.time
	if at.IsZero() {
		at = clock.Default()
	}
	var list [][]string
	for _, x := range clock.Schedules() {
		on, err := x.Active(at)
		if err != nil {
			return fault(err.Error())
		}
		state := "not in force"
		if on {
			state = "in force"
		}
		_, text, _ := strings.Cut(x.String(), ": ")
		list = append(list, []string{x.Name, state, text})
	}
	return rows(list, prefix)
}

// setAttribute answers :set ATTRIBUTE VALUE.
func (s *Session) setAttribute(text string) *Reply {
	name, value, _ := strings.Cut(text, " ")
	value = strings.Trim(strings.TrimSpace(value), `'"`)
	if name == "" {
		list := [][]string{}
		for _, p := range s.set {
			list = append(list, []string{p.Name, p.Value})
		}
		return rows(list, "")
	}
	a, ok := fact.Lookup(name)
	if !ok {
		var known []string
		for _, x := range fact.Attributes {
			known = append(append(known, x.Name), x.Aliases...)
		}
		d := diag.New(diag.UnknownAttribute, diag.Range{}, fmt.Sprintf("No attribute is named %s.", name)).WithHint(suggest.Hint(name, known))
		return &Reply{Diagnostics: diag.List{d}}
	}
	if a.From == "clock" {
		return fault(fmt.Sprintf("%s follows from the time: write :time \"2026-01-05 18:30\".", a.Name))
	}
	if d := flowfacts.Set(new(fact.Facts), a, value, s.Catalogue); d != nil {
		return &Reply{Diagnostics: diag.List{*d}}
	}
	s.set = slices.DeleteFunc(s.set, func(p flowfacts.Pair) bool { return p.Name == a.Name })
	if value == "" {
		return &Reply{Note: fmt.Sprintf("%s is again what each sample has.", a.Name)}
	}
	s.set = append(s.set, flowfacts.Pair{Name: a.Name, Value: value})
	return &Reply{Note: fmt.Sprintf("%s is %s in all samples.", a.Name, value)}
}

func fault(detail string) *Reply {
	return &Reply{Diagnostics: diag.List{diag.New(diag.WrongConstant, diag.Range{}, detail)}}
}

// moment is what a session has set.
type moment struct {
	time time.Time // when packets are sent; zero for the clock's default
	set  []flowfacts.Pair
}
