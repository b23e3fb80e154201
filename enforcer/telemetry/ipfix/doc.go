// Package ipfix writes flows as messages of IPFIX: information elements and the
// templates made of them (RFC 7011, RFC 7012), both directions in one record (RFC
// 5103), the application table (RFC 6759) and what netpol's own elements are called
// (RFC 5610).
//
// A connection is one record, not a pair: half of the messages, and the collector
// need not find two halves that may come in different messages or not at all. Its
// source is the side that opened it.
//
// Called by telemetry/sink, which owns the sockets and decides when templates are
// due. It imports the records.
package ipfix
