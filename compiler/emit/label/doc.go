// Package label gives every conntrack label of a policy set its bit and says
// which label carries which effect of which policy to the kernel.
//
// Bits are pinned: a label keeps its bit for ever, because live connections
// carry bits, not names. Called by the compiler after opt; imports compiler/ir,
// compiler/artifact and lang/diag only. It reads no files: pins come from the
// lock, reserved bits from the caller.
package label
