// Package policydiff says what differs in meaning between two compiled policy
// sets: which policies were added, removed, changed or moved, and for each kind
// of flow that is now treated otherwise a witness, found by search and verified
// by running both decision programs and both rulesets.
//
// The conditions of the policies cut the values of each attribute into classes
// that no condition tells apart (axes). Where every class can be enumerated and
// the combinations are few, all are tried, and the answer is a proof; otherwise
// combinations are sampled and the report says so.
//
// Called by cmd/netpol/internal/cli for netpol diff. It needs the compiler's
// artifact and the enforcer's program, which is why it lives under cmd/netpol.
// It reads no files but the captures it is told to replay, and prints nothing.
package policydiff
