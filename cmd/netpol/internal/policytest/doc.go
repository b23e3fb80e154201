// Package policytest is the room of the policy tests: *.nptest.hcl files beside
// the policies say which flows or captures must get which labels, and the
// tester runs them through the compiler and the enforcer's decision program.
//
// cmd/netpol/internal/cli will call it. It needs both sides, the compiler and
// the enforcer, which is why it lives under cmd/netpol. The room is empty
// until the language has its test block; until then the examples are tested by
// policies/examples_test.go.
package policytest
