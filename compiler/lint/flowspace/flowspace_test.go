package flowspace

import (
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/compiler/internal/irtest"
	"github.com/netpol/netpol/compiler/ir"
	"github.com/netpol/netpol/compiler/lint/bdd"
	"github.com/netpol/netpol/lang/diag"
	"github.com/netpol/netpol/lang/fact"
)

// small is a catalogue of the names that irtest draws.
func small() *artifact.Catalogue {
	return &artifact.Catalogue{
		Applications: []artifact.Application{
			{Tag: "teams", Category: "zo", Domains: []string{"example.org"}},
			{Tag: "zo", Category: "teams", Brand: "zoom"},
			{Tag: "zoom", Category: "teams", Domains: []string{"zoom.us"}},
		},
		Protocols: []artifact.Protocol{{Tag: "tls", Category: "zo"}, {Tag: "zoom", Category: "teams"}},
	}
}

// flow draws a flow that the theory allows: attributes that owe each other
// something agree.
func flow(t *rapid.T, cat *artifact.Catalogue) *fact.Facts {
	f := irtest.Facts(t)
	f.Application, f.Brand, f.ApplicationCategory, f.By = "", "", "", ""
	if i := rapid.IntRange(-1, len(cat.Applications)-1).Draw(t, "app"); i >= 0 {
		f.Application, f.Brand, f.ApplicationCategory = cat.Applications[i].Tag, cat.Applications[i].BrandTag(), cat.Applications[i].Category
		f.By = rapid.SampledFrom([]string{"zoom", "teams", fact.BySNI, fact.ByPort}).Draw(t, "by")
	}
	f.Protocol, f.ProtocolCategory = "", ""
	if i := rapid.IntRange(-1, len(cat.Protocols)-1).Draw(t, "proto"); i >= 0 {
		f.Protocol, f.ProtocolCategory = cat.Protocols[i].Tag, cat.Protocols[i].Category
	}
	f.Category = f.ApplicationCategory
	if f.Category == "" {
		f.Category = f.ProtocolCategory
	}
	f.Guessed = f.Guessed || f.By == fact.ByPort
	f.IPProtocol %= 256
	f.Confidence, f.IPDSCP = f.Confidence%101, f.IPDSCP%64
	f.Weekday = rapid.SampledFrom(fact.Weekdays()).Draw(t, "day")
	f.TotalBytes, f.TotalPackets, f.TotalRate = f.SrcBytes+f.DstBytes, f.SrcPackets+f.DstPackets, f.SrcRate+f.DstRate
	f.LocalBytes, f.LocalPackets, f.LocalRate = f.SrcBytes, f.SrcPackets, f.SrcRate
	f.OtherBytes, f.OtherPackets, f.OtherRate = f.DstBytes, f.DstPackets, f.DstRate
	pool := []string{"10.0.0.1", "10.1.2.3", "192.168.1.5", "8.8.8.8", "0.0.0.0", "255.255.255.255"}
	if f.IPVersion = rapid.SampledFrom([]int{4, 6}).Draw(t, "version"); f.IPVersion == 6 {
		pool = []string{"2001:db8::1", "::", "fe80::1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"}
	}
	f.SrcIP = netip.MustParseAddr(rapid.SampledFrom(pool).Draw(t, "src"))
	f.DstIP = netip.MustParseAddr(rapid.SampledFrom(pool).Draw(t, "dst"))
	f.LocalIP, f.OtherIP, f.LocalPort, f.OtherPort = f.SrcIP, f.DstIP, f.SrcPort, f.DstPort
	if rapid.Bool().Draw(t, "turned") {
		f.LocalIP, f.OtherIP, f.LocalPort, f.OtherPort = f.DstIP, f.SrcIP, f.DstPort, f.SrcPort
		f.LocalBytes, f.LocalPackets, f.LocalRate = f.DstBytes, f.DstPackets, f.DstRate
		f.OtherBytes, f.OtherPackets, f.OtherRate = f.SrcBytes, f.SrcPackets, f.SrcRate
	}
	return f
}

// residual stands in for the expression engine.
func residual(source string, f *fact.Facts) bool { return (len(source)+f.SrcPort)%2 == 0 }

// point is the place of a flow in the space.
func (s *Space) point(f *fact.Facts, conditions []ir.Expr) bdd.Node {
	values := make([]bool, s.levels)
	set := func(c *column, class int) {
		for i, l := range c.levels {
			values[l] = class>>(len(c.levels)-1-i)&1 == 1
		}
	}
	v := reflect.ValueOf(f).Elem()
	for name, c := range s.columns {
		a, _ := fact.Lookup(name)
		field := v.FieldByName(a.Field).Interface()
		switch {
		case name == "application":
			set(c, s.applications.index[f.Application])
		case name == "protocol":
			set(c, s.protocols.index[f.Protocol])
		case name == "weekday":
			set(c, slices.Index(fact.Weekdays(), f.Weekday))
		case a.Type == fact.Port:
			set(c, classOfNumber(s.ports, field.(int)))
		case a.Type == fact.Address:
			set(c, s.addresses.classOf(field.(netip.Addr)))
		case kindOf(&ir.Compare{Attr: a}) == kindTally:
			tally, _ := tallyOf(name)
			set(c, classOfNumber(s.tallied[tally.names[0]], field.(int)))
		case s.numbers[name] != nil:
			set(c, classOfNumber(s.numbers[name], field.(int)))
		default:
			t, raw := s.texts[name], field.(string)
			folded := raw
			if ir.FoldsCase(a) {
				folded = strings.ToLower(raw)
			}
			set(c, t.classOf(folded))
			set(&t.starts, t.startOf(folded))
			for i := range t.patterns {
				p := &t.patterns[i]
				values[p.level] = p.holds(folded)
				if p.re != nil {
					values[p.level] = p.holds(raw)
				}
			}
		}
	}
	s.setFlags(values, f, conditions)
	n := bdd.True
	for l := s.levels - 1; l > 0; l-- {
		if values[l] {
			n = s.b.Make(l, bdd.False, n)
		} else {
			n = s.b.Make(l, n, bdd.False)
		}
	}
	return n
}

func classOfNumber(n *numbers, v int) int {
	return slices.IndexFunc(n.classes, func(c ir.Interval) bool { return c.Low <= v && v <= c.High })
}

func (s *Space) setFlags(values []bool, f *fact.Facts, conditions []ir.Expr) {
	v := reflect.ValueOf(f).Elem()
	if s.orientation > 0 {
		values[s.orientation] = f.LocalIP == f.SrcIP && f.LocalPort == f.SrcPort && f.LocalBytes == f.SrcBytes && f.LocalPackets == f.SrcPackets && f.LocalRate == f.SrcRate
	}
	for key, level := range s.flags {
		name, element, isList := strings.Cut(key, " has ")
		a, ok := fact.Lookup(name)
		switch {
		case ok && isList:
			values[level] = slices.Contains(strings.Split(strings.ToLower(v.FieldByName(a.Field).String()), ","), element)
		case ok && a.Type == fact.TextList:
			values[level] = v.FieldByName(a.Field).String() != ""
		case ok && a.Type == fact.Flag:
			values[level] = v.FieldByName(a.Field).Bool()
		}
	}
	for _, c := range conditions {
		ir.Walk(c, func(e ir.Expr) {
			switch e := e.(type) {
			case *ir.Residual:
				values[s.flags["residual "+e.Source]] = residual(e.Source, f)
			case *ir.Compare:
				if kindOf(e) == kindFree {
					values[s.flags[e.String()]] = irtest.Eval(e, f, residual)
				}
			default:
			}
		})
	}
}

// TestEveryFlowHasItsPlace is what proofs rest on: the theory allows every flow,
// and a flow's place is in the region of a condition iff the condition holds.
func TestEveryFlowHasItsPlace(t *testing.T) {
	cat := small()
	rapid.Check(t, func(t *rapid.T) {
		conditions := []ir.Expr{irtest.MixedExpr(t, 3), irtest.MixedExpr(t, 3)}
		s := New(cat, conditions...)
		regions := []Region{s.Region(conditions[0]), s.Region(conditions[1])}
		theory := s.Possible(Region{bdd.True, ^groups(0)})
		for range 6 {
			f := flow(t, cat)
			p := s.point(f, conditions)
			if !s.b.Overlaps(p, theory.node) {
				t.Fatalf("the theory of %s and %s excludes %+v", ir.Dump(conditions[0]), ir.Dump(conditions[1]), f)
			}
			for i, c := range conditions {
				want := irtest.Eval(c, f, residual)
				if got := s.b.Overlaps(p, regions[i].node); got != want {
					t.Fatalf("%s: the region says %v, the condition %v, for %+v", ir.Dump(c), got, want, f)
				}
				if known := Eval(c, f); known != Unknown && (known == Yes) != want {
					t.Fatalf("%s: Eval says %v, want %v, for %+v", ir.Dump(c), known, want, f)
				}
			}
			checkRelations(t, s, f, conditions, regions)
		}
	})
}

// checkRelations holds what the space says of two regions against one flow.
func checkRelations(t *rapid.T, s *Space, f *fact.Facts, conditions []ir.Expr, regions []Region) {
	a, b := irtest.Eval(conditions[0], f, residual), irtest.Eval(conditions[1], f, residual)
	if a && s.Empty(regions[0]) {
		t.Fatalf("%s is not empty: %+v", ir.Dump(conditions[0]), f)
	}
	if a && b && !s.Overlap(s.Possible(regions[0]), s.Possible(regions[1])) {
		t.Fatalf("%s and %s overlap: %+v", ir.Dump(conditions[0]), ir.Dump(conditions[1]), f)
	}
	if a && !b && s.Within(s.Possible(regions[0]), regions[1]) {
		t.Fatalf("%s is not within %s: %+v", ir.Dump(conditions[0]), ir.Dump(conditions[1]), f)
	}
}

// TestWitnessesMeetTheirConditions: what Witness makes up holds, on conditions
// of which everything is known.
func TestWitnessesMeetTheirConditions(t *testing.T) {
	cat := small()
	made, tried := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		e := irtest.MixedExpr(t, 3)
		s := New(cat, e)
		tried++
		f, ok := s.Witness(s.Region(e))
		if !ok {
			return
		}
		made++
		if got := Eval(e, f); got == No {
			// Patterns, and lists with operators of their own, are beyond the theory.
			if !hasFree(e) {
				t.Fatalf("%s: the witness does not meet it: %+v", ir.Dump(e), f)
			}
		}
	})
	if made*2 < tried {
		t.Errorf("%d witnesses of %d conditions, want at least half", made, tried)
	}
}

// hasFree says that a condition has parts that stand for themselves, such as
// schedules that this test defines none of.
func hasFree(e ir.Expr) bool {
	free := false
	ir.Walk(e, func(x ir.Expr) {
		c, ok := x.(*ir.Compare)
		_, residual := x.(*ir.Residual)
		free = free || residual || ok && (kindOf(c) == kindFree || kindOf(c) == kindList || kindOf(c) == kindSchedule)
	})
	return free
}

func compare(name string, op ir.Op, values ...string) *ir.Compare {
	a, _ := fact.Lookup(name)
	return &ir.Compare{Attr: a, Op: op, Strings: values}
}

// TestTheory lists pairs that only the theory can tell apart.
func TestTheory(t *testing.T) {
	at := diag.Range{}
	within := func(name, prefix string) ir.Expr {
		a, _ := fact.Lookup(name)
		return &ir.Compare{Attr: a, Op: ir.OpPrefix, Prefixes: []netip.Prefix{netip.MustParsePrefix(prefix)}}
	}
	port := func(name string, low, high int) ir.Expr {
		a, _ := fact.Lookup(name)
		return &ir.Compare{Attr: a, Op: ir.OpRange, Ranges: []ir.Interval{{Low: low, High: high}}}
	}
	not := func(e ir.Expr) ir.Expr { return ir.NewNot(at, e) }
	and := func(list ...ir.Expr) ir.Expr { return ir.NewAnd(at, list...) }
	cases := []struct {
		name string
		in   ir.Expr
		want bool // some flow meets it
	}{
		{"application and its category", and(compare("app", ir.OpEqual, "zoom"), compare("category", ir.OpEqual, "teams")), true},
		{"application and another category", and(compare("app", ir.OpEqual, "zoom"), compare("category", ir.OpEqual, "zo")), false},
		{"the protocol's category is hidden", and(compare("app", ir.OpEqual, "zoom"), compare("protocol", ir.OpEqual, "tls"), compare("category", ir.OpEqual, "zo")), false},
		{"and shows without application", and(compare("app", ir.OpEqual, ""), compare("protocol", ir.OpEqual, "tls"), compare("category", ir.OpEqual, "zo")), true},
		{"evidence without application", and(compare("app", ir.OpEqual, ""), compare("by", ir.OpEqual, "sni")), false},
		{"families", and(within("src_ip", "10.0.0.0/8"), within("dst_ip", "::/0")), false},
		{"version", and(within("other_ip", "2001:db8::/32"), port("ip_version", 4, 4)), false},
		{"local is an end", and(within("local_ip", "10.0.0.0/8"), not(within("src_ip", "10.0.0.0/8")), not(within("dst_ip", "10.0.0.0/8"))), false},
		{"local is the other end", and(within("local_ip", "10.0.0.0/8"), not(within("src_ip", "10.0.0.0/8"))), true},
		{"ports go with addresses", and(within("local_ip", "10.0.0.0/8"), within("dst_ip", "192.168.0.0/16"), within("src_ip", "10.0.0.0/8"), port("local_port", 80, 80), port("src_port", 81, 81), not(within("local_ip", "192.168.0.0/16"))), false},
		{"two halves", and(within("src_ip", "10.0.0.0/8"), not(within("src_ip", "10.0.0.0/9")), not(within("src_ip", "10.128.0.0/9"))), false},
		{"suffix in suffix", and(compare("hostname", ir.OpEndsWith, ".b.example.org"), not(compare("hostname", ir.OpDomain, "example.org"))), false},
		{"domain is no suffix", and(compare("hostname", ir.OpEndsWith, "zoom.us"), not(compare("hostname", ir.OpDomain, "zoom.us"))), true},
		{"contains", and(compare("hostname", ir.OpDomain, "zoom.us"), not(compare("hostname", ir.OpContains, "oom.u"))), false},
		{"contains in contains", and(compare("http_user_agent", ir.OpContains, "curl/8"), not(compare("http_user_agent", ir.OpContains, "curl"))), false},
		{"starts and contains", and(compare("http_user_agent", ir.OpStartsWith, "curl/8"), not(compare("http_user_agent", ir.OpContains, "url"))), false},
		{"two starts", and(compare("http_user_agent", ir.OpStartsWith, "curl"), compare("http_user_agent", ir.OpStartsWith, "wget")), false},
		{"constant and pattern", and(compare("hostname", ir.OpEqual, "zoom.us"), compare("hostname", ir.OpMatches, "(?i)^a[0-9]")), false},
		{"plain pattern", and(compare("hostname", ir.OpMatches, `(?i)(^|\.)zoom\.us$`), not(compare("hostname", ir.OpDomain, "zoom.us"))), false},
		{"list has both", and(compare("alpn", ir.OpEqual, "h2"), compare("alpn", ir.OpEqual, "h3")), true},
		{"list is empty", and(compare("alpn", ir.OpEqual, "h2"), compare("alpn", ir.OpEqual, "")), false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := New(small(), c.in)
			r := s.Region(c.in)
			if got := !s.Empty(r); got != c.want {
				t.Fatalf("got %v, want %v", got, c.want)
			}
			if !c.want {
				return
			}
			f, ok := s.Witness(r)
			if !ok || Eval(c.in, f) != Yes {
				t.Errorf("witness: got %+v, %v", f, ok)
			}
		})
	}
}

func TestPlausibleKnowsTheCatalogue(t *testing.T) {
	at := diag.Range{}
	zoomHost := compare("hostname", ir.OpDomain, "zoom.us")
	for app, want := range map[string]bool{"zoom": true, "teams": false, "zo": false} {
		e := ir.NewAnd(at, zoomHost, compare("app", ir.OpEqual, app))
		s := New(small(), e)
		if got := s.IsPlausible(s.Region(e)); got != want {
			t.Errorf("%s at zoom.us: got %v, want %v", app, got, want)
		}
		if s.Empty(s.Region(e)) {
			t.Errorf("%s at zoom.us: what is not plausible is no proof", app)
		}
	}
}

func TestTryForgets(t *testing.T) {
	a, b := compare("hostname", ir.OpDomain, "zoom.us"), compare("hostname", ir.OpEndsWith, "us")
	s := New(small(), a, b)
	before := s.Size()
	if !s.Try(1000, func() { s.Region(ir.NewAnd(diag.Range{}, a, b)) }) {
		t.Error("a small question did not fit")
	}
	if s.Size() != before || len(s.regions) != 0 {
		t.Errorf("size: got %d and %d regions, want %d and none", s.Size(), len(s.regions), before)
	}
	if s.Try(0, func() { s.Region(ir.NewAnd(diag.Range{}, a, b)) }) {
		t.Error("a question without room fitted")
	}
	if !s.Keep(1000, func() { s.Region(a) }) || len(s.regions) != 1 {
		t.Error("Keep does not keep")
	}
}
