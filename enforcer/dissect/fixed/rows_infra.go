package fixed

// discoveryNamespace marks WS-Discovery messages, whatever their prefixes.
const (
	discoveryNamespace   = "schemas.xmlsoap.org/ws/2005/04/discovery"
	discoveryNamespace11 = "docs.oasis-open.org/ws-dd/ns/discovery/2009/01"
)

// ntpModes are first bytes of NTP: any leap indicator, versions 1 to 4, modes
// 1 to 5 (RFC 5905 section 7.3).
func ntpModes() (set string) {
	for c := range 256 {
		if version, mode := c>>3&7, c&7; version >= 1 && version <= 4 && mode >= 1 && mode <= 5 {
			set += string([]byte{byte(c)})
		}
	}
	return set
}

// iperfCookie are the characters that iperf3 makes its session cookie of.
const iperfCookie = "abcdefghijklmnopqrstuvwxyz234567"

// infraTCPRows: routing, directories and logs.
func infraTCPRows() []row {
	return []row{
		{"bgp", nil, all(at(0, repeat("\xff", 16)), between(16, 2, 19, 4096), between(18, 1, 1, 5)), nil, "RFC 4271 section 4.1"},
		{"ldp", ports(646), all(at(0, "\x00\x01"), at(8, "\x00\x00"), in(10, "\x00\x01\x02\x03\x04")), nil, "RFC 5036 section 3.1"},
		{"netbios", nil, all(at(0, "\x81\x00"), between(2, 2, 36, 600), at(4, "\x20")), nil, "RFC 1002 section 4.3.2"},
		{"kerberos", nil, all(at(0, "\x00\x00"), after(4), element(kerberosTags), element("\x30"), in(0, "\xa0\xa1"), at(1, "\x03\x02\x01\x05")), nil, "RFC 4120 sections 5.10, 7.2.2"},
		{"kerberos", ports(464), all(at(0, "\x00\x00"), length(2, 2, 4), in(6, "\x00\xff"), in(7, "\x01\x80")), nil, "RFC 3244 section 2, over TCP"},
		{"ipfix", ports(4739), all(at(0, "\x00\x0a"), length(2, 2, 0)), nil, "RFC 7011 section 3.1"},
		{"bmp", nil, all(at(0, "\x03\x00\x00"), at(5, "\x04\x00"), in(7, "\x00\x01\x02"), between(8, 2, 1, 512)), nil, "RFC 7854 sections 4.1, 4.3, initiation"},
		{"rpki-rtr", ports(323, 8282, 3323, 8323), all(in(0, "\x00\x01\x02"), in(1, "\x01\x02"), at(4, "\x00\x00\x00"), in(7, "\x08\x0c")), nil, "RFC 8210 sections 5.3, 5.4"},
		{"rpki-rtr", nil, all(in(0, "\x00\x01\x02"), at(1, "\x02\x00\x00\x00\x00\x00\x08")), all(in(0, "\x00\x01\x02"), at(1, "\x03"), at(4, "\x00\x00\x00\x08")), "RFC 8210 sections 5.4, 5.5"},
		{"syslog", ports(514, 601), all(at(0, "<"), in(1, digits), has(">", 5)), nil, "RFC 3164 section 4"},
		{"syslog", nil, all(in(0, digits), has(" <", 6), has(">1 ", 12)), nil, "RFC 6587 section 3.4.1, octet counting"},
		{"syslog", ports(514, 601), all(in(0, digits), has(" <", 6), has(">", 12)), nil, "RFC 6587 section 3.4.1, octet counting"},
		{"tacacs", nil, all(in(0, "\xc0\xc1"), in(1, "\x01\x02\x03"), at(2, "\x01"), in(3, "\x00\x01\x04\x05"), at(8, "\x00\x00"), length(8, 4, 12)), nil, "RFC 8907 section 4.1, the first of a session"},
		{"tacacs", ports(49), all(in(0, "\xc0\xc1"), in(1, "\x01\x02\x03"), in(2, "\x01\x02"), at(8, "\x00\x00")), nil, "RFC 8907 section 4.1"},
		{"diameter", nil, all(at(0, "\x01\x00"), in(4, "\x80\xc0\x00\x40"), at(5, "\x00\x01\x01\x00\x00\x00\x00")), nil, "RFC 6733 sections 3, 5.3.1"},
		{"diameter", nil, all(at(0, "\x01\x00"), in(4, "\x80\x00"), at(5, "\x00\x01\x18\x00\x00\x00\x00")), nil, "RFC 6733 section 5.5.1, watchdog"},
		{"diameter", ports(3868), all(at(0, "\x01"), in(4, "\x00\x20\x40\x60\x80\x90\xc0\xd0"), in(5, "\x00\x80"), length(1, 3, 0)), nil, "RFC 6733 section 3"},
		{"openflow", nil, all(in(0, "\x01\x02\x03\x04\x05\x06"), at(1, "\x00\x00"), in(3, "\x08\x10")), all(in(0, "\x01\x02\x03\x04\x05\x06"), at(1, "\x00\x00"), in(3, "\x08\x10")), "OpenFlow 1.5.1 section 7.5.1: both sides' hello"},
		{"openflow", ports(6633, 6653), all(in(0, "\x01\x02\x03\x04\x05\x06"), at(1, "\x00\x00"), in(3, "\x08\x10")), nil, "OpenFlow 1.5.1 section 7.5.1"},
		{"iperf", ports(5201), all(in(0, iperfCookie), in(1, iperfCookie), in(2, iperfCookie), in(3, iperfCookie), in(35, iperfCookie), at(36, "\x00")), nil, "iperf3 session cookie"},
		{"dlep", ports(854), all(at(0, "\x00"), between(1, 1, 2, 16), length(2, 2, 4)), nil, "RFC 8175 section 11.2, message header"},
		{"dlep", ports(854), all(at(0, "\x00\x01"), length(2, 2, 4), at(4, "\x00"), between(8, 1, 0, 5)), nil, "RFC 8175 section 12.5, session initialization: an item of heartbeat, peer type or extensions"},
		{"slp", ports(427), all(at(0, "\x02"), between(1, 1, 1, 11), length(2, 3, 0)), nil, "RFC 2608 section 8"},
		{"lisp", ports(4342), all(at(0, "\x00\x11\x00")), nil, "RFC 9301, reliable transport registration"},
	}
}

// infraUDPRows: the services that a network runs on.
func infraUDPRows() []row {
	return []row{
		{"dhcp", nil, all(in(0, "\x01\x02"), between(2, 1, 0, 16), at(236, "\x63\x82\x53\x63")), nil, "RFC 2131 section 3"},
		{"dhcpv6", ports(546, 547), all(between(0, 1, 1, 11), between(4, 2, 1, 150)), nil, "RFC 8415 section 8"},
		{"dhcpv6", ports(547), all(in(0, "\x0c\x0d"), size(34, 1500)), nil, "RFC 8415 section 9"},
		{"ntp", ports(123), all(in(0, ntpModes()), size(48, 1500)), nil, "RFC 5905 section 7.3"},
		{"ntp", ports(123), all(in(0, "\x16\x1e\x26\x0e\x96\x9e\xa6\x17\x1f\x27\x97\x9f"), size(8, 1500)), nil, "RFC 9327 section 2"},
		{"dhcp", ports(67, 68), all(in(0, "\x01\x02"), at(1, "\x01\x06"), size(300, 576)), nil, "RFC 951 section 3, BOOTP"},
		{"ntp", ports(123), all(at(0, "\x08"), size(48, 48)), nil, "RFC 1059 appendix B, version 1 without a mode"},
		{"ntp", nil, all(in(0, "\x1b\x23\xdb\xe3"), size(48, 68)), all(in(0, "\x1c\x24\xdc\xe4"), between(1, 1, 0, 16), size(48, 68)), "RFC 5905 section 7.3, a client's and its answer"},
		{"ssdp", nil, all(at(0, "M-SEARCH * HTTP/1.1\r\n")), nil, "UPnP Device Architecture 2.0 section 1.3.2"},
		{"ssdp", nil, all(at(0, "NOTIFY * HTTP/1.1\r\n")), nil, "UPnP Device Architecture 2.0 section 1.2.2"},
		{"ssdp", nil, all(at(0, "HTTP/1.1 200 OK\r\n"), has("USN:", 1024)), nil, "UPnP Device Architecture 2.0 section 1.3.3"},
		{"ssdp", ports(1900), all(at(0, "HTTP/1.1 200 OK\r\n")), nil, "UPnP Device Architecture 2.0 section 1.3.3"},
		{"ws-discovery", nil, all(at(0, "<"), has(discoveryNamespace, 1024)), nil, "WS-Discovery section 2"},
		{"ws-discovery", nil, all(at(0, "<"), has(discoveryNamespace11, 1024)), nil, "WS-Discovery 1.1 section 1.4"},
		{"ws-discovery", ports(3702), all(at(0, "<?xml")), nil, "WS-Discovery section 2.4"},
		{"kerberos", nil, all(whole(kerberosTags), element("\x30"), in(0, "\xa0\xa1"), at(1, "\x03\x02\x01\x05")), nil, "RFC 4120 section 5.10"},
		{"kerberos", ports(464), all(length(0, 2, 0), in(2, "\x00\xff"), in(3, "\x01\x80")), nil, "RFC 3244 section 2"},
		{"radius", nil, all(in(0, "\x01"), length(2, 2, 0), at(20, "\x01"), between(21, 1, 3, 130), in(22, span('!', '~'))), nil, "RFC 2865 sections 3, 5.1, a request that begins with a name"},
		{"radius", nil, all(in(0, "\x04"), length(2, 2, 0), at(20, "\x28\x06\x00\x00\x00"), between(25, 1, 1, 15)), nil, "RFC 2866 sections 3, 5.1, accounting that begins with its kind"},
		{"radius", ports(1645, 1646, 1812, 1813, 3799), all(in(0, "\x01\x02\x03\x04\x05\x0b\x0c\x0d\x28\x29\x2a\x2b\x2c\x2d"), length(2, 2, 0), size(20, 4096)), nil, "RFC 2865 section 3, RFC 5176"},
		{"netbios", ports(137), all(at(4, "\x00"), at(12, "\x20"), at(45, "\x00\x00"), in(47, "\x20\x21")), nil, "RFC 1002 section 4.2"},
		{"netbios", ports(138), all(in(0, "\x10\x11\x12\x13\x14\x15\x16"), between(1, 1, 0, 15), size(14, 1500)), nil, "RFC 1002 section 4.4"},
		{"syslog", ports(514), all(at(0, "<"), in(1, digits), has(">", 5)), nil, "RFC 3164 section 4"},
		{"tftp", nil, all(at(0, "\x00"), in(1, "\x01\x02"), in(2, span('!', '~')), hasFold("\x00octet\x00", 512)), nil, "RFC 1350 section 5"},
		{"tftp", nil, all(at(0, "\x00"), in(1, "\x01\x02"), in(2, span('!', '~')), hasFold("\x00netascii\x00", 512)), nil, "RFC 1350 section 5"},
		{"tftp", ports(69), all(at(0, "\x00\x05\x00"), between(3, 1, 0, 8), last("\x00")), nil, "RFC 1350 section 5, error"},
		{"tftp", nil, all(at(0, "\x00\x03\x00\x01"), size(4, 516)), all(at(0, "\x00\x04\x00"), in(3, "\x00\x01"), size(4, 4)), "RFC 1350 section 5"},
		{"tftp", nil, all(at(0, "\x00\x06"), fold(2, "blksize\x00"), last("\x00")), nil, "RFC 2347, option acknowledgement"},
		{"tftp", nil, all(at(0, "\x00\x06"), fold(2, "tsize\x00"), last("\x00")), nil, "RFC 2347, option acknowledgement"},
		{"tftp", nil, all(at(0, "\x00\x06"), fold(2, "timeout\x00"), last("\x00")), nil, "RFC 2347, option acknowledgement"},
		{"tftp", nil, all(at(0, "\x00\x06"), fold(2, "windowsize\x00"), last("\x00")), nil, "RFC 7440"},
		{"ripe-atlas", nil, all(at(0, "MGLNDD_")), nil, "Magellan probe of RIPE Atlas"},
		{"cpha", ports(8116), all(at(0, "\x1a\x90")), nil, "Check Point cluster control protocol"},
		{"vmware", ports(902, 903), all(at(0, "\xa4"), size(66, 66)), nil, "VMware host heartbeat"},
		{"tivoconnect", nil, all(fold(0, "TiVoConnect=")), nil, "TiVo Connect automatic machine discovery"},
		{"corba", nil, all(at(0, "MIOP\x10")), nil, "CORBA unreliable multicast, MIOP header"},
		{"thrift", nil, all(at(0, "\x82"), in(1, "\x21\x41\x81"), has("emitBatch", 16)), nil, "Thrift compact protocol, Jaeger agent"},
		{"uftp", nil, all(in(0, "\x40\x50"), at(1, "\x01"), at(15, "\x00\x01"), size(24, 1500)), nil, "UFTP header and announcement"},
		{"uftp", ports(1044), all(in(0, "\x30\x40\x50"), between(1, 1, 1, 17), size(16, 1500)), nil, "UFTP header"},
		{"noe", nil, all(at(0, "\x00\x06\x62\x6c"), size(25, 1500)), nil, "Alcatel NOE frame, nDPI's noe"},
		{"noe", ports(32512, 32640), all(in(0, "\x04\x05"), size(1, 1)), nil, "Alcatel NOE frame, nDPI's noe"},
		{"noe", ports(32512, 32640), all(at(0, "\x07\x00"), at(3, "\x00"), size(5, 12)), nil, "Alcatel NOE frame"},
		{"hsrp", ports(1985), all(at(0, "\x00"), between(1, 1, 0, 3), in(2, "\x00\x01\x02\x04\x08\x10"), size(20, 50)), nil, "RFC 2281 section 5.1"},
		{"hsrp", ports(1985, 2029), all(at(0, "\x01\x28\x02")), nil, "HSRP version 2 group state TLV"},
		{"rip", ports(520), all(in(0, "\x01\x02"), in(1, "\x01\x02"), at(2, "\x00\x00"), size(4, 504)), nil, "RFC 2453 section 4"},
		{"rip", ports(521), all(in(0, "\x01\x02"), at(1, "\x01\x00\x00"), size(24, 1500)), nil, "RFC 2080 section 2.1, RIPng"},
		{"glbp", ports(3222), all(at(0, "\x01"), at(2, "\x00"), size(20, 256)), nil, "Cisco Gateway Load Balancing Protocol header"},
		{"statsd", ports(8125), all(in(0, lineStart), has(":", 256), has("|", 512)), nil, "StatsD line, metric and type"},
		{"graphite", ports(2003), all(in(0, lineStart), has(".", 128), has(" ", 256), has("\n", 512)), nil, "Graphite plaintext protocol"},
		{"bfd", ports(3784, 4784, 6784, 7784), all(masked(0, "\x20", "\xe0"), length(3, 1, 0), size(24, 52)), nil, "RFC 5880 section 4.1, RFC 5881, 5883, 7130, 7881"},
		{"ldp", ports(646), all(at(0, "\x00\x01"), length(2, 2, 4), at(8, "\x00\x00\x01\x00")), nil, "RFC 5036 section 3.5.2"},
		{"lisp", ports(4342), all(masked(0, "\x00", "\x0c"), size(12, 1500), in(0, "\x10\x14\x18\x1c\x20\x28\x30\x38\x40\x80\x88")), nil, "RFC 9301 section 5"},
		{"capwap", ports(5246, 5247), all(at(0, "\x00"), in(1, "\x08\x09\x0a\x0b\x0c\x10\x11\x12\x13\x14\x18\x20"), size(8, 1500)), nil, "RFC 5415 section 4.3"},
		{"capwap", ports(5246, 5247), all(at(0, "\x01\x00\x00\x00"), in(4, "\x14\x15\x16\x17"), at(5, "\xfe")), nil, "RFC 5415 section 4.2"},
		{"netflow", nil, all(at(0, "\x00\x05"), between(2, 2, 1, 30), scaled(2, 2, 48, 24)), nil, "NetFlow version 5 export format"},
		{"netflow", ports(2055, 2056, 9995, 9996, 9555), all(at(0, "\x00"), in(1, "\x01\x07\x09"), between(2, 2, 1, 200)), nil, "RFC 3954 section 5.1"},
		{"ipfix", ports(4739, 2055, 9995, 9996), all(at(0, "\x00\x0a"), length(2, 2, 0)), nil, "RFC 7011 section 3.1"},
		{"sflow", nil, all(at(0, "\x00\x00\x00\x05\x00\x00\x00\x01"), at(24, "\x00\x00\x00"), between(27, 1, 1, 64), at(28, "\x00\x00\x00"), between(31, 1, 1, 5)), nil, "sFlow version 5: agent of IPv4, number and kind of samples"},
		{"sflow", ports(6343), all(at(0, "\x00\x00\x00"), in(3, "\x02\x04\x05"), at(4, "\x00\x00\x00"), in(7, "\x01\x02")), nil, "sFlow version 5"},
		{"collectd", nil, all(at(0, "\x00\x00\x00"), skip(2, 2, 1, 0), at(0, "\x00"), in(1, "\x01\x08"), at(2, "\x00\x0c"), at(12, "\x00"), in(13, "\x02\x07\x09"), at(14, "\x00")), nil, "collectd binary protocol: host, time, and plugin or interval"},
		{"collectd", nil, all(at(0, "\x02\x10"), length(2, 2, 0), between(4, 2, 1, 64)), nil, "collectd binary protocol, encryption part: the whole datagram, and a user's name"},
		{"collectd", ports(25826), all(at(0, "\x00\x00\x00"), between(3, 1, 6, 255)), nil, "collectd binary protocol"},
		{"collectd", ports(25826), all(at(0, "\x02"), in(1, "\x00\x10"), between(2, 2, 36, 1452)), nil, "collectd binary protocol, signature and encryption parts"},
		{"ptp", ports(319, 320), all(masked(1, "\x02", "\x0f"), length(2, 2, 0), size(34, 1500)), nil, "IEEE 1588-2019 section 13.3"},
		{"ptp", ports(319, 320), all(masked(1, "\x02", "\x0f"), length(2, 2, 2), size(36, 1500)), nil, "IEEE 1588-2019 annex E, two bytes over IPv6"},
		{"slp", ports(427), all(at(0, "\x02"), between(1, 1, 1, 11), length(2, 3, 0)), nil, "RFC 2608 section 8"},
		{"slp", ports(427), all(at(0, "\x01"), between(1, 1, 1, 10), length(2, 2, 0)), nil, "RFC 2165 section 4"},
		{"nat-pmp", ports(5350, 5351), all(at(0, "\x00"), in(1, "\x00\x01\x02\x80\x81\x82"), size(2, 16)), nil, "RFC 6886 section 3"},
		{"pcp", ports(5350, 5351), all(at(0, "\x02"), in(1, "\x00\x01\x02\x03\x80\x81\x82\x83"), size(24, 1100)), nil, "RFC 6887 section 7"},
		{"rdp", nil, all(at(0, "\xff\xff\xff\xff"), masked(7, "\x01", "\x01"), between(12, 2, 1132, 1232), between(14, 2, 1132, 1232), size(1132, 1500)), nil, "MS-RDPEUDP 2.2.2.1, 2.2.2.5: SYN"},
		{"eaq", ports(6000), all(between(0, 1, 0, 9), between(1, 1, 0, 9), between(2, 1, 0, 9), between(3, 1, 0, 9), size(16, 16)), all(between(0, 1, 0, 9), between(1, 1, 0, 9), between(2, 1, 0, 9), between(3, 1, 0, 9), size(16, 16)), "EAQ probe: a number of four digits, nDPI's eaq"},
		{"meraki-cloud", nil, all(at(0, "\xfe\xf7\x28\x91"), size(5, 1500)), nil, "Meraki devices' tunnel to their cloud, nDPI's merakicloud"},
		{"rmcp", ports(623, 664), all(at(0, "\x06\x00"), in(3, "\x06\x07\x86")), nil, "DMTF ASF 2.0 section 3.2.2"},
		{"roughtime", nil, all(at(0, "ROUGHTIM")), nil, "Roughtime packet header"},
		{"roughtime", nil, all(betweenLE(0, 4, 2, 8), has("NONC", 48), size(1000, 1500)), nil, "Roughtime message without a header, request"},
		{"roughtime", nil, all(at(0, "\x05\x00\x00\x00"), has("SREP", 64), has("SIG\x00", 64)), nil, "Roughtime message without a header, response"},
		{"xdmcp", ports(177), all(at(0, "\x00\x01\x00"), between(3, 1, 1, 13), length(4, 2, 6)), nil, "XDMCP 1.1"},
		{"mssql-browser", ports(1434), all(in(0, "\x02\x03"), size(1, 1)), nil, "MC-SQLR 2.2"},
		{"mssql-browser", ports(1434), all(at(0, "\x05"), lengthLE(1, 2, 3)), nil, "MC-SQLR 2.2.5"},
		{"mssql-browser", ports(1434), all(at(0, "\x04"), size(2, 34)), nil, "MC-SQLR 2.2.3"},
		{"rpcbind", nil, all(at(4, "\x00\x00\x00\x00\x00\x00\x00\x02\x00\x01\x86\xa0"), size(40, 1500)), nil, "RFC 5531 section 9, RFC 1833"},
		{"rpcbind", ports(111), all(at(4, "\x00\x00\x00\x01\x00\x00\x00\x00"), size(24, 1500)), nil, "RFC 5531 section 9, a reply"},
		{"nfs", ports(2049), all(at(4, "\x00\x00\x00\x01\x00\x00\x00\x00"), size(24, 65507)), nil, "RFC 5531 section 9, a reply"},
		{"nfs", nil, all(at(4, "\x00\x00\x00\x00\x00\x00\x00\x02\x00\x01\x86"), in(15, "\xa3\xa5\xab\xb5\xb8"), size(40, 65507)), nil, "RFC 5531 section 9, RFC 1813"},
		{"memcached", nil, all(at(4, "\x00\x01\x00\x00get"), in(11, " s")), nil, "memcached protocol.txt, UDP"},
		{"memcached", nil, all(at(4, "\x00\x01\x00\x00stats"), in(13, " \r")), nil, "memcached protocol.txt, UDP"},
		{"memcached", ports(11211), all(at(4, "\x00"), at(6, "\x00\x00"), in(8, "gsvadGSVEN")), nil, "memcached protocol.txt, UDP"},
		{"dnscrypt", nil, all(at(0, "r6fnvWj8")), nil, "DNSCrypt version 2 section 12"},
		{"ubiquiti-discovery", ports(10001), all(at(0, "\x01\x00\x00\x00"), size(4, 4)), nil, "Ubiquiti discovery request"},
		{"ubiquiti-discovery", ports(10001), all(in(0, "\x01\x02"), length(2, 2, 4)), nil, "Ubiquiti discovery response"},
		{"wol", nil, all(at(0, repeat("\xff", 6)), size(102, 108)), nil, "AMD Magic Packet"},
		{"dlep", nil, all(at(0, "DLEP")), nil, "RFC 8175 section 11.1"},
		{"dcerpc", ports(135, 34964), all(at(0, "\x04"), between(1, 1, 0, 10), in(4, "\x00\x10"), at(5, "\x00\x00")), nil, "DCE 1.1 RPC, connectionless header"},
		{"rx", nil, all(between(20, 1, 1, 13), masked(21, "\x01", "\xc1"), between(23, 1, 0, 3), size(28, 1500)), all(between(20, 1, 1, 13), masked(21, "\x00", "\xc1"), between(23, 1, 0, 3), same(0, 8), size(28, 1500)), "AFS Rx header: the client's, and the server's of the same epoch and connection"},
		{"rx", ports(7000, 7001, 7002, 7003, 7005, 7007, 7008, 7009), all(between(20, 1, 1, 13), between(21, 1, 0, 63), between(23, 1, 0, 5), size(28, 1500)), nil, "AFS Rx header"},
	}
}

// kerberosTags are the application tags of messages: requests and answers of both
// kinds, AP-REQ, KRB-SAFE, KRB-PRIV and the error (RFC 4120 section 5.10).
const kerberosTags = "\x6a\x6b\x6c\x6d\x6e\x6f\x74\x75\x7e"

// operation is one of LDAP: its tag and what its contents begin with.
type operation struct {
	tags   string
	begins []test
	source string
}

// operations that open a connection, or answer what did. The password of a bind
// is whatever follows.
var operations = []operation{
	{"\x60", all(at(0, "\x02\x01"), in(2, "\x02\x03")), "RFC 4511 section 4.2, bind"},
	{"\x61\x65\x78", all(at(0, "\x0a\x01")), "RFC 4511 section 4.1.9, a result"},
	{"\x63\x64", all(at(0, "\x04")), "RFC 4511 section 4.5, search and entry; MS-ADTS 6.3.3"},
	{"\x77", all(at(0, "\x80"), has("1.3.6.1.4.1.", 16)), "RFC 4511 section 4.12, extended"},
}

// ldapRows are the same over TCP and, as CLDAP, over UDP. A message is a sequence
// of a number and an operation (RFC 4511 section 4.1.1).
func ldapRows() (rows []row) {
	for _, o := range operations {
		rows = append(rows, row{"ldap", nil, append(all(element("\x30"), over("\x02"), element(o.tags)), o.begins...), nil, o.source})
	}
	return rows
}

// snmpRows: a sequence of the version, and of a community or of a header (RFC 1157
// section 4, RFC 3412 section 6). TCP is rare and has its port (RFC 3430).
func snmpRows(only []uint16) []row {
	return []row{
		{"snmp", only, all(whole("\x30"), at(0, "\x02\x01"), in(2, "\x00\x01"), at(3, "\x04")), nil, "RFC 1157 section 4, RFC 1901"},
		{"snmp", only, all(whole("\x30"), at(0, "\x02\x01\x03\x30")), nil, "RFC 3412 section 6"},
	}
}

// months as RFC 3164 section 4.1.2 writes them.
var months = [...]string{"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"}

// syslogRows: what stands on any port, over TCP and UDP.
func syslogRows() []row {
	rows := []row{
		{"syslog", nil, all(at(0, "<"), in(1, digits), has(">1 2", 8)), nil, "RFC 5424 section 6"},
		{"syslog", nil, all(at(0, "<"), in(1, digits), has(">1 - ", 9)), nil, "RFC 5424 section 6, without a time"},
	}
	for _, month := range months {
		rows = append(rows, row{"syslog", nil, all(at(0, "<"), in(1, digits), has(">"+month+" ", 9)), nil, "RFC 3164 section 4.1.2"})
	}
	return rows
}
