// Package zoom recognises Zoom's media transport over UDP: to Zoom's servers
// (multimedia routers, usually port 8801) and between two participants.
//
// Zoom publishes no specification. The layout is from research: Michel, Sengupta,
// Kim, Netravali and Rexford, "Enabling Passive Measurement of Zoom
// Performance in Production Networks" (ACM IMC 2022), and the dissectors that
// its authors and the RTC-Measurement-Project publish. There is no magic
// number, so no single field is believed: each form must show several fields
// that agree with each other, and forms that have too few are believed only
// with a second datagram, or on Zoom's ports.
//
// A datagram to a server begins with the server encapsulation's type:
//
//	1  hello      sequence, 16-byte session, two equal timestamps, a length and as many bytes
//	2  welcome    the hello's session again
//	3  ping       counter, timestamp, cookie
//	4  pong       the same 12 bytes again
//	5  media      8 bytes (1 in older clients), then the media encapsulation
//	7  goodbye
//
// The media encapsulation, which stands alone between participants, begins
// with its own type: 13 and 30 screen share, 15 audio, 16 video with RTP at a
// fixed offset, 21 filler for bandwidth probing, 33 to 35 RTCP at offset 16,
// and 31 the probe that opens a path between participants.
//
// dissect/all lists it; it imports dissect and fact.
package zoom
