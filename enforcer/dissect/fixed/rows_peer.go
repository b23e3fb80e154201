package fixed

// raknetMagic marks RakNet's offline messages.
const raknetMagic = "\x00\xff\xff\x00\xfe\xfe\xfe\xfe\xfd\xfd\xfd\xfd\x12\x34\x56\x78"

// peerTCPRows: file sharing and coins.
var peerTCPRows = []row{
	{"gnutella", nil, all(at(0, "GNUTELLA CONNECT/")), nil, "Gnutella 0.4 section 2"},
	{"gnutella", nil, all(at(0, "GNUTELLA/0."), in(11, digits), at(12, " ")), nil, "Gnutella 0.6 handshake"},
	{"edonkey", nil, all(in(0, "\xe3\xc5\xd4"), at(3, "\x00\x00\x01\x10")), nil, "eMule protocol specification section 6.4.1"},
	{"edonkey", ports(4661, 4662), all(in(0, "\xe3\xc5\xd4"), at(3, "\x00\x00")), nil, "eMule protocol specification section 6"},
	{"bitcoin", nil, all(at(4, "version\x00\x00\x00\x00\x00")), nil, "Bitcoin P2P message header"},
	{"monero", nil, all(at(0, "\x01\x21\x01\x01\x01\x01\x01\x01")), nil, "Monero Levin header"},
}

// peerUDPRows: the same over UDP.
var peerUDPRows = []row{
	{"gnutella", nil, all(at(0, "GND"), between(3, 1, 0, 127), size(8, 1500)), nil, "Gnutella2 UDP transceiver"},
	{"gnutella", nil, all(in(16, "\x00\x01\x02\x30\x31\x40\x80\x81"), between(17, 1, 0, 10), between(18, 1, 0, 10), lengthLE(19, 4, 23)), nil, "Gnutella 0.4 descriptor header"},
	{"edonkey", ports(4665, 4672), all(in(0, "\xe3\xc5\xe4\xe5"), size(2, 1500)), nil, "eMule protocol specification section 6"},
	{"ethereum", nil, all(in(96, "\x00\x01"), at(97, "\x01"), in(98, span(0xc0, 0xf8)), in(99, "\x04\x05"), size(102, 1280)), nil, "Ethereum discv4 ping"},
	{"ethereum", nil, all(in(96, "\x00\x01"), at(97, "\x01\xf8"), in(100, "\x04\x05"), size(102, 1280)), nil, "Ethereum discv4 ping"},
	{"ethereum", ports(30301, 30303, 30304, 30305), all(in(96, "\x00\x01"), between(97, 1, 1, 6), in(98, span(0xc0, 0xff)), size(102, 1280)), nil, "Ethereum discv4 packet"},
	{"syncthing", nil, all(at(0, "\x2e\xa7\xd9\x0b")), nil, "Syncthing local discovery version 4"},
	{"dropbox-lansync", ports(17500), all(at(0, "{"), has("\"host_int\"", 256)), nil, "Dropbox LAN sync discovery"},
}

// gameTCPRows: games.
var gameTCPRows = []row{
	{"steam", nil, all(at(4, "VT01"), at(2, "\x00\x00")), nil, "Steam connection manager frame"},
	{"minecraft", ports(25565), all(at(1, "\x00"), length(0, 1, 1)), nil, "Minecraft Java handshake"},
	{"minecraft", ports(25565), all(at(0, "\xfe\x01")), nil, "Minecraft Java legacy server list ping"},
}

// gameUDPRows: the same over UDP.
var gameUDPRows = []row{
	{"raknet", nil, all(in(0, "\x05\x06\x07\x08"), at(1, raknetMagic)), nil, "RakNet offline messages"},
	{"raknet", nil, all(in(0, "\x01\x02"), at(9, raknetMagic)), nil, "RakNet unconnected ping"},
	{"raknet", nil, all(at(0, "\x1c"), at(17, raknetMagic)), nil, "RakNet unconnected pong"},
	{"source-engine", nil, all(at(0, "\xff\xff\xff\xffTSource Engine Query\x00")), nil, "Valve server queries, A2S_INFO"},
	{"source-engine", nil, all(at(0, "\xff\xff\xff\xff"), in(4, "UV"), size(9, 9)), nil, "Valve server queries, A2S_PLAYER"},
	{"source-engine", nil, all(at(0, "\xff\xff\xff\xffI\x11")), nil, "Valve server queries, A2S_INFO answer"},
	{"quake", nil, all(at(0, "\xff\xff\xff\xffgetstatus")), nil, "Quake III out-of-band command"},
	{"quake", nil, all(at(0, "\xff\xff\xff\xffgetinfo")), nil, "Quake III out-of-band command"},
	{"quake", nil, all(at(0, "\xff\xff\xff\xffgetchallenge")), nil, "Quake III out-of-band command"},
	{"steam", nil, all(at(0, "VS01")), nil, "Steam connection manager datagram"},
	{"steam", nil, all(at(0, "\xff\xff\xff\xff\x21\x4c\x5f\xa0")), nil, "Steam in-home streaming discovery"},
	{"yojimbo", nil, all(at(0, "\x00NETCODE 1.0")), nil, "netcode connection request"},
}
