package flowspace

import (
	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/compiler/ir"
	"github.com/netpol/netpol/compiler/lint/bdd"
	"github.com/netpol/netpol/lang/fact"
)

// maxNodes bounds the diagram: about 100 MiB with its tables.
const maxNodes = 4 << 20

// Space is every flow, as far as a set of conditions can tell flows apart. It
// is not safe for concurrent use.
type Space struct {
	b         *bdd.Builder
	levels    int // variables so far
	catalogue *artifact.Catalogue

	applications *names
	protocols    *names
	addresses    *addresses
	ports        *numbers            // shared by the four ports
	numbers      map[string]*numbers // by attribute
	tallied      map[string]*numbers // by the attribute of the sum
	texts        map[string]*text    // by attribute
	timetable    timetable
	columns      map[string]*column // by attribute: its class
	flags        map[string]int     // level, by what is true or not
	orientation  int                // level: the local side opened the flow; 0 is no level
	theories     []theory
	soft         []theory
	regions      map[ir.Expr]Region
	recent       []ir.Expr    // keys of regions, in the order they were made
	base         []bool       // a place that the theory allows; longer than levels
	ofPattern    map[int]bool // levels of patterns
	feet         *footprints  // nil until one is asked for
}

// column is a numbered variable: the class of one attribute's value.
type column struct {
	levels []int // most significant first
	count  int
}

// theory is what the attributes of some groups owe each other.
type theory struct {
	groups groups
	node   bdd.Node
}

// groups is a set of attribute groups that share no theory with others.
type groups uint64

const (
	groupNames groups = 1 << iota // application, protocol, categories, evidence
	groupTuple                    // addresses, ports, IP version
	groupClock                    // times, days, schedules
	groupTally                    // bytes, packets and rates of the sides
	firstText                     // and one for each attribute of text
)

// New makes the space in which the conditions can be told apart. Conditions
// that are asked about later must be made of the same comparisons.
// Without a Clock, a schedule is in force or not at any time.
func New(cat *artifact.Catalogue, conditions ...ir.Expr) *Space {
	return NewWithClock(cat, Clock{}, conditions...)
}

// NewWithClock is New for a set with a zone and schedules.
func NewWithClock(cat *artifact.Catalogue, clock Clock, conditions ...ir.Expr) *Space {
	s := &Space{
		b: bdd.New(maxNodes), levels: 1, catalogue: cat,
		numbers: map[string]*numbers{}, tallied: map[string]*numbers{}, timetable: timetable{clock: clock}, texts: map[string]*text{},
		columns: map[string]*column{}, flags: map[string]int{}, regions: map[ir.Expr]Region{},
	}
	seen := map[ir.Expr]bool{}
	for _, c := range conditions {
		ir.Walk(c, func(e ir.Expr) {
			if seen[e] {
				return
			}
			seen[e] = true
			switch e := e.(type) {
			case *ir.Compare:
				s.collect(e)
			case *ir.Residual:
				s.flag("residual " + e.Source)
			case *ir.And, *ir.Or, *ir.Not, *ir.Const:
			default:
				s.flag("other " + ir.Dump(e))
			}
		})
	}
	s.allot()
	s.relate()
	s.settle()
	return s
}

// kind says how the values of an attribute are cut into classes.
type kind uint8

const (
	kindFree kind = iota // each comparison is true or false on its own
	kindName
	kindNumber
	kindPort
	kindAddress
	kindText
	kindList
	kindFlag
	kindWeekday
	kindSchedule
	kindTally
)

func kindOf(c *ir.Compare) kind {
	if c.Mask != 0 {
		return kindFree
	}
	switch c.Attr.Name {
	case "application", "brand", "application_category", "category", "protocol", "protocol_category":
		if c.Op == ir.OpEqual {
			return kindName
		}
		return kindFree
	case "weekday":
		return kindWeekday
	}
	if _, ok := tallyOf(c.Attr.Name); ok {
		return kindTally
	}
	switch c.Attr.Type {
	case fact.Port:
		return kindPort
	case fact.Number, fact.TLSVersion, fact.TimeOfDay:
		return kindNumber
	case fact.ScheduleName:
		return kindSchedule
	case fact.Address:
		switch c.Attr.Name {
		case "src_ip", "dst_ip", "local_ip", "other_ip":
			return kindAddress
		}
		return kindFree
	case fact.Text, fact.Hostname, fact.CategoryName, fact.EvidenceName, fact.ApplicationName, fact.ProtocolName, fact.EnumName, fact.MAC, fact.InterfaceName, fact.BrandName:
		return kindText
	case fact.TextList:
		if c.Op == ir.OpEqual {
			return kindList
		}
		return kindFree
	case fact.Flag:
		return kindFlag
	default:
		return kindFree
	}
}

// collect notes the constants of a comparison.
func (s *Space) collect(c *ir.Compare) {
	name := c.Attr.Name
	switch kindOf(c) {
	case kindName:
		s.collectName(name)
	case kindPort:
		if s.ports == nil {
			s.ports = newNumbers(c.Attr)
		}
		s.ports.add(c.Ranges)
		s.columns[name] = &column{}
	case kindNumber:
		if s.numbers[name] == nil {
			s.numbers[name] = newNumbers(c.Attr)
			s.columns[name] = &column{}
		}
		s.numbers[name].add(c.Ranges)
	case kindAddress:
		if s.addresses == nil {
			s.addresses = &addresses{}
		}
		s.addresses.add(c.Prefixes)
		s.columns[name] = &column{}
	case kindText:
		if s.texts[name] == nil {
			s.texts[name] = newText(c.Attr, firstText<<min(len(s.texts), 58), s.b.Spend)
			s.columns[name] = &column{}
		}
		s.texts[name].add(c)
	case kindFlag:
		s.flag(name)
	case kindFree:
		s.flag(c.String())
	case kindWeekday:
		s.collectTimes()
	case kindSchedule:
		for _, str := range c.Strings {
			s.collectSchedule(str)
		}
	case kindTally:
		t, _ := tallyOf(name)
		s.collectTally(t, c)
	case kindList:
		for _, str := range c.Strings {
			s.element(name, str)
		}
	}
}

// collectName makes the columns that a name or category is read from. A
// category is not a variable of its own: it follows from the names.
func (s *Space) collectName(name string) {
	if name != "protocol" && name != "protocol_category" && s.applications == nil {
		s.applications = applicationNames(s.catalogue)
		s.columns["application"] = &column{}
	}
	if name != "application" && name != "brand" && name != "application_category" && s.protocols == nil {
		s.protocols = protocolNames(s.catalogue)
		s.columns["protocol"] = &column{}
	}
}

// tuple lists the attributes whose bits are interleaved, so that "local is
// source" stays small.
func tuple() [2][4]string {
	return [2][4]string{
		{"src_port", "dst_port", "local_port", "other_port"},
		{"src_ip", "dst_ip", "local_ip", "other_ip"},
	}
}

// flag is the level of something that is true or false.
func (s *Space) flag(key string) int {
	level, ok := s.flags[key]
	if !ok {
		level = s.levels
		s.levels++
		s.flags[key] = level
	}
	return level
}
