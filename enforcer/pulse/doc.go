// Package pulse has everything that is looked at now and then looked at in the same
// moments, so that a netpold without traffic wakes up once for all of it.
//
// Called by enforcer, enforcer/kernel and cmd/netpold. Imports the standard library only.
package pulse
