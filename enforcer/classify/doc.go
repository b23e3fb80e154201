// Package classify names the application of a flow: it weighs what the
// dissectors found, the host names, earlier DNS answers, the server's address
// and port against the catalogue, strongest evidence first.
//
// The engine calls it, once for each change of a flow's facts. It may import
// dissect, flow, fact and artifact, and nothing of the operating system.
//
// # Order of evidence
//
//  1. payload: the protocol belongs to one product (protocols.txt).
//  2. sni, cert, http: a suffix of the host name the flow itself shows; cert and
//     http also by a signature, where no suffix matches.
//  3. dns: a suffix of the name whose DNS answer gave the client this server.
//  4. correlation: other flows of the client point to it (below).
//  5. network: the server lies in the application's own network.
//  6. port: the server's port, only when analysis is over.
//
// The last two are guesses, and so is a correlation with flows that were
// themselves named by their network. A network of a platform (categories cloud,
// cdn) counts only when analysis is over and nothing named the flow.
//
// # Confidence
//
// Every name has a confidence in percent, by its evidence alone:
//
//	payload           100  the bytes are the product's own protocol
//	sni, http          95  the client says whom it asks for
//	cert               90  the server says who it is, for all its names
//	dns                80  the client was told this address for that name
//	correlation        60  another flow of the client points here; 50 when it is a guess
//	network            50  a guess
//	port               20  a guess
//	no application    100  the protocol, read from its bytes; 20 by its port
//
// # Correlation
//
// The media flows of a call carry no name. Four things tell whose they are,
// the strongest first:
//
//   - the socket: the same UDP port of the client was an application's before.
//     It is one program's own, whomever it talks to.
//   - TURN: a flow of the client told of the other end's address, as the one
//     relayed for it or as a peer's.
//   - signalling: the client used an application by name in the server's own
//     network, WhatsApp in Meta's. Of two such, the one that spoke within the
//     last 30 seconds.
//   - the call: the client began one within the last minute, and the server is
//     a peer: its address is nobody's and its port no service's.
//
// Only applications with calls or matches teach (messaging, voip-conferencing,
// social-media, games), and only UDP flows learn.
//
// # When a name matches nothing
//
// A host name that the flow shows is stronger than any address: a shop's site
// served from Google's or Amazon's network is the shop's. So a host name that
// no suffix matches leaves the flow without an application. Two things are
// not host names in this sense, because they say nothing of who is asked for:
// address literals ("Host: 192.0.2.1") and names of a single label.
//
// # Look-ups are not the thing looked up
//
// A DNS, mDNS, LLMNR or NetBIOS flow that asks for zoom.us is not Zoom: it
// goes to the resolver and may serve anyone behind a forwarder. Such flows get
// no application; their category is the protocol's.
package classify
