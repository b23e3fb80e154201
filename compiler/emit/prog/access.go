package prog

import (
	"cmp"
	"math"
	"net/netip"

	"github.com/netpol/netpol/compiler/artifact"
)

// accessRank orders attributes by how well they usually tell flows apart. It
// decides between literals that are shared by equally many clauses; attributes
// not listed come after these.
var accessRank = []string{
	"application", "hostname", "dns_hostname", "ja4", "bt_info_hash", "protocol", "http_user_agent", "brand", "application_category",
	"category", "protocol_category", "src_ip", "dst_ip", "local_ip", "other_ip", "dst_port", "other_port", "src_port", "local_port",
}

// chooseAccess files each clause under its most selective positive literal
// that an index can find: the one whose bucket has the fewest clauses of the
// whole set. A thousand policies for one application but a thousand addresses
// are filed by address.
func chooseAccess(tests []artifact.Test, clauses []artifact.Clause) {
	p := newPopulation(tests, clauses)
	ranks := make(map[string]int, len(accessRank))
	for i, name := range accessRank {
		ranks[name] = i + 1
	}
	buckets := make([]float64, len(tests))
	for i := range tests {
		if indexable(tests[i].Op) {
			buckets[i] = p.bucket(&tests[i])
		}
	}
	for i := range clauses {
		c := &clauses[i]
		best := math.Inf(1)
		bestRank := 0
		for at, l := range c.If {
			t := &tests[l.Test()]
			if l.Negated() || !indexable(t.Op) {
				continue
			}
			rank := cmp.Or(ranks[t.Attribute], len(accessRank)+1)
			if n := buckets[l.Test()]; n < best || n == best && rank < bestRank {
				best, bestRank, c.Access = n, rank, at
			}
		}
	}
}

// indexable says that the enforcer has an index for the operator.
func indexable(op artifact.TestOp) bool {
	switch op {
	case artifact.TestEqual, artifact.TestUnder, artifact.TestRange, artifact.TestNetwork:
		return true
	case artifact.TestPrefix, artifact.TestSuffix, artifact.TestContains, artifact.TestMatches,
		artifact.TestFlag, artifact.TestAll, artifact.TestAny, artifact.TestCode:
	}
	return false
}

// population counts how many clauses could be filed where.
type population struct {
	text   map[textKey]int
	single map[numberKey]int
	wide   map[string]int // by attribute
	prefix map[prefixKey]int
	nets   map[string]int // by attribute
	all    int            // clauses
}

type textKey struct {
	attr string
	op   artifact.TestOp
	text string
}

type numberKey struct {
	attr  string
	value int
}

type prefixKey struct {
	attr   string
	prefix netip.Prefix
}

func newPopulation(tests []artifact.Test, clauses []artifact.Clause) *population {
	p := &population{
		text:   map[textKey]int{},
		single: map[numberKey]int{},
		wide:   map[string]int{},
		prefix: map[prefixKey]int{},
		nets:   map[string]int{},
		all:    len(clauses),
	}
	uses := make([]int, len(tests)) // by clauses that it could lead to
	for _, c := range clauses {
		for _, l := range c.If {
			if !l.Negated() {
				uses[l.Test()]++
			}
		}
	}
	for i := range tests {
		if uses[i] > 0 && indexable(tests[i].Op) {
			p.count(&tests[i], uses[i])
		}
	}
	return p
}

// count adds a test that so many clauses use. Tests may be long lists of
// addresses, so each is looked at once.
func (p *population) count(t *artifact.Test, uses int) {
	for _, s := range t.Text {
		p.text[textKey{t.Attribute, t.Op, s}] += uses
	}
	for _, r := range t.Ranges {
		if r.Low == r.High {
			p.single[numberKey{t.Attribute, r.Low}] += uses
		} else {
			p.wide[t.Attribute] += uses
		}
	}
	for _, n := range t.Networks {
		p.prefix[prefixKey{t.Attribute, n}] += uses
		p.nets[t.Attribute] += uses
	}
}

// portSpace is what the width of a range is measured by: most numbers that
// criteria give ranges of are ports.
const portSpace = 1 << 16

// commonplace is what a test that every flow passes counts more than one that
// few do, in clauses: "dst_port > 1024" is no way to find a clause even where
// it is the only range of a small set.
const commonplace = 16

// bucket estimates how many clauses a flow that passes the test will find in
// its bucket: the fullest of the test's constants. Wide ranges and short
// prefixes hold a share of all flows and overlap others, so they count as if
// that share of all clauses were in the bucket too.
func (p *population) bucket(t *artifact.Test) float64 {
	most := 0.0
	for _, s := range t.Text {
		most = max(most, float64(p.text[textKey{t.Attribute, t.Op, s}]))
	}
	for _, r := range t.Ranges {
		if r.Low == r.High {
			most = max(most, float64(p.single[numberKey{t.Attribute, r.Low}]))
			continue
		}
		share := min(1, (float64(r.High)-float64(r.Low))/portSpace)
		most = max(most, 1+share*float64(p.wide[t.Attribute]+p.all+commonplace))
	}
	for _, n := range t.Networks {
		share := math.Exp2(-float64(n.Bits()))
		most = max(most, float64(p.prefix[prefixKey{t.Attribute, n}])+share*float64(p.nets[t.Attribute]+p.all+commonplace))
	}
	return most
}
