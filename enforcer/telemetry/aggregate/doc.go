// Package aggregate adds up what flows carry, by the dimensions that an
// aggregate block asks for, in bounded memory: a table of counters without a
// pointer in it, keyed by a packed struct, and the records that its largest rows
// become.
//
// While a table has room for all keys its figures are exact. Past that it is a
// Space-Saving summary (Metwally, Agrawal, El Abbadi: "Efficient computation of
// frequent and top-k elements in data streams", ICDT 2005), whose error the
// record states; sums are exact in either case, because what a key that makes room
// had carried is moved to what the record calls other.
//
// Called by enforcer, which owns the moments. It imports the bundle, the facts and
// the records.
package aggregate
