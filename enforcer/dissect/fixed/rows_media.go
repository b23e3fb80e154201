package fixed

// mediaTCPRows: calls, streams and messengers.
var mediaTCPRows = []row{
	{"rtmp", nil, all(at(0, "\x03"), at(5, "\x00\x00\x00\x00"), size(1537, 0)), nil, "Adobe RTMP 1.0 section 5.2"},
	{"rtmp", ports(1935), all(at(0, "\x03"), size(1537, 0)), all(at(0, "\x03")), "Adobe RTMP 1.0 section 5.2"},
	{"h323", nil, all(at(0, "\x03\x00"), at(4, "\x08\x02"), in(8, "\x01\x02\x03\x05\x07\x5a\x62\x6e\x7b")), nil, "ITU-T H.225.0, Q.931 over TPKT"},
	{"h323", nil, all(at(0, "\x03\x00"), at(4, "\x02"), has("\x06\x00\x08\x81\x75\x00", 16)), nil, "ITU-T H.245 terminal capability set over TPKT, its protocol identifier"},
	{"skinny", ports(2000), all(betweenLE(0, 4, 4, 2000), in(4, "\x00\x11\x12\x14\x16"), at(5, "\x00\x00\x00"), at(10, "\x00\x00")), nil, "Cisco SCCP header"},
	{"bfcp", nil, all(in(0, "\x20\x40"), between(1, 1, 1, 18), scaled(2, 2, 4, 12), at(4, "\x00\x00")), nil, "RFC 8855 section 5.1"},
	{"megaco", nil, all(at(0, "MEGACO/"), in(7, digits)), nil, "RFC 3525 annex B"},
	{"spotify", nil, all(at(0, "\x00\x04\x00\x00"), at(6, "\x52"), at(8, "\x50")), nil, "Spotify access point client hello"},
	{"whatsapp", nil, all(at(0, "WA"), in(2, "\x01\x02\x03\x04\x05\x06"), between(3, 1, 0, 9), at(4, "\x00\x00")), nil, "WhatsApp prologue, FunXMPP and Noise"},
	{"whatsapp", nil, all(at(0, "ED\x00\x01\x00\x00")), nil, "WhatsApp edge routing header"},
	{"mpeg-ts", nil, all(at(0, "\x47"), at(188, "\x47"), at(376, "\x47"), at(564, "\x47")), nil, "ISO/IEC 13818-1 section 2.4.3"},
}

// mediaUDPRows: the same over UDP.
var mediaUDPRows = []row{
	{"sip", nil, all(lineEnd(" SIP/2.0")), nil, "RFC 3261 section 7.1"},
	{"sip", nil, all(at(0, "SIP/2.0 "), in(8, "123456")), nil, "RFC 3261 section 7.2"},
	{"rtsp", nil, all(lineEnd(" RTSP/1.0")), nil, "RFC 2326 section 6.1"},
	{"mgcp", nil, all(in(0, span('A', 'Z')), lineEnd(" MGCP 1.0")), nil, "RFC 3435 section 3.2"},
	{"mgcp", ports(2427, 2727), all(in(0, "12345"), in(1, digits), in(2, digits), at(3, " ")), nil, "RFC 3435 section 3.3"},
	{"mgcp", ports(2427, 2727), all(in(0, span('A', 'Z')), has(" MGCP ", 128)), nil, "RFC 3435 section 3.2"},
	{"megaco", nil, all(at(0, "MEGACO/"), in(7, digits)), nil, "RFC 3525 annex B"},
	{"megaco", nil, all(at(0, "!/"), in(2, digits), at(3, " ["), has("]", 128)), nil, "RFC 3525 annex B"},
	{"iax", ports(4569), all(masked(0, "\x80", "\x80"), at(2, "\x00\x00"), at(10, "\x06"), between(11, 1, 1, 40)), nil, "RFC 5456 section 8.1"},
	{"h323", ports(1718, 1719), all(has("\x00\x08\x91\x4a\x00", 32)), nil, "ITU-T H.225.0 RAS, protocol identifier"},
	{"bfcp", nil, all(in(0, "\x40\x50"), between(1, 1, 1, 18), scaled(2, 2, 4, 12), at(4, "\x00\x00")), nil, "RFC 8855 section 5.1"},
	{"discord-voice", nil, all(at(0, "\x00"), in(1, "\x01\x02"), at(2, "\x00\x46"), at(24, repeat("\x00", 40)), size(74, 74)), nil, "Discord voice, IP discovery"},
	{"discord-voice", nil, all(at(0, "\x13\x37\xca\xfe"), size(8, 8)), nil, "Discord voice keepalive"},
	{"sd-rtn", nil, all(at(13, "SNI\x00"), has(".agora.io", 96)), nil, "Agora SD-RTN hello, the server's name"},
	{"spotify", nil, all(at(0, "SpotUdp0")), nil, "Spotify Connect discovery"},
	{"teamspeak", nil, all(at(0, "TS3INIT1")), nil, "TeamSpeak 3 init packet"},
	{"teamspeak", nil, all(in(0, "\xf0\xf1\xf2\xf4"), at(1, "\xbe"), in(2, "\x03\x04"), at(3, "\x00"), size(16, 1500)), nil, "TeamSpeak 2 header"},
	{"mumble", ports(64738), all(at(0, "\x00\x00\x00\x00"), size(12, 12)), all(at(0, "\x00\x01"), size(24, 24)), "Mumble server ping"},
	{"srt", nil, all(at(0, "\x80\x00\x00\x00"), at(16, "\x00\x00\x00"), in(19, "\x04\x05"), size(64, 1500)), nil, "SRT draft section 3.2.1"},
	{"mpeg-ts", nil, all(at(0, "\x47"), at(188, "\x47"), at(376, "\x47")), nil, "ISO/IEC 13818-1 section 2.4.3"},
	{"teamviewer", ports(5938), all(at(0, "\x00"), at(11, "\x17\x24")), nil, "TeamViewer UDP header"},
	{"teamviewer", nil, all(at(0, repeat("\x00", 10)), at(11, "\x17\x24"), size(16, 1500)), nil, "TeamViewer UDP header of a first datagram"},
	{"viber", ports(5243, 7985, 7987, 9785), all(in(2, "\x03\x09\x19\x1a\x1b"), at(3, "\x00"), size(4, 256)), nil, "Viber voice control datagram"},
	{"nomachine", ports(4000, 4080), all(at(0, "\x01\x00\x01\x00"), lengthLE(4, 2, 0)), nil, "NoMachine UDP header"},
	{"vhua", nil, all(at(0, "\x05\x14\x3a\x05\x08\xf8\xa1\xb1\x03")), nil, "VHUA voice hello"},
	{"flute", nil, all(masked(0, "\x10", "\xf0"), has("<FDT-Instance", 256)), nil, "RFC 6726 section 3.2 in an LCT packet of version 1"},
	{"oicq", ports(8000), all(at(0, "\x02"), last("\x03"), size(12, 1500)), nil, "OICQ packet frame"},
	{"bjnp", nil, all(at(0, "BJN"), in(3, "PBL"), in(4, "\x01\x02\x03\x04\x81\x82\x83\x84")), nil, "Canon BJNP header"},
	{"bjnp", nil, all(at(0, "MFNP"), in(4, "\x01\x02\x03\x04\x81\x82\x83\x84")), nil, "Canon BJNP header"},
}
