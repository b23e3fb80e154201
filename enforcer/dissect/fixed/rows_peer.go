package fixed

// peerTCPRows: file sharing and coins.
func peerTCPRows() []row {
	return []row{
		{"gnutella", nil, all(at(0, "GNUTELLA CONNECT/")), nil, "Gnutella 0.4 section 2"},
		{"gnutella", nil, all(at(0, "GNUTELLA/0."), in(11, digits), at(12, " ")), nil, "Gnutella 0.6 handshake"},
		{"edonkey", nil, all(in(0, "\xe3\xc5\xd4"), at(3, "\x00\x00\x01\x10")), nil, "eMule protocol specification section 6.4.1"},
		{"edonkey", ports(4661, 4662), all(in(0, "\xe3\xc5\xd4"), at(3, "\x00\x00")), nil, "eMule protocol specification section 6"},
		{"nano", nil, all(at(0, "RC"), between(2, 1, 18, 31), between(3, 1, 18, 31), between(4, 1, 18, 31), between(5, 1, 0, 15), size(33, 0)), nil, "Nano message header of the live network, versions from 18"},
		{"nano", ports(7075), all(at(0, "R"), in(1, "ABCX"), between(2, 1, 1, 64), between(3, 1, 1, 64), between(4, 1, 1, 64), between(5, 1, 0, 16)), nil, "Nano message header"},
		{"soulseek", ports(2242, 2416), all(lengthLE(0, 4, 4), at(4, "\x01\x00\x00\x00")), nil, "Soulseek server login"},
		{"syncthing", nil, all(at(0, "\x9e\x79\xbc\x40\x00\x00\x00")), nil, "Syncthing relay protocol version 1, header"},
		{"bitcoin", nil, all(at(4, "version\x00\x00\x00\x00\x00")), nil, "Bitcoin P2P message header"},
		{"monero", nil, all(at(0, "\x01\x21\x01\x01\x01\x01\x01\x01")), nil, "Monero Levin header"},
	}
}

// peerUDPRows: the same over UDP.
func peerUDPRows() []row {
	return []row{
		{"gnutella", nil, all(at(0, "GND"), between(3, 1, 0, 127), size(8, 1500)), nil, "Gnutella2 UDP transceiver"},
		{"gnutella", nil, all(in(16, "\x00\x01\x02\x30\x31\x40\x80\x81"), between(17, 1, 1, 10), between(18, 1, 0, 10), lengthLE(19, 4, 23)), nil, "Gnutella 0.4 descriptor header"},
		{"gnutella", nil, all(at(16, "D\x00"), between(18, 1, 0, 10), lengthLE(19, 4, 23)), nil, "Mojito, the DHT of Gnutella clients, message header"},
		{"edonkey", ports(4665, 4672), all(in(0, "\xe3\xc5\xe4\xe5"), size(2, 1500)), nil, "eMule protocol specification section 6"},
		{"edonkey", nil, all(at(0, "\xe4\x21"), in(2, "\x02\x04\x0b"), size(35, 35)), nil, "Kademlia 2 of eMule, a search"},
		{"edonkey", nil, all(at(0, "\xe4"), in(1, "\x11\x19"), between(20, 1, 5, 10), between(21, 1, 0, 4), size(22, 64)), nil, "Kademlia 2 of eMule, hello and its answer"},
		{"ethereum", nil, all(in(96, "\x00\x01"), at(97, "\x01"), in(98, span(0xc0, 0xf8)), in(99, "\x04\x05"), size(102, 1280)), nil, "Ethereum discv4 ping"},
		{"ethereum", nil, all(in(96, "\x00\x01"), at(97, "\x01\xf8"), in(100, "\x04\x05"), size(102, 1280)), nil, "Ethereum discv4 ping"},
		{"ethereum", ports(30301, 30303, 30304, 30305), all(in(96, "\x00\x01"), between(97, 1, 1, 6), in(98, span(0xc0, 0xff)), size(102, 1280)), nil, "Ethereum discv4 packet"},
		{"syncthing", nil, all(at(0, "\x2e\xa7\xd9\x0b")), nil, "Syncthing local discovery version 4"},
		{"zug", nil, all(at(0, "\x00zUG\x10"), size(14, 1500)), nil, "Zug consensus message header"},
		{"nano", ports(7075), all(at(0, "R"), in(1, "ABCX"), between(2, 1, 1, 64), between(3, 1, 1, 64), between(4, 1, 1, 64), between(5, 1, 0, 16)), nil, "Nano message header"},
		{"dropbox-lansync", ports(17500), all(at(0, "{"), has("\"host_int\"", 256)), nil, "Dropbox LAN sync discovery"},
	}
}
