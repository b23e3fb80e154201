package fixed

// raknetMagic marks RakNet's offline messages.
const raknetMagic = "\x00\xff\xff\x00\xfe\xfe\xfe\xfe\xfd\xfd\xfd\xfd\x12\x34\x56\x78"

// oob opens the connectionless messages of the Quake and Source engines.
const oob = "\xff\xff\xff\xff"

// hostBytes are what a host name or an address is written with.
const hostBytes = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:"

const lowerLetters = "abcdefghijklmnopqrstuvwxyz"

// kcpCommands push, acknowledge, ask for a window and tell it (ikcp.c).
const kcpCommands = "\x51\x52\x53\x54"

// gameTCPRows: games.
func gameTCPRows() []row {
	return []row{
		{"steam", nil, all(at(4, "VT01"), at(2, "\x00\x00")), nil, "Steam connection manager frame"},
		{"minecraft", ports(25565), all(at(1, "\x00"), length(0, 1, 1)), nil, "Minecraft Java handshake"},
		{"minecraft", nil, all(length(0, 1, 1), at(1, "\x00"), in(2, span(0x80, 0xff)), between(3, 1, 1, 7), between(4, 1, 4, 64), in(5, hostBytes), in(6, hostBytes), in(7, hostBytes), in(8, hostBytes)), nil, "Minecraft Java handshake: protocol number and host name"},
		{"minecraft", ports(25565), all(at(0, "\xfe\x01")), nil, "Minecraft Java legacy server list ping"},
		{"world-of-warcraft", nil, all(at(0, "\x00"), lengthLE(2, 2, 4), at(4, "WoW\x00")), nil, "World of Warcraft logon challenge"},
		{"world-of-warcraft", nil, all(at(0, "\x00"), at(2, "WORLD OF WARCRAFT CONNECTION")), nil, "World of Warcraft connection greeting"},
		{"world-of-warcraft", ports(1119, 3724, 4000, 6112, 6113, 6114), all(length(0, 2, 2), at(2, "\xec\x01\x01\x00")), nil, "World of Warcraft world server challenge of old, nDPI's world_of_warcraft"},
		{"world-of-warcraft", ports(3724), all(at(0, "\x00\x06\xec\x01")), nil, "World of Warcraft world server challenge of old, nDPI's world_of_warcraft"},
		{"world-of-warcraft", ports(1119), all(at(0, "\x40\x00\x0a\xed\xea\x07\x0a\xed")), nil, "World of Warcraft log-on through Battle.net, nDPI's world_of_warcraft"},
		{"starcraft", nil, all(in(0, "\x49\x4a"), at(1, "\x00\x00\x0a\x66\x02\x0a\xed\x2d\x66")), nil, "StarCraft II log-on, nDPI's starcraft"},
		{"battle-net", nil, all(at(0, "\x41\x00\x00\x0a\x66\x52\xed\xc6")), nil, "Battle.net log-on, nDPI's blizzard"},
		{"battle-net", nil, all(at(0, "\x01\xff\x50"), lengthLE(3, 2, 1)), nil, "Battle.net chat server, SID_AUTH_INFO behind the protocol byte"},
		{"warcraft3", nil, all(at(0, "\xf7"), between(1, 1, 1, 0x50), betweenLE(2, 2, 4, 1500), skipLE(2, 2, 1, 0), at(0, "\xf7"), between(1, 1, 1, 0x50), betweenLE(2, 2, 4, 1500)), all(at(0, "\xf7"), between(1, 1, 1, 0x50), betweenLE(2, 2, 4, 1500)), "Warcraft III game protocol header: two messages, and the other side's"},
		{"warcraft3", ports(6112), all(at(0, "\xf7"), between(1, 1, 1, 0x50), lengthLE(2, 2, 0)), nil, "Warcraft III game protocol header"},
		{"tencent-games", nil, all(at(0, "\x33\x66\x00"), between(3, 1, 1, 32), at(4, "\x00"), between(5, 1, 1, 32), at(6, "\x10"), in(7, "\x01\x02")), nil, "Tencent TGCP header, SYN and ACK"},
		{"tencent-games", nil, all(at(0, "\x43\x66\xaa\x00\x00\x00"), size(24, 0)), nil, "Tencent game connector header"},
		{"tencent-games", nil, all(at(0, "\x43\x66\xaa\x00"), at(12, "\x10\xe6\x86\x01")), nil, "Tencent game connector header, nDPI's tencent_games"},
		{"tencent-games", nil, all(at(0, "\xaa\x00\x00\x00"), at(10, "\x10\xe6\x86\x01")), nil, "Tencent game connector header of an answer, nDPI's tencent_games"},
		{"tencent-games", nil, all(at(0, "\x42\x15\xf7\x87"), at(6, "\x00\x00"), size(51, 0)), nil, "Tencent game frame, nDPI's tencent_games"},
		{"tencent-games", nil, all(at(0, "\x00\x00"), at(4, "\x78\x01"), masked(6, "\x05", "\x07"), length(2, 2, 4), size(51, 0)), nil, "Tencent game frame, nDPI's tencent_games: a length and one deflated block (RFC 1950, 1951)"},
		{"elder-scrolls-online", nil, all(at(4, "\x00\x01\x00\x01"), length(0, 4, 4), length(8, 4, 12), has("eso.live", 200)), nil, "The Elder Scrolls Online's two nested frames and platform, nDPI's teso"},
		{"elder-scrolls-online", nil, all(at(4, "\x00\x01\x00\x01"), length(0, 4, 4), length(8, 4, 12), has("\x8b\x78\x9c\x01", 400)), nil, "The Elder Scrolls Online's two nested frames and deflated block, nDPI's teso"},
		{"path-of-exile", nil, all(at(0, "\x00\x03\x00"), at(6, "\x00\x02\x00"), has("\x00\x00\x00\x00\x40\x00\x00\x01", 50)), nil, "Path of Exile log-on to an instance, nDPI's path_of_exile"},
		{"maplestory", nil, all(at(0, "\x0e\x00"), betweenLE(2, 2, 28, 400), at(4, "\x01\x00"), in(6, digits), between(15, 1, 1, 9)), nil, "MapleStory server hello: length, version, sub-version, two keys, region"},
		{"dofus", nil, all(at(1, "\x05\x08"), at(5, "\x04\xa0"), at(11, "\x01\x94")), nil, "Dofus 1 hello, nDPI's dofus"},
		{"dofus", nil, all(at(0, "HC"), in(2, lowerLetters), in(3, lowerLetters), in(17, lowerLetters), in(33, lowerLetters), at(34, "\x00")), all(in(0, "12"), at(1, "."), in(2, digits)), "Dofus 1 log-on: the server's key of 32 letters, the client's version"},
		{"dofus", nil, all(at(0, "HG\x00")), all(at(0, "AT"), in(2, span(' ', '~')), in(3, span(' ', '~'))), "Dofus 1 game server: hello, the client's ticket"},
		{"dofus", nil, all(at(0, "\x00\x05\x08\x00\x00\x05"), at(8, "\x00\x05\x18")), nil, "Dofus 2 hello, nDPI's dofus"},
		{"dofus", nil, all(at(0, "\x01\xb9\x26"), skip(3, 2, 1, 5), at(0, "\x00"), length(0, 2, 2)), nil, "Dofus 2 identification, nDPI's dofus"},
		{"dofus", nil, all(at(0, "\x00\x11\x35\x02\x03\x00\x93\x96\x01\x00")), nil, "Dofus 2 identification, nDPI's dofus"},
		{"guild-wars", nil, all(at(1, "\x05\x0c"), at(50, "@2&P"), size(64, 0)), nil, "Guild Wars hello, nDPI's guildwars"},
		{"guild-wars", nil, all(at(1, "\x04\x0c"), at(4, "\xa6\x72"), at(8, "\x01"), at(12, "\x04"), size(16, 0)), nil, "Guild Wars hello, nDPI's guildwars"},
		{"guild-wars", nil, all(at(0, "\x01\x00"), at(5, "\xf1\x00\x10\x00\x01"), size(21, 0)), nil, "Guild Wars hello, nDPI's guildwars"},
		{"world-of-kungfu", nil, all(at(0, "\x0c\x00\x00\x00\xd2\x00\x0c\x00"), at(9, "\x16\x00\x00"), at(14, "\x00\x00")), nil, "World of Kung Fu hello, nDPI's world_of_kung_fu"},
		{"photon", nil, all(at(0, "\xfb\x00\x00"), in(5, "\x00\x01"), in(6, "\x00\x01"), at(7, "\xf3\x00\x01")), nil, "Photon TCP transport: frame header, connect of protocol 1.x"},
	}
}

// gameUDPRows: the same over UDP.
func gameUDPRows() []row {
	return []row{
		{"raknet", nil, all(in(0, "\x05\x06\x07\x08"), at(1, raknetMagic)), nil, "RakNet offline messages"},
		{"raknet", nil, all(in(0, "\x01\x02"), at(9, raknetMagic)), nil, "RakNet unconnected ping"},
		{"raknet", nil, all(at(0, "\x1c"), at(17, raknetMagic)), nil, "RakNet unconnected pong"},
		{"raknet", nil, all(at(1, raknetMagic), size(1200, 1500)), nil, "RakNet offline message under another number, nDPI's raknet"},
		{"raknet", nil, all(at(32, raknetMagic), size(1200, 1500)), nil, "RakNet offline message behind a header, nDPI's raknet"},
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
		{"yojimbo", nil, all(at(0, "\x00NETCODE 1.")), nil, "netcode connection request"},
		{"minecraft", nil, all(at(0, "[MOTD]"), has("[/MOTD]", 256)), nil, "Minecraft Java LAN announcement"},
		{"warcraft3", nil, all(at(0, "\xf7"), in(1, "\x2f\x30\x31\x32\x33"), lengthLE(2, 2, 0)), nil, "Warcraft III game protocol header: games searched, told, made and ended"},
		{"warcraft3", ports(6112), all(at(0, "\xf7"), between(1, 1, 1, 0x50), lengthLE(2, 2, 0)), nil, "Warcraft III game protocol header"},
		{"enet", nil, all(in(0, "\x8f\x9f\xaf\xbf"), at(1, "\xff"), at(4, "\x82\xff\x00\x01"), between(12, 4, 576, 4096), size(44, 64)), nil, "ENet protocol.h, CONNECT as the first command"},
		{"photon", nil, all(at(0, "\xff\xff"), in(2, "\x00\x01"), at(3, "\x01"), at(12, "\x02\xff"), length(16, 4, 12)), nil, "Photon UDP transport, connect as the first command"},
		{"photon", nil, all(at(0, "\x00\x00"), at(3, "\x02"), at(12, "\x01\xff\x00\x00\x00\x00\x00\x14"), at(32, "\x03\xff")), nil, "Photon UDP transport, acknowledge and verify connect"},
		{"photon", ports(5055, 5056, 5058, 27000, 27001, 27002), all(at(12, "\x01"), in(13, "\x00\x01\x02\x03\xff"), at(14, "\x00\x00\x00\x00\x00\x14")), nil, "Photon UDP transport, acknowledge"},
		{"nintendo-pia", nil, all(at(0, "\x32\xab\x98\x64"), size(24, 1500)), nil, "Nintendo Pia packet header"},
		{"playstation-discovery", nil, all(at(0, "SRCH * HTTP/1.1\n")), nil, "PlayStation device discovery"},
		{"hoyoverse-kcp", nil, all(at(0, "\x00\x00\x00\xff"), at(12, "\x49\x96\x02\xd2\xff\xff\xff\xff"), size(20, 20)), nil, "HoYoverse KCP handshake, connect"},
		{"hoyoverse-kcp", nil, all(at(0, "\x00\x00\x01\x45"), at(12, "\x49\x96\x02\xd2\x14\x51\x45\x45"), size(20, 20)), nil, "HoYoverse KCP handshake, connected"},
		{"among-us", nil, all(at(0, "\x08\x00\x01\x00"), betweenLE(4, 4, 50_500_000, 51_500_000), size(10, 256)), nil, "Hazel hello and the version of Among Us, year by 25,000"},
		{"battle-net", nil, all(at(0, oob+"\xa3\x1f\xb6\x1e\x00\x00\x40\x01"+repeat("\x00", 7)+"\x04\x03\x02\x01"), size(23, 23)), nil, "Warcraft Rumble hello, nDPI's blizzard"},
		{"among-us", ports(22023, 22123, 22223, 22323, 22423, 22523, 22623, 22723, 22823, 22923), all(at(0, "\x08\x00\x01\x00"), size(8, 256)), nil, "Hazel hello"},
		{"steam-datagram-relay", nil, all(at(2, "sdping"), size(30, 1500)), nil, "Steam Datagram Relay ping, nDPI's steam_datagram_relay"},
		{"steam", nil, all(at(0, "\x39\x18\x00\x00"), size(4, 8)), all(at(0, "\x3a\x18\x00\x00"), size(8, 8)), "Steam friends' network ping, nDPI's steam"},
		{"source-engine", nil, all(at(0, oob), in(4, "TUV"), size(9, 29)), all(at(0, oob), in(4, "AIDE"), size(9, 1500)), "Valve server queries, request and answer"},
		{"half-life2", nil, all(at(0, oob), last("000\x00"), size(20, 1500)), all(at(0, oob), last("000\x00"), size(20, 1500)), "Half-Life 2 connection challenge and answer, nDPI's half-life2"},
		{"riot-games", nil, all(last("\xaa\xaa\xaa\xaa\xbb\xbb\xbb\xbb"), size(9, 1500)), nil, "Riot Games' trailer, nDPI's riotgames"},
		{"riot-games", nil, all(last("\x3c\xb1\x1f\x2d\xea\x23\x46\x0c"), size(53, 53)), nil, "Riot Games' trailer, nDPI's riotgames"},
		{"lol-wild-rift", nil, all(at(0, "\x01\x02\xc8\x41"), last("A0B1"), size(22, 22)), nil, "Wild Rift hello, nDPI's lol_wild_rift"},
		{"lol-wild-rift", nil, all(at(0, "\x04\x00\x00\x00"), size(69, 69)), all(at(0, "\x10\x00\x00\x00"), size(359, 359)), "Wild Rift key exchange, nDPI's lol_wild_rift"},
		{"epic-games", nil, all(masked(3, "\x00", "\x08"), at(10, repeat("\x00", 24)), in(5, span(1, 255)), size(34, 1500)), all(masked(3, "\x08", "\x08"), same(0, 3), same(5, 5), size(34, 1500)), "Unreal Engine stateless connect: an empty cookie, and the server's, nDPI's epicgames"},
		{"netease-games", nil, all(at(0, "\x01"), at(2, "\xd0\x01"), at(8, "\x00\x01\x01\x01"), size(12, 12)), nil, "NetEase game hello, nDPI's netease_games"},
		{"netease-games", nil, all(at(0, "\xb3\xaf\x8d\xe8"), size(30, 1500)), nil, "Lost Light, nDPI's netease_games"},
		{"netease-games", nil, all(at(0, "\x07\x08\x08\x0c"), size(31, 1500)), nil, "Naraka: Bladepoint, nDPI's netease_games"},
		{"call-of-duty-mobile", ports(7500), all(at(8, "ping"), size(12, 12)), nil, "Call of Duty: Mobile latency probe, nDPI's cod_mobile"},
		{"call-of-duty-mobile", nil, all(at(0, "\xce"), has("LOC_PREFAB_LOADOUTNAME_1", 1500), size(351, 1500)), nil, "Call of Duty: Mobile loadouts, nDPI's cod_mobile"},
		{"gaijin", nil, all(at(0, "embeddedupdater."), size(101, 1500)), nil, "Gaijin's metrics, nDPI's gaijin_entertainment"},
		{"gaijin", nil, all(at(0, "app.start,"), has(",circuit=", 64), size(101, 1500)), nil, "Gaijin's metrics, nDPI's gaijin_entertainment"},
		{"gaijin", nil, all(at(0, "app.stage"), has(",circuit=", 64), size(101, 1500)), nil, "Gaijin's metrics, nDPI's gaijin_entertainment"},
		{"heroes-of-the-storm", ports(1119, 1120, 3724, 6113), all(in(2, "\x03\x34"), at(3, "\x00"), at(14, "\x40\x00"), size(20, 122)), nil, "Heroes of the Storm, nDPI's hots"},
		{"heroes-of-the-storm", ports(1119, 1120, 3724, 6113), all(at(0, repeat("\x00", 14)+"\x40\x00"), size(20, 122)), nil, "Heroes of the Storm, nDPI's hots"},
		{"activision", nil, all(at(0, "\x0c\x02"), size(18, 1500)), all(at(0, "\x0d\x02"), size(18, 1500)), "Activision's game session, its two openings, nDPI's activision"},
		{"armagetron", nil, all(at(0, "\x00\x0b\x00\x00"), at(6, "\x00\x08"), last("\x00\x00"), scaled(4, 2, 2, 8), size(11, 1400)), nil, "Armagetron Advanced nMessage: login"},
		{"armagetron", nil, all(at(0, "\x00\x1c"), at(4, "\x00\x04\x00\x00\x05\x00\x00\x01\x00\x00"), last("\x00\x00"), size(16, 16)), nil, "Armagetron Advanced nMessage: synchronise"},
		{"armagetron", ports(4533, 4534), all(at(0, "\x00"), between(1, 1, 1, 60), between(4, 2, 1, 200), last("\x00\x00"), size(10, 1400)), nil, "Armagetron Advanced nMessage: kind, number, length in words, and at the end who sent it: 0, nobody yet"},
		{"crynetwork", nil, all(at(3, "\x08\xed"), at(16, "\x01"), at(20, "\x07"), at(24, "\x03\x07"), length(0, 1, 10)), nil, "CryNetwork, nDPI's crynet"},
		{"xbox-live", nil, all(at(0, "\x00\x00\x00\x00"), in(4, "\x02\x03\x06\x0b\x0c"), at(5, "\x58"), in(6, "\x18\x40\x4e\x76\x80"), at(7, "\x00\x00\x00"), size(13, 1500)), nil, "Xbox Live key exchange, nDPI's xbox"},
		{"xbox-live", ports(3074), all(at(0, "\xcf\x5f\x32\x02"), size(40, 40)), nil, "Xbox Live session, nDPI's xbox"},
		{"xbox-live", ports(3074), all(at(0, "\xc1\x45\x7f\x03"), size(38, 38)), nil, "Xbox Live session, nDPI's xbox"},
		{"xbox-live", ports(3074), all(at(0, "\x01\x5f\x2c\x00"), size(28, 28)), nil, "Xbox Live session, nDPI's xbox"},
		{"xbox-live", ports(5050), all(at(0, "\xdd\x00\x00\x0a\x00\x00"), size(16, 16)), nil, "Xbox SmartGlass simple message, discovery request"},
		{"xbox-live", ports(5050), all(at(0, "\xdd\x01"), length(2, 2, 6)), nil, "Xbox SmartGlass simple message, discovery answer"},
		{"playstation-discovery", nil, all(at(0, "HTTP/1.1 "), has("\nhost-type:PS", 300)), nil, "PlayStation device discovery, answer"},
		{"playstation-remote-play", nil, all(at(0, repeat("\x00", 13)+"\x01\x00\x00\x14"), at(25, "\x00\x64\x00\x64"), size(33, 33)), nil, "PlayStation Remote Play, Takion INIT (Chiaki's takion.c)"},
		{"nintendo-prudp", nil, all(at(0, "\xea\xd0\x01"), between(3, 1, 0, 64), betweenLE(4, 2, 0, 1400), size(30, 1500)), nil, "Nintendo NEX, PRUDP version 1 (NintendoClients' PRUDP)"},
		{"nintendo-prudp", nil, all(at(0, "\xaf\xa1"), between(3, 1, 0, 1), size(12, 1500)), all(at(0, "\xa1\xaf"), between(3, 1, 0, 1), size(12, 1500)), "Nintendo NEX, PRUDP version 0: both virtual ports (NintendoClients' PRUDP)"},
		{"playstation-discovery", nil, all(at(0, "WAKEUP * HTTP/1.1\n")), nil, "PlayStation device discovery, wake-up"},
		{"photon", nil, all(at(0, repeat("\x7d", 12)), size(13, 13)), nil, "Photon region ping"},
		{"crossfire", nil, all(at(0, "\xc7\xd9\x19\x99\x02\x00"), size(25, 1500)), nil, "CrossFire session datagram"},
		{"kcp", nil, all(in(4, kcpCommands), between(5, 1, 0, 127), lengthLE(20, 4, 24)), nil, "KCP segment header"},
		{"kcp", nil, all(in(4, kcpCommands), between(5, 1, 0, 127), skipLE(20, 4, 1, 24), in(4, kcpCommands), between(5, 1, 0, 127), lengthLE(20, 4, 24)), nil, "KCP segment header, two segments"},
	}
}
