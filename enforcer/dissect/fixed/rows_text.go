package fixed

const digits = "0123456789"

// Telnet's negotiation commands (RFC 854) and its highest registered option
// below 128 (IANA).
const (
	telnetCommands  = "\xfb\xfc\xfd\xfe"
	telnetMaxOption = 49
)

// mailRows: what one side of a dialogue says that nobody else does.
func mailRows() []row {
	return []row{
		{"smtp", nil, all(at(0, "220"), in(3, " -"), lineHas("SMTP")), nil, "RFC 5321 section 4.2"},
		{"smtp", nil, all(fold(0, "EHLO ")), nil, "RFC 5321 section 4.1.1.1"},
		{"smtp", nil, all(fold(0, "LHLO ")), nil, "RFC 2033 section 4.1"},
		{"smtp", nil, all(fold(0, "HELO ")), all(at(0, "250"), in(3, " -")), "RFC 5321 section 4.1.1.1"},
		{"smtp", nil, all(fold(0, "MAIL FROM:")), nil, "RFC 5321 section 4.1.1.2"},
		{"smtp", nil, all(fold(0, "RCPT TO:")), nil, "RFC 5321 section 4.1.1.3"},
		{"smtp", ports(465), all(fold(0, "EHLO ")), nil, "RFC 5321 section 4.1.1.1"},
		{"pop3", nil, all(at(0, "+OK "), hasFold("POP3", 128)), nil, "RFC 1939 section 3, as most servers greet"},
		{"imap", nil, all(at(0, "* OK "), hasFold("IMAP", 256)), nil, "RFC 9051 section 7.1"},
		{"imap", nil, all(at(0, "* OK [CAPABILITY ")), nil, "RFC 9051 section 7.1"},
		{"imap", nil, all(at(0, "* PREAUTH ")), nil, "RFC 9051 section 7.1.4"},
		{"nntp", nil, all(at(0, "20"), in(2, "01"), at(3, " "), has("NNRP", 128)), nil, "RFC 3977 section 5.1, as INN greets"},
		{"nntp", nil, all(at(0, "20"), in(2, "01"), at(3, " "), hasFold("NNTP", 128)), nil, "RFC 3977 section 5.1"},
		{"ftp", nil, all(at(0, "220"), in(3, " -"), lineHas("FTP")), nil, "RFC 959 section 5.4"},
		{"ftp", nil, all(at(0, "227 Entering Passive Mode (")), nil, "RFC 959 section 4.2.2"},
		{"ftp", nil, all(at(0, "229 Entering Extended Passive Mode (")), nil, "RFC 2428 section 3"},
	}
}

// textRows: other protocols of lines.
func textRows() []row {
	return []row{
		{"irc", nil, all(fold(0, "CAP LS"), in(6, " \r\n")), nil, "IRCv3 capability negotiation"},
		{"irc", nil, all(fold(0, "NICK "), has("\nUSER ", 128)), nil, "RFC 2812 section 3.1"},
		{"irc", nil, all(fold(0, "USER "), has("\nNICK ", 256)), nil, "RFC 2812 section 3.1"},
		{"irc", nil, all(fold(0, "PASS "), has("\nNICK ", 256)), nil, "RFC 2812 section 3.1"},
		{"irc", nil, all(at(0, "NOTICE AUTH :")), nil, "ircd's connection notice"},
		{"irc", nil, all(at(0, ":"), has(" NOTICE AUTH :", 128)), nil, "ircd's connection notice"},
		{"irc", nil, all(at(0, ":"), has(" NOTICE * :", 128)), nil, "RFC 2812 section 3.3.2, before registration"},
		{"irc", nil, all(at(0, ":"), has(" 001 ", 128)), nil, "RFC 2812 section 5.1, RPL_WELCOME"},
		{"xmpp", nil, all(at(0, "<"), has("http://etherx.jabber.org/streams", 512)), nil, "RFC 6120 section 4.8.1"},
		{"xmpp", xmppPorts, all(at(0, "<message ")), nil, "RFC 6120 section 8, a stanza seen midway"},
		{"xmpp", xmppPorts, all(at(0, "<presence"), in(9, " />")), nil, "RFC 6120 section 8, a stanza seen midway"},
		{"xmpp", xmppPorts, all(at(0, "<iq ")), nil, "RFC 6120 section 8, a stanza seen midway"},
		{"sip", nil, all(at(0, "\r\n"), in(2, "\r"+span('A', 'Z')), after(2), lineEnd(" SIP/2.0")), nil, "RFC 3261 section 7.5, a blank line before"},
		{"sip", nil, all(at(0, "\r\n\r\n"), after(4), lineEnd(" SIP/2.0")), nil, "RFC 5626 section 3.5.1, a keepalive before"},
		{"sip", nil, all(in(0, span('A', 'Z')), lineEnd(" SIP/2.0")), nil, "RFC 3261 section 7.1"},
		{"sip", nil, all(at(0, "SIP/2.0 "), in(8, "123456")), nil, "RFC 3261 section 7.2"},
		{"airplay", nil, all(in(0, span('A', 'Z')), lineEnd(" RTSP/1.0"), has("AirPlay/", 512)), nil, "AirPlay over RTSP, its user agent"},
		{"rtsp", nil, all(in(0, span('A', 'Z')), lineEnd(" RTSP/1.0")), nil, "RFC 2326 section 6.1"},
		{"rtsp", nil, all(in(0, span('A', 'Z')), lineEnd(" RTSP/2.0")), nil, "RFC 7826 section 7.1"},
		{"rtsp", nil, all(at(0, "RTSP/"), in(5, "12"), at(6, ".0 ")), nil, "RFC 2326 section 7.1"},
		{"rtsp", nil, all(at(0, "$"), in(1, span(0, 7)), masked(4, "\x80", "\xc0"), skip(2, 2, 1, 4), at(0, "$"), in(1, span(0, 7)), masked(4, "\x80", "\xc0")), nil, "RFC 2326 section 10.12, two packets of interleaved media"},
		{"git", nil, all(at(4, "git-upload-pack /")), nil, "gitprotocol-pack"},
		{"git", nil, all(at(4, "git-receive-pack /")), nil, "gitprotocol-pack"},
		{"git", nil, all(at(4, "git-upload-archive /")), nil, "gitprotocol-pack"},
		{"svn", nil, all(at(0, "( success ( ")), nil, "Subversion's ra_svn protocol document"},
		{"svn", nil, all(at(0, "( "), in(2, digits), at(3, " ( edit-pipeline ")), nil, "Subversion's ra_svn protocol document, the client's greeting"},
		{"rsync", nil, all(at(0, "@RSYNCD: "), in(9, digits)), nil, "rsync's clientserver protocol"},
		{"munin", nil, all(at(0, "# munin node at ")), nil, "Munin data exchange protocol"},
		{"checkmk", nil, all(at(0, "<<<check_mk>>>")), nil, "Checkmk agent output"},
		{"kismet", nil, all(at(0, "*KISMET: ")), nil, "Kismet client/server protocol"},
		{"icecast", nil, all(at(0, "ICY 200 OK")), nil, "SHOUTcast response"},
		{"proxy-protocol", nil, all(at(0, "PROXY TCP"), in(9, "46"), at(10, " ")), nil, "HAProxy PROXY protocol section 2.1"},
		{"proxy-protocol", nil, all(at(0, "PROXY UNKNOWN")), nil, "HAProxy PROXY protocol section 2.1"},
		{"proxy-protocol", nil, all(at(0, "\r\n\r\n\x00\r\nQUIT\n"), in(12, "\x20\x21")), nil, "HAProxy PROXY protocol section 2.2"},
		{"fix", nil, all(at(0, "8=FIX.4."), in(8, digits)), nil, "FIX session layer"},
		{"fix", nil, all(at(0, "8=FIXT.1.1\x01")), nil, "FIX session layer"},
		{"hl7", nil, all(at(0, "\x0bMSH|^~\\&")), nil, "HL7 minimal lower layer protocol"},
		{"mining", nil, all(at(0, "{"), has("\"mining.subscribe\"", 256)), nil, "Stratum mining protocol"},
		{"mining", nil, all(at(0, "{"), has("\"mining.authorize\"", 256)), nil, "Stratum mining protocol"},
		{"mining", nil, all(at(0, "{"), has("\"mining.configure\"", 256)), nil, "Stratum mining protocol, BIP 310"},
		{"mining", nil, all(at(0, "{"), has("\"mining.notify\"", 256)), nil, "Stratum mining protocol, work"},
		{"mining", nil, all(at(0, "{"), has("\"mining.set_difficulty\"", 256)), nil, "Stratum mining protocol, work"},
		{"mining", nil, all(at(0, "{"), has("\"eth_submitLogin\"", 256)), nil, "Ethereum stratum"},
		{"mining", nil, all(at(0, "{"), has("\"eth_getWork\"", 256)), nil, "Ethereum JSON-RPC mining"},
		{"mining", nil, all(at(0, "{"), has("\"login\"", 256), has("\"pass\"", 768), has("\"agent\"", 1024)), nil, "CryptoNote stratum"},
		{"json-rpc", nil, all(at(0, "{"), has("\"jsonrpc\"", 512), has("}", 4096)), nil, "JSON-RPC 2.0 section 4"},
		{"websocket", ports(80, 8000, 8080, 8888), all(at(0, "\x81"), between(1, 1, 1, 125), in(2, span(' ', '~'))), all(in(0, "\x81\x82"), between(1, 1, 0x81, 0xfd), size(7, 0)), "RFC 6455 section 5.2, text frames of both sides seen midway"},
		{"ookla", nil, all(at(0, "HI"), in(2, " \n")), all(at(0, "HELLO "), in(6, digits)), "Ookla speed test server protocol"},
		{"tivoconnect", nil, all(fold(0, "TiVoConnect=")), nil, "TiVo Connect automatic machine discovery"},
		{"ripe-atlas", nil, all(at(0, "MGLNDD_")), nil, "Magellan probe of RIPE Atlas"},
		{"atg", nil, all(at(0, "\x01"), in(1, "ISis"), in(2, digits), in(3, digits), in(4, digits), in(5, digits), in(6, digits)), nil, "Veeder-Root TLS-350 command format"},
		{"lpd", ports(515), all(in(0, span(1, 5)), in(1, span('!', '~')), has("\n", 128)), nil, "RFC 1179 section 5"},
		{"graphite", ports(2003), all(in(0, lineStart), has(".", 128), has(" ", 256), has("\n", 512)), nil, "Graphite plaintext protocol"},
		{"spice", nil, all(at(0, "REDQ"), in(4, "\x01\x02"), at(5, "\x00\x00\x00")), nil, "SPICE protocol, RedLinkMess"},
	}
}

// xmppPorts are those of clients and servers (RFC 6120 section 14.7).
var xmppPorts = ports(5222, 5223, 5269)

// ircPorts are those that networks use (RFC 7194 section 2.1).
var ircPorts = ports(6660, 6661, 6662, 6663, 6664, 6665, 6666, 6667, 6668, 6669, 7000)

// ircRows: what is said once a connection stands, at IRC's ports.
func ircRows() (rows []row) {
	for _, command := range []string{"NICK ", "PASS ", "USER ", "JOIN ", "PRIVMSG ", "PING ", "PONG ", "MODE ", "SERVER ", ":"} {
		rows = append(rows, row{"irc", ircPorts, all(fold(0, command), has("\r\n", 512)), nil, "RFC 2812 section 3"})
	}
	return rows
}

// lineStart are characters that names of metrics begin with.
const lineStart = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_" + digits

// remoteRows: shells and screens.
func remoteRows() []row {
	return []row{
		{"ssh", nil, all(at(0, "SSH-"), in(4, "12"), at(5, ".")), nil, "RFC 4253 section 4.2"},
		{"ssh", ports(22), all(in(0, span(' ', '~')), has("\nSSH-2.0-", 1024)), nil, "RFC 4253 section 4.2, lines before the version"},
		{"telnet", nil, all(at(0, "\xff"), in(1, telnetCommands), between(2, 1, 0, telnetMaxOption), at(3, "\xff")), nil, "RFC 854, RFC 855"},
		{"telnet", ports(23), all(at(0, "\xff"), in(1, telnetCommands), between(2, 1, 0, telnetMaxOption)), nil, "RFC 854, RFC 855"},
		{"telnet", nil, all(at(0, "\xff"), in(1, telnetCommands), between(2, 1, 0, telnetMaxOption)), all(at(0, "\xff"), in(1, telnetCommands), between(2, 1, 0, telnetMaxOption)), "RFC 854, RFC 855"},
		{"rlogin", ports(513), all(at(0, "\x00"), in(1, span('!', '~')), has("/", 96)), nil, "RFC 1282 section 2"},
		{"rsh", ports(514), all(in(0, digits), has("\x00", 6)), nil, "rshd(8)"},
		{"rexec", ports(512), all(in(0, digits), has("\x00", 6)), nil, "rexecd(8)"},
		{"rdp", nil, all(at(0, "\x03\x00"), at(5, "\xe0\x00\x00"), at(11, "Cookie: ")), nil, "MS-RDPBCGR 2.2.1.1"},
		{"rdp", nil, all(at(0, "\x03\x00"), at(5, "\xe0\x00\x00"), in(11, "\x01\x03"), in(12, "\x00\x01\x02\x08\x0a"), at(13, "\x08\x00")), nil, "MS-RDPBCGR 2.2.1.1.1"},
		{"rdp", nil, all(at(0, "\x03\x00\x00"), at(5, "\xd0\x00\x00"), in(11, "\x02\x03"), at(13, "\x08\x00")), nil, "MS-RDPBCGR 2.2.1.2"},
		{"rdp", ports(3389), all(at(0, "\x03\x00"), at(5, "\xe0\x00\x00")), nil, "MS-RDPBCGR 2.2.1.1"},
		{"vnc", nil, all(at(0, "RFB 00"), in(6, "0345"), at(7, "."), in(8, digits), in(9, digits), in(10, digits), at(11, "\n")), nil, "RFC 6143 section 7.1.1, and versions of Apple, RealVNC and UltraVNC's repeater"},
		{"ica", nil, all(at(0, "\x7f\x7fICA\x00")), nil, "Citrix ICA detection string"},
		{"ica", nil, all(at(0, "\x1aCGP/01")), nil, "Citrix Common Gateway Protocol"},
		{"x11", nil, all(at(0, "l\x00\x0b\x00\x00\x00")), nil, "X Window System Protocol section 8, connection setup"},
		{"x11", nil, all(at(0, "B\x00\x00\x0b\x00\x00")), nil, "X Window System Protocol section 8, connection setup"},
		{"nomachine", nil, all(at(0, "NXSH-"), in(5, digits)), nil, "NoMachine NX greeting"},
		{"nomachine", nil, all(at(0, "NXD-"), in(4, digits)), nil, "NoMachine NX answer"},
		{"radmin", nil, all(at(0, "\x01\x00\x00\x00\x01\x00\x00\x00\x08\x08")), nil, "Radmin 3 frame: length, checksum, hello"},
		{"radmin", nil, all(at(0, "\x01\x00\x00\x00\x05\x00\x00\x02\x27\x27\x02\x00")), nil, "Radmin 3 frame: length, checksum, authentication"},
		{"vmware", nil, all(at(0, "220 VMware Authentication Daemon")), nil, "VMware authentication daemon banner"},
		{"teamviewer", nil, all(at(0, "\x17\x24"), in(2, "\x0a\x0b\x0c\x0e\x10\x11\x13\x17\x1b\x20\x28"), between(3, 2, 0, 4096)), all(at(0, "\x17\x24")), "TeamViewer command header"},
		{"teamviewer", ports(5938), all(at(0, "\x17\x24")), nil, "TeamViewer command header"},
		{"teamviewer", ports(5938), all(at(0, "\x11\x30")), nil, "TeamViewer data header"},
	}
}
