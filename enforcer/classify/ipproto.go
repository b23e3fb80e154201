package classify

// IP protocol numbers that the package itself speaks of (IANA, "Assigned
// Internet Protocol Numbers").
const (
	ipTCP = 6
	ipUDP = 17
)

// carriesPorts reports whether flows of an IP protocol have ports, and so a
// protocol above them that only payload can tell. The others are named by
// their number, from the catalogue's rows of transport "ip".
func carriesPorts(ipProtocol int) bool {
	return ipProtocol == ipTCP || ipProtocol == ipUDP
}
