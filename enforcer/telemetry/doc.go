// Package telemetry is what the enforcer tells about flows: the Flow record,
// its JSON and text forms, the Why of one flow's verdict, and the sinks that
// records go to.
//
// The engine fills records, cmd/netpol shows them, enforcer/control carries
// them. Host names and other words from packets are hostile here: both forms
// escape whatever could steer a terminal or break a line. Imports the standard
// library only.
package telemetry
