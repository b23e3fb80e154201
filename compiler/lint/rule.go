package lint

import (
	"fmt"
	"strings"

	"github.com/netpol/netpol/lang/diag"
)

// Category groups rules.
type Category string

// Categories.
const (
	Logic    Category = "logic"    // what policies say of flows
	Evidence Category = "evidence" // what they rest on
	Safety   Category = "safety"   // what they may break
	Style    Category = "style"    // what a reader may misunderstand
	Hygiene  Category = "hygiene"  // what is left over
	Meta     Category = "meta"     // ignores
)

// Rule is one thing that lint looks for. ID and Slug are stable for ever.
type Rule struct {
	ID, Slug string
	Category Category
	Severity diag.Severity // where the configuration says nothing else
	Summary  string        // a fixed phrase: capital, no full stop
	// Optional rules are off until the configuration gives them a level.
	Optional bool
	// Fixed rules guard the operator: they can be neither switched off nor
	// lowered nor ignored.
	Fixed bool
	// Options are the arguments that a rule block of the configuration may have.
	Options []string
	check   func(*pass)
}

// Rules lists every rule, by id.
func Rules() []Rule {
	return []Rule{
		neverTrue(), alwaysTrue(), shadowedPolicy(), duplicatePolicy(), conflictingPolicies(), deadAlternative(), needlessCondition(), exemptNeverReached(), orderDecides(),
		labelName(), unusedGroup(), unusedLocal(), unusedVariable(), idleLabel(), missingDescription(), missingTest(), duplicateInList(),
		unusedAppGroup(), unusedSchedule(), mixedAndOr(), deadSchedule(), auditOnly(), untrackedFlows(), offloadBypass(), idleHold(), unusedSink(), unseenDNS(),
		unanchoredRegex(), unescapedDot(), slowRegex(),
		weakEvidence(), unprovenBlock(), lateFieldBlock(), portOnlyApp(), wholeCategoryBlock(), laggingCondition(),
		markCollision(), managementLockout(), failClosedLockout(),
		unusedIgnore(), badIgnore(),
	}
}

// Find finds a rule by its id, with any number of leading zeros, or its slug.
func Find(name string) (Rule, bool) {
	id := canonicalID(name)
	for _, r := range Rules() {
		if r.ID == id || r.Slug == name {
			return r, true
		}
	}
	return Rule{}, false
}

// canonicalID writes NP501 and np0501 as NP0501.
func canonicalID(name string) string {
	digits, ok := strings.CutPrefix(strings.ToUpper(name), "NP")
	if !ok {
		return name
	}
	return fmt.Sprintf("NP%04s", digits)
}

// Page is the rule's page under docs/lint.
func (r *Rule) Page() string { return r.Slug + ".md" }
