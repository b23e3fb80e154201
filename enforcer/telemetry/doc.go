// Package telemetry is what the enforcer shows of flows when it is asked: the
// Flow, a row of a list, its JSON and text forms, and the Why of one flow's
// verdict. What it tells by itself, event by event, are the records of
// telemetry/record, which go to the sinks of telemetry/sink.
//
// The engine fills rows, cmd/netpol shows them, enforcer/control carries
// them. Host names and other words from packets are hostile here: both forms
// escape whatever could steer a terminal or break a line. Imports the standard
// library and telemetry/record, for its escaping encoder.
package telemetry
