package icmp

// Tag is the protocol's name in the catalogue.
const Tag = "icmp-tunnel"

// Message types (RFC 792, RFC 4443).
const (
	protocolICMP   = 1
	protocolICMPv6 = 58
	echo           = 8
	echoReply      = 0
	echo6          = 128
	echoReply6     = 129
)

// behind is what stands before the data of an echo message: identifier and sequence
// number, which are the rest of the header.
const behind = 4

// Tunnel says that an echo message is a tunnel's: ptunnel opens its data with
// 0xd5200880, hans with four letters, of the side and since version 2 of the version.
// rest is what follows type, code and checksum.
func Tunnel(protocol, kind uint8, rest []byte) bool {
	switch {
	case len(rest) < behind+4:
		return false
	case protocol == protocolICMP && (kind == echo || kind == echoReply):
	case protocol == protocolICMPv6 && (kind == echo6 || kind == echoReply6):
	default:
		return false
	}
	switch string(rest[behind : behind+4]) {
	case "\xd5\x20\x08\x80", "hanc", "hans", "hnc2", "hnc3", "hnc4", "hns2", "hns3", "hns4":
		return true
	}
	return false
}
