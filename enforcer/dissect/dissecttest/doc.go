// Package dissecttest tests the contract of dissect.Dissector. Every
// dissector's test calls Run with its cases and FuzzOne from its fuzz target.
//
// Run checks each case's facts, then shows the dissector every beginning of
// the flow (each byte of a TCP flow, each datagram of a UDP one) as the engine
// would, with one Facts that lives through all calls: results may only go from
// NeedMore to Partial to Match, or from NeedMore to NoMatch. It shows it other
// protocols' flows too: none may be claimed, and none may cost an allocation.
//
// Only tests import this package. It imports dissect, fact and the standard
// library.
package dissecttest
