// Package raknet recognises connections of RakNet that were opened before they
// were seen: frame sets and acknowledgements, which have no fixed bytes but
// lengths that must come out even. The messages that open a connection are
// rows of dissect/fixed.
//
// dissect/all lists it; it imports dissect, fact and the standard library.
package raknet
