package fixed

// vpnTCPRows: tunnels and proxies over TCP.
func vpnTCPRows() []row {
	return []row{
		{"pptp", nil, all(at(0, "\x00\x9c\x00\x01\x1a\x2b\x3c\x4d")), nil, "RFC 2637 section 2.1"},
		{"pptp", nil, all(length(0, 2, 0), at(2, "\x00\x01\x1a\x2b\x3c\x4d")), nil, "RFC 2637 section 2, any control message"},
		{"ike", nil, all(at(0, "IKETCP")), nil, "RFC 9329 section 3"},
		{"openvpn", nil, all(at(0, "\x00\x0e\x38"), at(11, "\x00\x00\x00\x00\x00")), nil, "OpenVPN wire protocol, hard reset"},
		{"openvpn", nil, all(at(0, "\x00\x36\x38"), at(11, "\x00\x00\x00\x01")), all(at(0, "\x00"), at(2, "\x40")), "OpenVPN wire protocol, tls-crypt"},
		{"openvpn", nil, all(at(2, "\x50"), at(11, "\x0f\x00\x00\x01")), nil, "OpenVPN wire protocol, tls-crypt-v2"},
		{"openvpn", nil, all(at(0, "\x00\x36\x38"), at(11, "\x0f\x00\x00\x01")), nil, "OpenVPN wire protocol, tls-crypt since 2.6"},
		{"openvpn", ports(1194), all(length(0, 2, 2), in(2, openvpnData), size(32, 0)), nil, "OpenVPN wire protocol, data seen midway"},
		{"socks", nil, all(at(0, "\x05"), between(1, 1, 1, 4), in(2, "\x00\x01\x02\x80")), all(at(0, "\x05"), in(1, "\x00\x01\x02\x80\xff")), "RFC 1928 section 3"},
		{"socks", ports(1080), all(at(0, "\x05"), between(1, 1, 1, 8), in(2, "\x00\x01\x02\x80")), nil, "RFC 1928 section 3"},
		{"socks", ports(1080), all(at(0, "\x04"), in(1, "\x01\x02"), size(9, 300)), nil, "SOCKS 4 protocol"},
		{"socks", nil, all(at(0, "\x04"), in(1, "\x01\x02"), size(9, 300)), all(at(0, "\x00"), in(1, "\x5a\x5b\x5c\x5d")), "SOCKS 4 protocol"},
		{"cisco-vpn", nil, all(at(0, "\xfe\x57\x7e\x2b")), nil, "Cisco IPsec over TCP magic"},
		{"ultrasurf", nil, all(at(0, "\xcc\x1c\x30\x41\x5b\xa4\x38\x66")), nil, "UltraSurf, nDPI's ultrasurf"},
		{"tinc", nil, all(at(0, "0 "), in(2, span('A', 'z')), lineEnd(" 17")), nil, "tinc protocol, ID"},
		{"tinc", nil, all(at(0, "0 "), in(2, span('A', 'z')), lineEnd(" 17.7")), nil, "tinc protocol, ID"},
	}
}

// vpnUDPRows: tunnels that hide what they carry.
func vpnUDPRows() []row {
	return []row{
		{"wireguard", nil, all(at(0, "\x01\x00\x00\x00"), size(148, 148)), nil, "WireGuard paper section 5.4.2"},
		{"wireguard", nil, all(at(0, "\x02\x00\x00\x00"), size(92, 92)), all(at(0, "\x01\x00\x00\x00"), size(148, 148)), "WireGuard paper section 5.4.3"},
		{"wireguard", ports(51820), all(at(0, "\x02\x00\x00\x00"), size(92, 92)), nil, "WireGuard paper section 5.4.3"},
		{"wireguard", ports(51820), all(at(0, "\x03\x00\x00\x00"), size(64, 64)), nil, "WireGuard paper section 5.4.7"},
		{"wireguard", ports(51820), all(at(0, "\x04\x00\x00\x00"), size(32, 1500)), nil, "WireGuard paper section 5.4.6"},
		{"openvpn", nil, all(at(0, "\x38"), at(9, "\x00\x00\x00\x00\x00"), size(14, 14)), nil, "OpenVPN wire protocol, hard reset"},
		{"openvpn", nil, all(at(0, "\x40"), at(9, "\x01\x00\x00\x00\x00"), at(22, "\x00\x00\x00\x00"), size(26, 26)), nil, "OpenVPN wire protocol, hard reset answer"},
		{"openvpn", nil, all(at(0, "\x38"), at(9, "\x00\x00\x00\x01"), size(54, 54)), nil, "OpenVPN wire protocol, tls-crypt"},
		{"openvpn", nil, all(at(0, "\x50"), at(9, "\x0f\x00\x00\x01")), nil, "OpenVPN wire protocol, tls-crypt-v2"},
		{"openvpn", nil, all(at(0, "\x38"), at(9, "\x0f\x00\x00\x01"), size(54, 54)), nil, "OpenVPN wire protocol, tls-crypt since 2.6"},
		{"openvpn", ports(1194), all(in(0, openvpnData), size(32, 65507)), nil, "OpenVPN wire protocol, data seen midway"},
		{"wireguard", nil, all(at(0, "\x04\x00\x00\x00"), at(12, "\x00\x00\x00\x00"), size(32, 65507)), all(at(0, "\x04\x00\x00\x00"), at(12, "\x00\x00\x00\x00"), size(32, 65507)), "WireGuard paper section 5.4.6, data of both sides, counters below 2^32"},
		{"ike", nil, all(in(17, "\x10\x20"), in(18, "\x01\x02\x03\x04\x05\x06\x20\x21\x22\x23\x24\x25\x2b\x2c"), length(24, 4, 0), size(28, 65507)), nil, "RFC 7296 section 3.1, RFC 2408 section 3.1"},
		{"ike", ports(4500), all(at(0, "\x00\x00\x00\x00"), in(21, "\x10\x20"), length(28, 4, 4)), nil, "RFC 3948 section 2.2"},
		{"ike", ports(4500), all(at(0, "\xff"), size(1, 1)), nil, "RFC 3948 section 2.3"},
		{"globalprotect", ports(4501), all(at(4, "\x00\x00"), in(0, span(1, 255)), size(28, 65507)), nil, "RFC 3948 section 2.1 on GlobalProtect's port"},
		{"esp", ports(4500), all(at(4, "\x00\x00"), in(0, span(1, 255)), size(28, 65507)), nil, "RFC 3948 section 2.1"},
		{"l2tp", nil, all(masked(0, "\xc8", "\xc8"), at(1, "\x02"), length(2, 2, 0), at(12, "\x80\x08\x00\x00\x00\x00")), nil, "RFC 2661 sections 3.1, 4.1"},
		{"l2tp", nil, all(masked(0, "\xc8", "\xc8"), at(1, "\x03"), length(2, 2, 0), at(12, "\x80\x08\x00\x00\x00\x00")), nil, "RFC 3931 sections 3.2.1, 4.1.2.1"},
		{"l2tp", ports(1701), all(masked(0, "\x00", "\x34"), at(1, "\x02")), nil, "RFC 2661 section 3.1"},
		{"cloudflare-warp", ports(2408), all(at(0, "\x01"), in(1, span(1, 255)), size(148, 148)), nil, "WireGuard handshake with WARP's client id in the reserved bytes"},
		{"cloudflare-warp", ports(2408), all(at(0, "\x02"), in(1, span(1, 255)), size(92, 92)), nil, "WireGuard handshake with WARP's client id in the reserved bytes"},
		{"softether", nil, all(at(0, "IP="), in(3, digits), has(",PORT=", 24)), nil, "SoftEther NAT traversal, address answer"},
		{"softether", nil, all(at(0, "\x00\x00\x00"), at(4, "\x00\x00\x00\x07opcode")), nil, "SoftEther NAT traversal, PACK of a request"},
		{"softether", nil, all(at(0, "\x00\x00\x00"), at(4, "\x00\x00\x00\x06isret")), nil, "SoftEther NAT traversal, PACK of an answer"},
		{"softether", nil, all(at(0, "\x00\x00\x00"), at(4, "\x00\x00\x00\x0ahost_name"), has("opcode", 2048)), nil, "SoftEther NAT traversal, PACK of a request"},
		{"dns-tunnel", nil, all(at(0, "\x10\xd1\x9e"), in(3, span(0x10, 0x3f)), size(4, 1500)), nil, "iodine's raw mode, header and commands"},
		{"zerotier", ports(9993), all(masked(18, "\x00", "\x38"), at(27, "\x01"), between(28, 1, 1, 32), size(60, 1500)), nil, "ZeroTier HELLO"},
		{"zerotier", nil, all(masked(18, "\x00", "\x38"), at(27, "\x01"), between(28, 1, 4, 20), at(29, "\x01"), between(30, 1, 0, 31), at(31, "\x00"), at(33, "\x00\x00\x01"), between(36, 1, 0x40, 0xff), size(60, 1500)), nil, "ZeroTier HELLO of version 1, with a time in milliseconds of this century"},
		{"nebula", nil, all(at(0, "\x10\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01"), size(48, 1500)), nil, "Nebula header: version 1, handshake, first message"},
		{"cisco-vpn", ports(10000), all(at(0, "\xfe\x57\x7e\x2b")), nil, "Cisco IPsec over UDP magic, nDPI's ciscovpn"},
		{"tailscale", nil, all(at(0, "TS\xf0\x9f\x92\xac")), nil, "Tailscale disco message"},
	}
}

// gtpOptions are first bytes of GTP version 1 that announce four more bytes of
// header, and gtpUserTypes the user plane's messages (3GPP TS 29.281 section
// 5.1, 6.1).
const (
	gtpOptions    = "\x31\x32\x33\x34\x35\x36\x37"
	gtpPrimeTypes = "\x01\x02\x03\x04\x05\x06\x07\xf0\xf1" // 3GPP TS 32.295 section 6.2.1
	gtpUserTypes  = "\x01\x02\x1a\x1f\xfe\xff"
)

// tunnelUDPRows: tunnels in the clear.
func tunnelUDPRows() []row {
	return []row{
		{"gtp-u", ports(2152), all(at(0, "\x30"), in(1, gtpUserTypes), length(2, 2, 8)), nil, "3GPP TS 29.281 section 5.1"},
		{"gtp-u", ports(2152), all(in(0, gtpOptions), in(1, gtpUserTypes), between(2, 2, 4, 65527), length(2, 2, 8)), nil, "3GPP TS 29.281 section 5.1"},
		{"gtp-c", ports(2123), all(at(0, "\x30"), length(2, 2, 8)), nil, "3GPP TS 29.060 section 6"},
		{"gtp-c", ports(2123), all(in(0, gtpOptions), between(2, 2, 4, 65527), length(2, 2, 8)), nil, "3GPP TS 29.060 section 6"},
		{"gtp-c", ports(2123), all(masked(0, "\x40", "\xf0"), length(2, 2, 4)), nil, "3GPP TS 29.274 section 5.1"},
		{"gtp-c", ports(2123), all(masked(0, "\x50", "\xf0"), skip(2, 2, 1, 4), masked(0, "\x40", "\xf0"), length(2, 2, 4)), nil, "3GPP TS 29.274 section 5.5.1, piggybacked"},
		{"gtp-prime", ports(3386), all(in(0, "\x0e\x2e\x4e"), in(1, gtpPrimeTypes), length(2, 2, 20)), nil, "3GPP TS 32.295 section 6.1.1, header of 20 bytes"},
		{"gtp-prime", ports(3386), all(in(0, "\x0f\x2f\x4f"), in(1, gtpPrimeTypes), length(2, 2, 6)), nil, "3GPP TS 32.295 section 6.1.1, header of 6 bytes"},
		{"pfcp", ports(8805), all(masked(0, "\x20", "\xe0"), length(2, 2, 4)), nil, "3GPP TS 29.244 section 7.2.2"},
		{"vxlan", ports(4789, 8472), all(masked(0, "\x08\x00\x00\x00", "\x0f\x00\x00\xff"), at(7, "\x00"), size(22, 65507)), nil, "RFC 7348 section 5"},
		{"vxlan", ports(4790), all(masked(0, "\x0c", "\xcc"), at(1, "\x00\x00"), in(3, "\x01\x02\x03\x04"), at(7, "\x00")), nil, "draft-ietf-nvo3-vxlan-gpe section 3"},
		{"gre", ports(4754), all(masked(0, "\x00", "\x4f"), in(1, "\x00"), in(2, "\x08\x65\x86\x88"), size(24, 65507)), nil, "RFC 8086 section 3"},
		{"mpls-in-udp", ports(6635), all(masked(2, "\x01", "\x01"), between(3, 1, 1, 255), size(24, 65507)), nil, "RFC 7510 section 3, one label"},
		{"geneve", ports(6081), all(masked(0, "\x00", "\xc0"), at(2, "\x65\x58"), at(7, "\x00")), nil, "RFC 8926 section 3.4"},
		{"geneve", ports(6081), all(masked(0, "\x00", "\xc0"), in(2, "\x08\x86\x88"), in(3, "\x00\xdd\x47"), at(7, "\x00")), nil, "RFC 8926 section 3.4, packets without frames"},
		{"lisp", ports(4341), all(masked(0, "\x80", "\x80"), size(28, 65507)), nil, "RFC 9300 section 5.1"},
		{"teredo", ports(3544), all(masked(0, "\x60", "\xf0"), size(40, 1500)), nil, "RFC 4380 section 5.1.1"},
		{"teredo", ports(3544), all(at(0, "\x00"), in(1, "\x00\x01"), size(40, 1500)), nil, "RFC 4380 section 5.1.1"},
	}
}

// openvpnData are first bytes of OpenVPN's data: both opcodes, any key.
const openvpnData = "\x30\x31\x32\x33\x34\x35\x36\x37\x48\x49\x4a\x4b\x4c\x4d\x4e\x4f"

// tlsAuthRows: a hard reset behind the digest that a key shared beforehand makes of
// it; then a packet's number, a time, no acknowledgement, and message 0. framed is
// over TCP, with a length.
func tlsAuthRows(framed bool) (rows []row) {
	const session, behind = 9, 13
	for _, digest := range []int{16, 20, 28, 32, 48, 64} { // MD5, SHA1, SHA2 in its lengths
		tests := all(at(0, "\x38"), at(session+digest, "\x00\x00\x00\x01"), at(session+digest+8, "\x00\x00\x00\x00\x00"))
		n := session + digest + behind
		if framed {
			tests = append(all(at(0, "\x00"+string([]byte{byte(n)})), after(2)), tests...)
		} else {
			tests = append(tests, size(n, n))
		}
		rows = append(rows, row{"openvpn", nil, tests, nil, "OpenVPN wire protocol, tls-auth"})
	}
	return rows
}
