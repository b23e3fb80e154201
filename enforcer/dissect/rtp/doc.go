// Package rtp recognises RTP media and RTCP reports (RFC 3550) on any port.
// Their headers have little that is fixed, so that one RTP packet says nothing:
// two of one source must follow each other. RTCP is believed at once where its
// reports fill the datagram to the byte.
//
// dissect/all lists it; dissect/stun calls Follows for the media of a call that
// began with STUN. It imports dissect, fact and the standard library.
package rtp
