package all

import "strings"

// callOpenings: calls, conferences and streams.
func callOpenings() []opening {
	rtp := func(sequence, ticks string) string {
		return x("80 00") + x(sequence) + x(ticks) + x("deadbeef") + noise(160)
	}
	invite := "INVITE sip:bob@example.com SIP/2.0\r\nVia: SIP/2.0/UDP a.example;branch=z9hG4bK1\r\nMax-Forwards: 70\r\n\r\n"
	return []opening{
		{"INVITE", "sip", udp(5060, c(invite))},
		{"INVITE on an odd port", "sip", udp(oddPort, c(invite))},
		{"over TCP, folded", "sip", tcp(5060, c("REGISTER sip:example.com SIP/2.0\r\nSubject: a\r\n b\r\n\tc\r\nVia: SIP/2.0/TCP a\r\n\r\n"))},
		{"over TCP behind a keepalive", "sip", tcp(5060, c("\r\n\r\n"+invite))},
		{"keepalive first", "sip", udp(5060, c("\r\n\r\n"), c(invite))},
		{"zeros as keepalive first", "sip", udp(5060, c("\x00\x00\x00\x00"), c(invite))},
		{"long URI", "sip", tcp(oddPort, c("INVITE sip:"+strings.Repeat("a", 900)+"@example.com SIP/2.0\r\n"))},
		{"answer", "sip", udp(oddPort, s("SIP/2.0 180 Ringing\r\n\r\n"))},
		{"answer over TCP", "sip", tcp(oddPort, s("SIP/2.0 401 Unauthorized\r\n\r\n"))},
		{"tel URI", "sip", udp(oddPort, c("MESSAGE tel:+15551234 SIP/2.0\r\n\r\n"))},
		{"unregistered method", "sip", udp(oddPort, c("FOO sip:a@example.com SIP/2.0\r\n\r\n"))},

		{"gatekeeper request", "h323", udp(1719, c(x("0200 0101 06 0008914a0004 80")+noise(40)))},
		{"registration", "h323", udp(1719, c(x("0e80 01f4 06 0008914a0005 80")+noise(60)))},
		{"setup", "h323", tcp(1720, c(x("030000c0 0802 0001 05 04 03 8090a5 70 06 80")+"12345"+x("7e 0090 05 2080 06 0008914a0004")+noise(140)))},
		{"setup on an odd port", "h323", tcp(oddPort, c(x("030000c0 0802 0001 05 04 03 8090a5")+noise(178)))},
		{"status", "h323", tcp(1720, c(x("0300001a 0802 0001 7d 08 02 80e2 14 01 00 7e 0005 05")+noise(4)))},
		{"H.245", "h323", tcp(oddPort, c(x("03000040 0270 01 06 0008817500 0780")+noise(50)))},
		{"command", "mgcp", udp(2427, c("AUEP 1500 aaln/1@gw.example MGCP 1.0\r\n"))},
		{"command with a profile", "mgcp", udp(oddPort, c("RSIP 1201 *@rgw.example MGCP 1.0 NCS 1.0\r\nRM: restart\r\n"))},
		{"answer", "mgcp", udp(2427, s("200 1500 OK\r\n"))},
		{"text", "megaco", udp(2944, c("MEGACO/1 [192.0.2.1]:2944 Transaction = 1 {"))},
		{"short text, by name", "megaco", udp(oddPort, c("!/1 <gw.example.com> T=1{C=-{SC=ROOT}}"))},
		{"short text, by device", "megaco", udp(2944, c("!/2 MTP{1234} T=1{C=-{}}"))},
		{"text in TPKT", "megaco", tcp(2944, c(x("03000040")+"MEGACO/1 [192.0.2.1]:2944 Transaction = 1 {"))},
		{"binary", "megaco", udp(2945, c(x("303a a138 800101 a108 a006 8004 c0000201 a229")+noise(41)))},
		{"register", "skinny", tcp(2000, c(x("40000000 00000000 01000000")+"SEP001122334455\x00"+zeros(48)))},
		{"register of a newer phone", "skinny", tcp(2000, c(x("8c000000 16000000 01000000")+"SEP001122334455\x00"+zeros(120)))},
		{"keepalive", "skinny", tcp(2000, c(x("04000000 00000000 00000000")))},
		{"new", "iax", udp(4569, c(x("8001 0000 00000001 00 00 06 01 0b02 0002 1307")+noise(40)))},
		{"registration on an odd port", "iax", udp(oddPort, c(x("8001 0000 00000001 00 00 06 0d 0603")+"bob"+x("1302003c")), s(x("8002 8001 00000003 00 01 06 0e 0e0204 0f08")+"12345678"))},

		{"pair", "rtp", udp(oddPort, c(rtp("0001", "00000100")), c(rtp("0002", "000001a0")))},
		{"pair of the server", "rtp", udp(oddPort, s(rtp("0001", "00000100")), s(rtp("0002", "000001a0")))},
		{"over TCP (RFC 4571)", "rtp", tcp(oddPort, c("\x00\xac"+rtp("0001", "00000100")+"\x00\xac"+rtp("0002", "000001a0")))},
		{"sender report", "rtcp", udp(oddPort, c(x("80 c8 0006 deadbeef")+noise(20)+x("81 ca 0003 deadbeef 01 04")+"a@ex"+x("0000")))},
		{"receiver report", "rtcp", udp(oddPort, c(x("81 c9 0007 deadbeef")+noise(24)))},

		{"describe", "rtsp", tcp(554, c("DESCRIBE rtsp://example.com/a RTSP/1.0\r\nCSeq: 2\r\n\r\n"))},
		{"options on an odd port", "rtsp", tcp(oddPort, c("OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n"))},
		{"2.0", "rtsp", tcp(oddPort, c("SETUP rtsp://example.com/a RTSP/2.0\r\nCSeq: 1\r\n\r\n"))},
		{"answer", "rtsp", tcp(oddPort, s("RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n"))},
		{"over UDP", "rtsp", udp(554, c("OPTIONS rtsp://a.example/ RTSP/1.0\r\nCSeq: 1\r\n\r\n"))},
		{"interleaved midway", "rtsp", tcp(oddPort, s("$\x00\x00\xac"+rtp("0001", "00000100")+"$\x00\x00\xac"+rtp("0002", "000001a0")))},

		{"client", "rtmp", tcp(1935, c("\x03"+x("00000001 00000000")+noise(1528)))},
		{"Flash client", "rtmp", tcp(1935, c("\x03"+x("00000001 80000702")+noise(1528)))},
		{"answered on an odd port", "rtmp", tcp(oddPort, c("\x03"+x("00000001 80000702")+noise(1528)), s("\x03"+x("00000002 03050101")+noise(3064)))},
		{"RTMPE", "rtmp", tcp(1935, c("\x06"+x("00000001 80000702")+noise(1528)))},
		{"server alone", "rtmp", tcp(1935, s("\x03"+x("00000002 03050101")+noise(3064)))},
		{"packets", "mpeg-ts", udp(oddPort, c(strings.Repeat("\x47\x40\x00\x10"+strings.Repeat("a", 184), 7)))},
		{"in RTP", "rtp", udp(oddPort, c(x("8021 0001 00000001 deadbeef")+strings.Repeat("\x47\x40\x00\x10"+strings.Repeat("a", 184), 7)), c(x("8021 0002 00000900 deadbeef")+strings.Repeat("\x47\x40\x00\x10"+strings.Repeat("a", 184), 7)))},
		{"handshake", "srt", udp(oddPort, c(x("80000000 00000000 00000001 00000000 00000004 0002 4a17 12345678 000005dc 00002000 00000001 12345678 00000000 0100007f")+zeros(12)))},
		{"binding", "stun", udp(3478, c(x("0001 0000 2112a442")+noise(12)))},
		{"binding of RFC 3489", "stun", udp(3478, c(x("0001 0008")+noise(16)+x("00030004 00000000")))},
		{"over TCP", "stun", tcp(oddPort, c(x("0001 0000 2112a442")+noise(12)))},
		{"handshake", "bfcp", tcp(oddPort, c(x("20 0b 0000 00000001 0001 0001")))},
	}
}

// sharingOpenings: files and coins from peer to peer.
func sharingOpenings() []opening {
	id := noise(20)
	return []opening{
		{"handshake", "bittorrent", tcp(oddPort, c("\x13BitTorrent protocol"+zeros(8)+id+"-TR2940-k8hj0wgej6ch"))},
		{"DHT", "bittorrent", udp(oddPort, c("d1:ad2:id20:"+id+"e1:q4:ping1:t2:aa1:y1:qe"))},
		{"DHT of libtorrent, read-only node", "bittorrent", udp(oddPort, c("d1:ad2:id20:"+id+"6:target20:"+id+"e1:q9:find_node2:roi1e1:t2:aa1:v4:LT\x01\x00001:y1:qe"))},
		{"DHT asked with bw", "bittorrent", udp(oddPort, c("d1:ad2:bsi1e2:id20:"+id+"e1:q4:ping1:t2:aa1:y1:qe"))},
		{"tracker", "bittorrent", udp(oddPort, c(x("0000041727101980 00000000 12345678")))},
		{"uTP", "bittorrent", udp(oddPort, c(x("4100 1234 12345678 00000000 00100000 0001 0000")), s(x("2100 1234 12345679 00000010 00100000 5678 0001")))},
		{"local peers", "bittorrent", udp(6771, c("BT-SEARCH * HTTP/1.1\r\nHost: 239.192.152.143:6771\r\nPort: 6881\r\nInfohash: "+strings.Repeat("a1", 20)+"\r\n\r\n"))},
		{"0.6", "gnutella", tcp(oddPort, c("GNUTELLA CONNECT/0.6\r\nUser-Agent: x\r\n\r\n"))},
		{"answer", "gnutella", tcp(oddPort, s("GNUTELLA/0.6 200 OK\r\n"))},
		{"hello", "edonkey", tcp(oddPort, c(x("e3 2a000000 01 10")+noise(40)))},
		{"hello's answer", "edonkey", tcp(4662, s(x("e3 2a000000 4c")+noise(41)))},
		{"server login", "edonkey", tcp(4661, c(x("e3 2a000000 01")+noise(41)))},
		{"Kad search", "edonkey", udp(oddPort, c(x("e4 21 0b")+noise(32)))},
		{"Kad hello", "edonkey", udp(4672, c(x("e4 11")+noise(18)+x("0800")))},
		{"version", "bitcoin", tcp(oddPort, c(x("f9beb4d9")+"version\x00\x00\x00\x00\x00"+x("66000000 12345678")))},
		{"hello", "soulseek", tcp(2242, c(x("13000000 01000000 03000000")+"bob"+x("04000000")+"pass"))},
		{"peer", "ipfs", tcp(4001, c("\x13/multistream/1.0.0\n\x07/noise\n"))},
		{"discovery", "syncthing", udp(21027, c(x("2ea7d90b")+noise(60)))},
		{"ping", "ethereum", udp(oddPort, c(noise(96)+x("01 01 dc 04 cb 84 7f000001 82765f 82765f c8 84 c0000201 827660 80 84 65a1b2c3")))},
	}
}

// plantOpenings: plants, meters, vehicles and homes.
func plantOpenings() []opening {
	return []opening{
		{"read", "modbus", tcp(502, c(x("0001 0000 0006 01 03 0000 000a")))},
		{"read, answered, odd port", "modbus", tcp(oddPort, c(x("0001 0000 0006 01 03 0000 0002")), s(x("0001 0000 0007 01 03 04 00010002")))},
		{"exception", "modbus", tcp(502, s(x("0001 0000 0003 01 83 02")))},
		{"link status", "dnp3", tcp(20000, c(x("0564 05 c9 0100 0004 e3 1a")))},
		{"unsolicited", "dnp3", tcp(oddPort, s(x("0564 0a 44 0100 0a00")+noise(10)))},
		{"over UDP", "dnp3", udp(20000, c(x("0564 05 c0 0100 0004 e921")))},
		{"setup", "s7comm", tcp(102, c(x("03000016 11 e0 0000 0001 00 c0010a c1020100 c2020102")), s(x("03000016 11 d0 0001 0002 00 c0010a c1020100 c2020102")), c(x("03000019 02f080 32 01 0000 0001 0008 0000 f0 00 0001 0001 01e0")))},
		{"midway", "s7comm", tcp(102, c(x("0300001f 02f080 32 01 0000 0002 000e 0000 0401120a10020001000083000000")))},
		{"midway", "s7comm-plus", tcp(102, c(x("030000f6 02f080 72 01 00e7 31 0000 04ca 00000001")+noise(220)))},
		{"associate", "iec61850-mms", tcp(102, c(x("03000016 11 e0 0000 0001 00 c0010a c1020001 c2020001")), s(x("03000016 11 d0 0001 0002 00 c0010a c1020001 c2020001")), c(x("030000bb 02f080 0d b2 05 06 13 01 00 16 01 02")+noise(170)))},
		{"who is", "bacnet", udp(47808, c(x("81 0b 000c 01 20 ffff 00 ff 10 08")))},
		{"read on an odd port", "bacnet", udp(oddPort, c(x("81 0a 0011 01 04 0005 01 0c 0c 023fffff 194b")))},
		{"over IPv6", "bacnet", udp(47808, c(x("82 02 000f 123456 01 20 ffff 00 ff 10 08")))},
		{"start", "iec104", tcp(2404, c(x("68 04 07 00 00 00")))},
		{"start on an odd port", "iec104", tcp(oddPort, c(x("68 04 07 00 00 00")))},
		{"data", "iec104", tcp(2404, s(x("68 0e 0000 0000 46 01 04 00 0a00 000000 00")))},
		{"hello", "opc-ua", tcp(4840, c("HELF"+x("38000000 00000000 ffff0000 ffff0000 00000000 00000000 18000000")+"opc.tcp://example.com:48"))},
		{"message midway", "opc-ua", tcp(oddPort, c("MSGF"+x("50000000 07000000 01000000 35000000 03000000")+noise(60)))},
		{"error", "opc-ua", tcp(oddPort, s("ERRF"+x("10000000 00007d80 ffffffff")))},
		{"register", "ethernet-ip", tcp(44818, c(x("6500 0400 00000000 00000000 0000000000000000 00000000 0100 0000")))},
		{"list identity", "ethernet-ip", udp(44818, c(x("6300 0000 00000000 00000000 0000000000000000 00000000")))},
		{"list identity over TCP, odd port", "ethernet-ip", tcp(oddPort, c(x("6300 0000 00000000 00000000 0000000000000000 00000000")))},
		{"implicit", "cip", udp(2222, c(x("0200 0280 0800 12345678 00000001 b100 0800 0001 000000000000")))},
		{"connect", "profinet-io", udp(34964, c(x("04 00 28 00 10 00 00 00 0000a0de 976c d111 8271 000103150188")+noise(60)))},
		{"connect, big-endian", "profinet-io", udp(34964, c(x("04 00 28 00 00 00 00 00 dea00000 6c97 11d1 8271 000103150188")+noise(60)))},
		{"session", "hart-ip", tcp(5094, c(x("01 00 00 00 0001 000d 01 00007530")))},
		{"over TCP", "fins", tcp(9600, c("FINS"+x("0000000c 00000000 00000000 00000000")))},
		{"over UDP", "fins", udp(9600, c(x("80 00 02 00 01 00 00 02 00 00 01 01 82 0064 00 0001")))},
		{"search", "knxnet-ip", udp(3671, c(x("06 10 0201 000e 08 01 c0000201 0e57")))},
		{"over TCP", "knxnet-ip", tcp(3671, c(x("06 10 0205 001a 08 02 00000000 0000 08 02 00000000 0000 04 04 02 00")))},
		{"announcement", "doip", udp(13400, s(x("02 fd 0004 00000020")+"VIN12345678901234"+x("1000 001122334455 001122334455 00")))},
		{"identification", "doip", udp(13400, c(x("ff 00 0001 00000000")))},
		{"routing activation", "doip", tcp(13400, c(x("02 fd 0005 00000007 0e80 00 00000000")))},
		{"diagnosis on an odd port", "doip", tcp(oddPort, c(x("02 fd 8001 00000006 0e80 1000 3e00")))},
		{"service discovery", "someip", udp(30490, c(x("ffff 8100 00000014 00000001 01 01 02 00 c0000000 00000000 00000000")))},
		{"call", "someip", udp(30501, c(x("1234 0001 0000000c 00010001 01 01 00 00 12345678")))},
		{"get", "coap", udp(5683, c(x("40 01 1234 bb")+".well-known\x04core"))},
		{"get on an odd port", "coap", udp(oddPort, c(x("40 01 1234 bb")+".well-known\x04core"))},
		{"observe", "coap", udp(5683, c(x("44 01 1234 12345678 60 54")+"temp"))},
		{"ping", "coap", udp(5683, c(x("40 00 1234")))},
		{"answer of 2.31", "coap", udp(5683, s(x("64 5f 1234 12345678")))},
		{"over TCP", "coap", tcp(5683, c(x("00 e1")))},
		{"over TCP with options", "coap", tcp(5683, c(x("30 e1 22 0480")))},
		{"register", "lwm2m", udp(5683, c(x("44 02 1234 12345678 b2")+"rd"+x("11 28 39")+"lwm2m=1.0"+x("0d 05")+"ep=device1lt=300"))},
		{"PASE", "matter", udp(5540, c(x("04 0000 00 12345678 1122334455667788 05 20 1234 0000 1530 0120")+noise(32)+x("2502 1234 2403 00 2804 18")))},
		{"CASE on an odd port", "matter", udp(oddPort, c(x("04 0000 00 12345678 1122334455667788 05 30 1234 0000 1530 0120")+noise(60)))},
		{"secured midway", "matter", udp(5540, c(x("00 1234 00 00000005")+noise(40)))},
		{"autokey", "tplink-shp", tcp(9999, c(x("0000001d d0f281f88bff9af7d5ef94b6d1b4c09fec95e68fe187e8caf08bf68bf6")))},
		{"discovery", "rtps", udp(7400, c("RTPS"+x("0203 0110")+noise(12)+x("15050000")))},
		{"wake up", "wol", udp(9, c("\xff\xff\xff\xff\xff\xff"+strings.Repeat("\x00\x11\x22\x33\x44\x55", 16)))},
	}
}
