// Package bittorrent recognises BitTorrent in all its shapes: the peer
// handshake over TCP (BEP 3), DHT messages (BEP 5), local service discovery
// (BEP 14), UDP trackers (BEP 15) and uTP (BEP 29). They share one protocol
// tag, because a policy on BitTorrent means them all.
//
// Encrypted handshakes (Message Stream Encryption) look like noise from the
// first byte and are not claimed.
//
// dissect/all lists it; it imports dissect and fact.
package bittorrent
