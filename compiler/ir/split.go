package ir

// Split says where a policy is decided.
type Split struct {
	// Kernel: addresses, ports and the like are all that the policy asks, so
	// rules on the first packet decide it and no enforcer is needed.
	Kernel bool
	// Any is the condition as conjunctions, any of which must hold; only for
	// Kernel. None means never, an empty one always.
	Any []Conjunction
	// Late: the policy drops or rejects, and an earlier one that accepts can
	// only be judged by the enforcer. A connection that was stopped on its
	// first packet would never get there, so the verdict waits for the
	// enforcer's word.
	Late bool
	// FailClosed: while the enforcer cannot tell, as far as OnFail and OnOverload
	// say closed, the verdict is for flows of
	// which headers say that it could come; Fail is what they say, any of it.
	FailClosed bool
	Fail       []Conjunction
	// Holds: packets of flows of which headers say that the policy could match
	// wait for the enforcer; Held is what they say, any of it.
	Holds bool
	Held  []Conjunction
}

// Conjunction holds when all of its literals do.
type Conjunction []Literal

// Literal is a comparison that must hold or, with Not, must not.
type Literal struct {
	Test *Compare
	Not  bool
}
