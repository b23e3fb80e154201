package fixed

// Primitives of BFCP that ask, and that answer (RFC 8855 section 5.1).
const (
	bfcpRequests = "\x01\x02\x03\x05\x07\x09\x0b\x10"
	bfcpAnswers  = "\x04\x06\x08\x0a\x0c\x0d\x11"
)

// mediaTCPRows: calls, streams and messengers.
func mediaTCPRows() []row {
	return []row{
		{"rtmp", nil, all(at(0, "\x03"), at(5, "\x00\x00\x00\x00"), size(1537, 0)), nil, "Adobe RTMP 1.0 section 5.2"},
		{"rtmp", nil, all(at(0, "\x03"), in(5, "\x80\x09\x0a\x0b\x0c\x0d"), in(8, "\x01\x02\x03\x0d"), size(1537, 0)), all(at(0, "\x03"), size(1537, 0)), "Adobe RTMP 1.0 section 5.2, a Flash version for the zeros"},
		{"rtmp", ports(1935), all(in(0, "\x03\x06\x08"), size(1537, 0)), nil, "Adobe RTMP 1.0 section 5.2, RTMPE"},
		{"h323", nil, all(at(0, "\x03\x00"), at(4, "\x08\x02"), in(8, "\x01\x02\x03\x05\x07\x5a\x0d\x62\x6e\x75\x7b\x7d")), nil, "ITU-T H.225.0, Q.931 over TPKT"},
		{"h323", nil, all(at(0, "\x03\x00"), at(4, "\x02"), has("\x06\x00\x08\x81\x75\x00", 16)), nil, "ITU-T H.245 terminal capability set over TPKT, its protocol identifier"},
		{"skinny", ports(2000), all(betweenLE(0, 4, 4, 2000), in(4, "\x00\x0a\x0b\x11\x12\x13\x14\x15\x16"), at(5, "\x00\x00\x00"), at(10, "\x00\x00")), nil, "Cisco SCCP header"},
		{"bfcp", nil, all(in(0, "\x20\x40"), between(1, 1, 1, 18), scaled(2, 2, 4, 12), at(4, "\x00\x00")), nil, "RFC 8855 section 5.1"},
		{"bfcp", nil, all(in(0, "\x20\x40"), in(1, bfcpRequests), at(2, "\x00"), size(12, 0)), all(in(0, "\x20\x30\x40\x50"), in(1, bfcpAnswers), same(4, 8), size(12, 0)), "RFC 8855 section 5.1: a request, and an answer of the same conference, transaction and user"},
		{"viber", ports(4244, 5242, 5243), all(lengthLE(0, 2, 0), at(4, "\x00\x00"), size(12, 0)), all(lengthLE(0, 2, 0), at(4, "\x00\x00"), size(12, 0)), "Viber frame: length and number"},
		{"viber", nil, all(lengthLE(0, 2, 0), at(6, "\xfc\xff"), at(9, "\x80"), between(1, 1, 0, 7)), nil, "Viber frame, nDPI's viber"},
		{"viber", nil, all(lengthLE(0, 2, 0), at(4, "\x03\x80"), at(10, "\x0a"), between(1, 1, 0, 7)), nil, "Viber frame, nDPI's viber"},
		{"dingtalk", nil, all(at(0, "\x10"), at(2, "\x87\x80\x01\x00\x01\x00\x02\x00\x02\x64\x6b\x03\x00\x20")), nil, "DingTalk hello, nDPI's dingtalk"},
		{"wechat", nil, all(at(4, "\x00\x10\x00\x01\x00\x00"), length(0, 4, 0)), nil, "WeChat long-connection header: length, header of 16 bytes, version 1, command"},
		{"kakaotalk", nil, all(at(0, "\x00\x01\x00\x00"), between(4, 1, 12, 16), at(5, "\x00\x00\x00"), in(8, "\x02\x03"), at(9, "\x00\x00\x00"), size(268, 0)), nil, "KakaoTalk LOCO secure handshake: length of the key, RSA, AES, the key"},
		{"teamspeak", nil, all(at(0, "\xf4\xbe"), in(2, "\x01\x02\x03"), at(3, "\x00"), size(20, 0)), nil, "TeamSpeak 2 header"},
		{"zattoo", nil, all(at(0, "\x03\x04\x00\x04\x0a\x00"), size(51, 0)), nil, "Zattoo hello, nDPI's zattoo"},
		{"megaco", nil, all(at(0, "MEGACO/"), in(7, digits)), nil, "RFC 3525 annex B"},
		{"megaco", nil, all(at(0, "\x03\x00"), at(4, "MEGACO/"), in(11, digits)), nil, "RFC 3525 annex D.2, in TPKT"},
		{"megaco", nil, all(at(0, "\x03\x00"), at(4, "!/"), in(6, digits), in(7, digits+" "), in(8, " [<M$")), nil, "RFC 3525 annex D.2, in TPKT"},
		{"spotify", nil, all(at(0, "\x00\x04\x00\x00"), at(6, "\x52"), at(8, "\x50")), nil, "Spotify access point client hello"},
		{"telegram", nil, all(at(0, "\xee\xee\xee\xee"), size(28, 0)), nil, "MTProto intermediate transport"},
		{"telegram", nil, all(at(0, "\xdd\xdd\xdd\xdd"), size(28, 0)), nil, "MTProto padded intermediate transport"},
		{"telegram", nil, all(at(0, "\xef"), between(1, 1, 1, 126), at(2, "\x00\x00\x00\x00\x00\x00\x00\x00")), nil, "MTProto abridged transport, first message without a key"},
		{"whatsapp", nil, all(at(0, "WA"), in(2, "\x01\x02\x03\x04\x05\x06"), between(3, 1, 0, 9), at(4, "\x00\x00")), nil, "WhatsApp prologue, FunXMPP and Noise"},
		{"whatsapp", nil, all(at(0, "ED\x00\x01\x00\x00")), nil, "WhatsApp edge routing header"},
		{"mpeg-ts", nil, all(at(0, "\x47"), at(188, "\x47"), at(376, "\x47"), at(564, "\x47")), nil, "ISO/IEC 13818-1 section 2.4.3"},
	}
}

// mediaUDPRows: the same over UDP.
func mediaUDPRows() []row {
	return []row{
		{"sip", nil, all(in(0, span('A', 'Z')), lineEnd(" SIP/2.0")), nil, "RFC 3261 section 7.1"},
		{"sip", nil, all(at(0, "SIP/2.0 "), in(8, "123456")), nil, "RFC 3261 section 7.2"},
		{"rtsp", nil, all(in(0, span('A', 'Z')), lineEnd(" RTSP/1.0")), nil, "RFC 2326 section 6.1"},
		{"mgcp", nil, all(in(0, span('A', 'Z')), in(4, " "), has(" MGCP 1.0", 256)), nil, "RFC 3435 section 3.2.1, with a profile"},
		{"mgcp", nil, all(in(0, span('A', 'Z')), lineEnd(" MGCP 1.0")), nil, "RFC 3435 section 3.2"},
		{"mgcp", ports(2427, 2727), all(in(0, "12345"), in(1, digits), in(2, digits), at(3, " ")), nil, "RFC 3435 section 3.3"},
		{"mgcp", ports(2427, 2727), all(in(0, span('A', 'Z')), has(" MGCP ", 128)), nil, "RFC 3435 section 3.2"},
		{"megaco", nil, all(at(0, "MEGACO/"), in(7, digits)), nil, "RFC 3525 annex B"},
		{"megaco", nil, all(at(0, "!/"), in(2, digits), at(3, " "), in(4, "[<"), has("{", 256)), nil, "RFC 3525 annex B"},
		{"megaco", ports(2944), all(at(0, "!/"), in(2, digits)), nil, "RFC 3525 annex B"},
		{"megaco", ports(2944, 2945), all(whole("\x30"), element("\xa1"), at(0, "\x80\x01")), nil, "RFC 3525 annex A, in BER"},
		{"iax", ports(4569), all(masked(0, "\x80", "\x80"), at(2, "\x00\x00"), at(10, "\x06"), between(11, 1, 1, 40)), nil, "RFC 5456 section 8.1"},
		{"iax", nil, all(masked(0, "\x80", "\x80"), at(2, "\x00\x00"), at(8, "\x00\x00\x06"), between(11, 1, 1, 40)), all(masked(0, "\x80", "\x80"), at(10, "\x06"), between(11, 1, 1, 40)), "RFC 5456 section 8.1, and its answer"},
		{"h323", ports(1718, 1719), all(has("\x00\x08\x91\x4a\x00", 32)), nil, "ITU-T H.225.0 RAS, protocol identifier"},
		{"bfcp", nil, all(in(0, "\x40\x50"), between(1, 1, 1, 18), scaled(2, 2, 4, 12), at(4, "\x00\x00")), nil, "RFC 8855 section 5.1"},
		{"bfcp", nil, all(in(0, "\x20\x40"), in(1, bfcpRequests), at(2, "\x00"), size(12, 1500)), all(in(0, "\x20\x30\x40\x50"), in(1, bfcpAnswers), same(4, 8), size(12, 1500)), "RFC 8855 section 5.1: a request, and an answer of the same conference, transaction and user"},
		{"rdp", nil, all(at(0, "\xff\xff\xff\xff"), masked(6, "\x00\x01", "\xe0\x7f"), size(1132, 1232)), nil, "MS-RDPEUDP 2.2.2.1, 3.1.5.1.1, the padded SYN"},
		{"discord-voice", nil, all(at(0, "\x00"), in(1, "\x01\x02"), at(2, "\x00\x46"), at(24, repeat("\x00", 40)), size(74, 74)), nil, "Discord voice, IP discovery"},
		{"discord-voice", nil, all(at(0, "\x13\x37\xca\xfe"), size(8, 8)), nil, "Discord voice keepalive"},
		{"telegram", nil, all(in(0, span(0, 254)), at(16, repeat("\xff", 12)), at(29, "\xff\xff\xff"), size(32, 1500)), nil, "Telegram call reflector: peer tag, and what asks the reflector itself (libtgvoip)"},
		{"telegram", nil, all(in(0, span(0, 254)), at(16, repeat("\xff", 12)), in(28, "\xc7\x1c\xb1\x73"), in(29, "\x72\x37\xfc"), size(32, 1500)), nil, "Telegram call reflector, answer: self or peer information (libtgvoip)"},
		{"imo", nil, all(at(0, "\x09"), in(1, "\x02\x03"), at(6, "\x00\x00\x00\x00"), size(10, 10)), nil, "imo call: length 9, ping or its answer, and a time in milliseconds, nDPI's imo"},
		{"imo", nil, all(at(0, "\x00\x09"), in(2, "\x02\x03"), at(7, "\x00\x00\x00\x00"), size(11, 11)), nil, "imo call through a relay, ping or its answer, nDPI's imo"},
		{"1kxun", nil, all(at(8, "AAB"), size(40, 40)), nil, "1kxun's search for peers, nDPI's kxun"},
		{"1kxun", nil, all(at(0, "\xff"), in(1, "\x0f\xff"), at(4, "\xa0\x00"), size(317, 329)), nil, "1kxun's search for peers, nDPI's kxun"},
		{"line-call", nil, all(at(0, "\xb6"), in(1, "\x07\x09\x18"), length(2, 2, 4), size(8, 110)), nil, "LINE call control, nDPI's line"},
		{"line-call", nil, all(at(0, "\xb6\x13\x00\x06"), size(46, 46)), nil, "LINE call control, nDPI's line"},
		{"sonos", ports(12300, 12301), all(in(0, ntpModes()), size(48, 48)), nil, "Sonos players' clock: SNTP (RFC 5905 section 7.3) on their own ports"},
		{"sd-rtn", nil, all(at(6, "\x21"), at(12, "\x04SNI\x00"), at(18, "\x00"), size(20, 1500)), nil, "Agora SD-RTN hello, nDPI's sd_rtn"},
		{"sd-rtn", nil, all(at(13, "SNI\x00"), has(".agora.io", 96)), nil, "Agora SD-RTN hello, the server's name"},
		{"spotify", nil, all(at(0, "SpotUdp0")), nil, "Spotify Connect discovery"},
		{"teamspeak", nil, all(at(0, "TS3INIT1")), nil, "TeamSpeak 3 init packet"},
		{"teamspeak", nil, all(in(0, "\xf0\xf1\xf2\xf4"), at(1, "\xbe"), in(2, "\x03\x04"), at(3, "\x00"), size(16, 1500)), nil, "TeamSpeak 2 header"},
		{"mumble", nil, all(at(0, "\x00\x00\x00\x00"), size(12, 12)), all(at(0, "\x00\x01"), same(4, 8), size(24, 24)), "Mumble server ping"},
		{"srt", nil, all(at(0, "\x80\x00\x00\x00"), at(16, "\x00\x00\x00"), in(19, "\x04\x05"), size(64, 1500)), nil, "SRT draft section 3.2.1"},
		{"mpeg-ts", nil, all(at(0, "\x47"), at(188, "\x47"), at(376, "\x47")), nil, "ISO/IEC 13818-1 section 2.4.3"},
		{"rustdesk", ports(21116), all(at(0, "\x32"), at(2, "\x0a"), length(1, 1, 2)), nil, "RustDesk rendezvous.proto: register peer"},
		{"rustdesk", ports(21116), all(at(0, "\x3a"), length(1, 1, 2)), nil, "RustDesk rendezvous.proto: register peer, answer"},
		{"rustdesk", ports(21116), all(at(0, "\x7a"), at(2, "\x0a"), length(1, 1, 2)), nil, "RustDesk rendezvous.proto: register key"},
		{"teamviewer", ports(5938), all(at(0, "\x00"), at(11, "\x17\x24")), nil, "TeamViewer UDP header"},
		{"teamviewer", nil, all(at(0, repeat("\x00", 10)), at(11, "\x17\x24"), size(16, 1500)), nil, "TeamViewer UDP header of a first datagram"},
		{"viber", nil, all(at(2, "\x03\x00"), size(12, 12)), all(at(2, "\x09\x00"), size(20, 20)), "Viber voice control, nDPI's viber"},
		{"viber", ports(5243, 7985, 7987, 9785), all(in(2, "\x03\x09\x19\x1a\x1b"), at(3, "\x00"), size(4, 256)), nil, "Viber voice control datagram"},
		{"nomachine", nil, all(at(2, "\x01\x00"), at(8, "\x00\x00"), lengthLE(4, 2, 0), size(10, 1500)), nil, "NoMachine UDP header, nDPI's nomachine"},
		{"nomachine", ports(4000, 4080), all(at(0, "\x01\x00\x01\x00"), lengthLE(4, 2, 0)), nil, "NoMachine UDP header"},
		{"vhua", nil, all(at(0, "\x05\x14\x3a\x05\x08\xf8\xa1\xb1\x03")), nil, "VHUA voice hello"},
		{"flute", nil, all(masked(0, "\x10", "\xf0"), has("<FDT-Instance", 256)), nil, "RFC 6726 section 3.2 in an LCT packet of version 1"},
		{"oicq", nil, all(at(0, "\x02\x3b\x0b\x00"), in(4, span(1, 0xb5)), size(7, 1500)), nil, "OICQ header: version 3b0b, command"},
		{"oicq", nil, all(at(0, "\x02\x00"), in(2, "\x38\x40\x42\x48\x5a"), at(3, "\x00"), last("\x03"), size(56, 84)), nil, "OICQ packet frame, nDPI's qq"},
		{"oicq", nil, all(at(0, "\x28\x00\x00"), at(5, "\x00\x00"), last("\x29"), size(39, 1500)), nil, "QQ framed message: parenthesis, lengths of head and body, parenthesis"},
		{"oicq", ports(8000), all(at(0, "\x02"), last("\x03"), size(12, 1500)), nil, "OICQ packet frame"},
		{"bjnp", nil, all(at(0, "BJN"), in(3, "PBL"), in(4, "\x01\x02\x03\x04\x81\x82\x83\x84")), nil, "Canon BJNP header"},
		{"bjnp", nil, all(at(0, "MFNP"), in(4, "\x01\x02\x03\x04\x81\x82\x83\x84")), nil, "Canon BJNP header"},
	}
}
