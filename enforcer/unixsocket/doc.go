// Package unixsocket makes listening unix sockets that are never open to more
// than they should be, and that outlive a process that was killed.
//
// Called by enforcer/control and enforcer/telemetry/sink. Imports the standard
// library only.
package unixsocket
