// Package spool keeps records on disk, first in, first out, while the place that
// they are for does not take them: files of bounded size in a directory, whose
// oldest one goes when there is no more room.
//
// What Append has returned from survives the death of the program; the loss of
// power takes what came in the last SyncEvery. A record that was read and not
// yet done with when the program died is read again, with those of its file
// that were done with: at least once, in order.
//
// Called by enforcer/telemetry/sink. It knows nothing of records but their number,
// and imports the standard library alone.
package spool
