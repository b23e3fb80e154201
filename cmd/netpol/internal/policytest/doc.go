// Package policytest runs policy tests: *.nptest.hcl files beside the policies
// say which flows, written as attributes or taken from captures, must get which
// labels, marks, code points and verdicts. The policies run as on a router: the
// compiler's bundle in the enforcer's decision program, captures through the
// enforcer's engine.
//
// cmd/netpol/internal/cli calls it and shows what it returns. It needs both
// sides, the compiler and the enforcer, which is why it lives under cmd/netpol.
// It reads no file but captures inside the policy directory.
package policytest
