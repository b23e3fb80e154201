// Package stun recognises STUN and TURN: RFC 8489 with its magic cookie over
// UDP and TCP, and classic STUN (RFC 3489), which has none and so is held to
// stricter rules. TURN's framing of channel data (RFC 8656 section 12) is
// recognised only after a STUN message of the same flow, and needs no more.
//
// Attributes, methods and realms that one product alone uses name it: Teams,
// WhatsApp, Zoom, Meet, Signal, Telegram, Viber, Messenger, Webex.
//
// A flow is followed for a few datagrams more, because STUN only prepares what
// it is for: where DTLS or media come next, the flow is named for them.
//
// dissect/all lists it; it imports dissect, dissect/rtp, dissect/tls and fact.
package stun
