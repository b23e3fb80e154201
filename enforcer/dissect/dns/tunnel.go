package dns

// tagTunnel is the catalogue's name of what only looks like DNS.
const tagTunnel = "dns-tunnel"

// isTunnel says that a question is one by which a tunnel begins:
//
//   - iodine asks for the server's version with "v" and its own, 0x00000502, behind
//     which a random number follows: "vaaaaka" and one of eight letters in its base 32;
//   - dns2tcp has labels of its commands: "=auth", "=resource", "=connect";
//   - dnscat2 without a domain of its own puts "dnscat" before its hexadecimal digits.
//
// dnscat2 within a domain, and others, ask for names that look like any that are made
// by a program.
func (q *question) isTunnel() bool {
	i, command := 0, false
	for label := range q.name.labels {
		i++
		switch {
		case i == 1 && len(label) >= len("vaaaakax00") && string(label[:7]) == "vaaaaka" && label[7] >= 'q' && label[7] <= 'x':
			return true
		case i == 1 && string(label) == "dnscat":
			command = true
		case i == 2 && command:
			return hexadecimal(label)
		case string(label) == "=auth", string(label) == "=resource", string(label) == "=connect":
			return true
		}
	}
	return false
}

// minHex is the length of dnscat2's header: two bytes of a number, one of a type and
// two of a session, as digits.
const minHex = 10

func hexadecimal(label []byte) bool {
	for _, c := range label {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return len(label) >= minHex
}

// tunnels says that a datagram asks what a tunnel asks.
func tunnels(msg []byte) bool {
	m, ok := readHeader(msg, len(msg))
	var q question
	return ok && m.questions > 0 && m.readQuestion(&q) && q.isTunnel()
}
