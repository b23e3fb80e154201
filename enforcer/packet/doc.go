// Package packet decodes layers 2 to 4 of a captured packet into a reused
// Parsed. Decoding allocates nothing and never fails: bytes that make no sense
// give a Parsed whose Proto is unknown, with the reason in Drop.
//
// Called by the engine once a packet. Imports the standard library only.
package packet
