package fixed

// raknetMagic marks RakNet's offline messages.
const raknetMagic = "\x00\xff\xff\x00\xfe\xfe\xfe\xfe\xfd\xfd\xfd\xfd\x12\x34\x56\x78"

// oob opens the connectionless messages of the Quake and Source engines.
const oob = "\xff\xff\xff\xff"

// hostBytes are what a host name or an address is written with.
const hostBytes = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:"

// gameTCPRows: games.
var gameTCPRows = []row{
	{"steam", nil, all(at(4, "VT01"), at(2, "\x00\x00")), nil, "Steam connection manager frame"},
	{"minecraft", ports(25565), all(at(1, "\x00"), length(0, 1, 1)), nil, "Minecraft Java handshake"},
	{"minecraft", nil, all(length(0, 1, 1), at(1, "\x00"), in(2, span(0x80, 0xff)), between(3, 1, 1, 7), between(4, 1, 4, 64), in(5, hostBytes), in(6, hostBytes), in(7, hostBytes), in(8, hostBytes)), nil, "Minecraft Java handshake: protocol number and host name"},
	{"minecraft", ports(25565), all(at(0, "\xfe\x01")), nil, "Minecraft Java legacy server list ping"},
	{"world-of-warcraft", nil, all(at(0, "\x00"), lengthLE(2, 2, 4), at(4, "WoW\x00")), nil, "World of Warcraft logon challenge"},
	{"world-of-warcraft", nil, all(has("WORLD OF WARCRAFT CONNECTION", 40)), nil, "World of Warcraft connection greeting"},
	{"battle-net", nil, all(at(0, "\x01\xff\x50"), lengthLE(3, 2, 1)), nil, "Battle.net chat server, SID_AUTH_INFO behind the protocol byte"},
	{"warcraft3", ports(6112), all(at(0, "\xf7"), between(1, 1, 1, 0x50), lengthLE(2, 2, 0)), nil, "Warcraft III game protocol header"},
	{"tencent-games", nil, all(at(0, "\x33\x66\x00"), between(3, 1, 1, 32), at(4, "\x00"), between(5, 1, 1, 32), at(6, "\x10"), in(7, "\x01\x02")), nil, "Tencent TGCP header, SYN and ACK"},
	{"tencent-games", nil, all(at(0, "\x43\x66\xaa\x00\x00\x00"), size(24, 0)), nil, "Tencent game connector header"},
}

// gameUDPRows: the same over UDP.
var gameUDPRows = []row{
	{"raknet", nil, all(in(0, "\x05\x06\x07\x08"), at(1, raknetMagic)), nil, "RakNet offline messages"},
	{"raknet", nil, all(in(0, "\x01\x02"), at(9, raknetMagic)), nil, "RakNet unconnected ping"},
	{"raknet", nil, all(at(0, "\x1c"), at(17, raknetMagic)), nil, "RakNet unconnected pong"},
	{"source-engine", nil, all(at(0, oob+"TSource Engine Query\x00")), nil, "Valve server queries, A2S_INFO"},
	{"source-engine", nil, all(at(0, oob), in(4, "AUVW"), size(9, 9)), nil, "Valve server queries, A2S_PLAYER, A2S_RULES and challenges"},
	{"source-engine", nil, all(at(0, oob+"I\x11")), nil, "Valve server queries, A2S_INFO answer"},
	{"source-engine", ports(27015, 27016, 27017, 27018, 27019, 27020), all(at(0, oob), in(4, "DEIm")), nil, "Valve server queries, answers"},
	{"source-engine", nil, all(at(0, oob+"connect0x")), nil, "Source engine connection request"},
	{"source-engine", nil, all(at(0, oob+"q"), has("connect0x", 24)), nil, "Source engine challenge request"},
	{"quake", nil, all(at(0, oob+"getstatus")), nil, "Quake III out-of-band command"},
	{"quake", nil, all(at(0, oob+"getinfo")), nil, "Quake III out-of-band command"},
	{"quake", nil, all(at(0, oob+"getchallenge")), nil, "Quake III out-of-band command"},
	{"quake", nil, all(at(0, oob+"getservers")), nil, "Quake III out-of-band command"},
	{"quake", nil, all(at(0, oob+"statusResponse\n")), nil, "Quake III out-of-band command"},
	{"quake", nil, all(at(0, oob+"infoResponse\n")), nil, "Quake III out-of-band command"},
	{"steam", nil, all(at(0, "VS01")), nil, "Steam connection manager datagram"},
	{"steam", nil, all(at(0, oob+"\x21\x4c\x5f\xa0")), nil, "Steam in-home streaming discovery"},
	{"steam-datagram-relay", nil, all(in(0, "\x01\x20\x21\x22\x23"), has("steamid:", 64), size(64, 1500)), nil, "Steam Datagram Relay identity string"},
	{"yojimbo", nil, all(at(0, "\x00NETCODE 1.0")), nil, "netcode connection request"},
	{"minecraft", nil, all(at(0, "[MOTD]"), has("[/MOTD]", 256)), nil, "Minecraft Java LAN announcement"},
	{"warcraft3", ports(6112), all(at(0, "\xf7"), between(1, 1, 1, 0x50), lengthLE(2, 2, 0)), nil, "Warcraft III game protocol header"},
	{"enet", nil, all(in(0, "\x8f\x9f\xaf\xbf"), at(1, "\xff"), at(4, "\x82\xff\x00\x01"), between(12, 4, 576, 4096), size(44, 64)), nil, "ENet protocol.h, CONNECT as the first command"},
	{"photon", nil, all(at(0, "\xff\xff"), in(2, "\x00\x01"), at(3, "\x01"), at(12, "\x02\xff"), length(16, 4, 12)), nil, "Photon UDP transport, connect as the first command"},
	{"photon", nil, all(at(0, "\x00\x00"), at(3, "\x02"), at(12, "\x01\xff\x00\x00\x00\x00\x00\x14"), at(32, "\x03\xff")), nil, "Photon UDP transport, acknowledge and verify connect"},
	{"photon", ports(5055, 5056, 5058, 27000, 27001, 27002), all(at(12, "\x01"), in(13, "\x00\x01\x02\x03\xff"), at(14, "\x00\x00\x00\x00\x00\x14")), nil, "Photon UDP transport, acknowledge"},
	{"nintendo-pia", nil, all(at(0, "\x32\xab\x98\x64"), size(24, 1500)), nil, "Nintendo Pia packet header"},
	{"playstation-discovery", nil, all(at(0, "SRCH * HTTP/1.1\n")), nil, "PlayStation device discovery"},
	{"hoyoverse-kcp", nil, all(at(0, "\x00\x00\x00\xff"), at(12, "\x49\x96\x02\xd2\xff\xff\xff\xff"), size(20, 20)), nil, "HoYoverse KCP handshake, connect"},
	{"hoyoverse-kcp", nil, all(at(0, "\x00\x00\x01\x45"), at(12, "\x49\x96\x02\xd2\x14\x51\x45\x45"), size(20, 20)), nil, "HoYoverse KCP handshake, connected"},
	{"among-us", ports(22023, 22123, 22223, 22323, 22423, 22523, 22623, 22723, 22823, 22923), all(at(0, "\x08\x00\x01\x00"), size(8, 256)), nil, "Hazel hello"},
	{"crossfire", nil, all(at(0, "\xc7\xd9\x19\x99\x02\x00"), size(25, 1500)), nil, "CrossFire session datagram"},
	{"kcp", nil, all(in(4, "\x51\x52\x53\x54"), in(5, "\x00"), lengthLE(20, 4, 24)), nil, "KCP segment header"},
}
