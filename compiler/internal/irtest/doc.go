// Package irtest is the plain meaning of a condition, for tests: an evaluator
// that does what ir's documentation says and nothing clever, and generators of
// random conditions and flows that are small enough to meet often.
//
// Imported by tests only.
package irtest
