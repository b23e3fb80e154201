package all

import "strings"

// mailOpenings: RFC 5321, 1939, 9051, 3977 and what servers and clients print.
func mailOpenings() []opening {
	return []opening{
		{"banner", "smtp", tcp(25, s("220 mx.example.com ESMTP Postfix\r\n"))},
		{"bare banner", "smtp", tcp(25, s("220 mx.example.com\r\n"))},
		{"banner of lines", "smtp", tcp(25, s("220-mx.example.com ready\r\n220-no spam\r\n220 go\r\n"))},
		{"banner for submission", "smtp", tcp(587, s("220 smtp.example.com ready\r\n"))},
		{"banner on an odd port", "smtp", tcp(oddPort, s("220 mx.example.com ESMTP Exim 4.97 Sat, 01 Jan 2022 00:00:00 +0000\r\n"))},
		{"refused by the server", "smtp", tcp(25, s("554 5.7.1 mx.example.com no mail from you\r\n"))},
		{"busy server", "smtp", tcp(25, s("421 4.3.2 try later\r\n"))},
		{"client first", "smtp", tcp(25, c("EHLO a.example\r\n"))},
		{"client first on an odd port", "smtp", tcp(oddPort, c("ehlo a.example\r\n"))},
		{"HELO", "smtp", tcp(25, s("220 mx\r\n"), c("HELO a\r\n"))},
		{"HELO on an odd port", "smtp", tcp(oddPort, c("HELO a.example\r\n"), s("250 mx.example.com\r\n"))},
		{"LMTP", "smtp", tcp(24, s("220 mx LMTP\r\n"), c("LHLO a\r\n"))},
		{"midway", "smtp", tcp(oddPort, c("MAIL FROM:<a@example.com> SIZE=100\r\n"))},
		{"midway, another command", "smtp", tcp(oddPort, c("RCPT TO:<a@example.com>\r\n"))},
		{"Exchange", "smtp", tcp(25, s("220 EX01.example.com Microsoft ESMTP MAIL Service ready at Sat, 1 Jan 2022\r\n"))},

		{"banner", "pop3", tcp(110, s("+OK POP3 ready <1896.697170952@example.com>\r\n"))},
		{"bare banner", "pop3", tcp(110, s("+OK\r\n"))},
		{"banner on an odd port", "pop3", tcp(oddPort, s("+OK POP3 server ready\r\n"))},
		{"Dovecot on an odd port", "pop3", tcp(oddPort, s("+OK Dovecot ready.\r\n"), c("CAPA\r\n"))},
		{"client alone", "pop3", tcp(110, c("USER bob\r\n"))},
		{"client alone, APOP", "pop3", tcp(110, c("APOP bob c4c9334bac560ecc979e58001b3e22fb\r\n"))},
		{"client alone, CAPA", "pop3", tcp(110, c("CAPA\r\n"))},
		{"quit at once", "pop3", tcp(oddPort, s("+OK hello\r\n"), c("QUIT\r\n"))},

		{"banner", "imap", tcp(143, s("* OK [CAPABILITY IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE STARTTLS] Dovecot ready.\r\n"))},
		{"Gmail's", "imap", tcp(143, s("* OK Gimap ready for requests from 192.0.2.1 x12\r\n"))},
		{"banner without the word, odd port", "imap", tcp(oddPort, s("* OK ready\r\n"), c("a1 CAPABILITY\r\n"))},
		{"banner without the word, login", "imap", tcp(oddPort, s("* OK hello\r\n"), c("A001 LOGIN bob secret\r\n"))},
		{"BYE", "imap", tcp(143, s("* BYE too many connections\r\n"))},
		{"PREAUTH", "imap", tcp(oddPort, s("* PREAUTH IMAP4rev1 server logged in as Smith\r\n"))},
		{"client alone", "imap", tcp(143, c("a001 CAPABILITY\r\n"))},
		{"client alone, STARTTLS", "imap", tcp(143, c(". STARTTLS\r\n"))},
		{"capabilities on an odd port", "imap", tcp(oddPort, s("* OK [CAPABILITY IMAP4 IMAP4rev1] x\r\n"))},

		{"banner", "nntp", tcp(119, s("200 news.example.com InterNetNews NNRP server INN 2.6 ready (posting ok)\r\n"))},
		{"banner on an odd port", "nntp", tcp(oddPort, s("201 news.example.com NNRP Service Ready (no posting)\r\n"))},
		{"CAPABILITIES", "nntp", tcp(oddPort, s("200 hello\r\n"), c("CAPABILITIES\r\n"))},
		{"login", "nntp", tcp(oddPort, s("200 hello\r\n"), c("AUTHINFO USER bob\r\n"))},
		{"client alone", "nntp", tcp(119, c("MODE READER\r\n"))},
		{"server feed", "nntp", tcp(119, s("200 ready\r\n"), c("MODE STREAM\r\n"))},
	}
}

// textOpenings: other protocols of lines.
func textOpenings() []opening {
	return []opening{
		{"vsftpd", "ftp", tcp(21, s("220 (vsFTPd 3.0.3)\r\n"))},
		{"bare banner", "ftp", tcp(21, s("220 Welcome\r\n"))},
		{"FileZilla on an odd port", "ftp", tcp(oddPort, s("220-FileZilla Server 1.5.1\r\n220 Please visit https://filezilla-project.org/\r\n"), c("AUTH TLS\r\n"))},
		{"Pure-FTPd", "ftp", tcp(oddPort, s("220---------- Welcome to Pure-FTPd [privsep] [TLS] ----------\r\n"))},
		{"ProFTPD", "ftp", tcp(oddPort, s("220 ProFTPD Server (Debian) [192.0.2.1]\r\n"))},
		{"IIS", "ftp", tcp(oddPort, s("220 Microsoft FTP Service\r\n"))},
		{"busy server", "ftp", tcp(21, s("421 Too many users\r\n"))},
		{"not yet", "ftp", tcp(21, s("120 ready in 5 minutes\r\n"))},
		{"client alone", "ftp", tcp(21, c("USER anonymous\r\n"))},
		{"client alone, TLS", "ftp", tcp(21, c("AUTH TLS\r\n"))},
		{"client alone, FEAT", "ftp", tcp(21, c("FEAT\r\n"))},
		{"lower case", "ftp", tcp(oddPort, s("220 hello\r\n"), c("user bob\r\n"))},
		{"SYST first", "ftp", tcp(oddPort, s("220 hello\r\n"), c("SYST\r\n"))},
		{"HOST first (RFC 7151)", "ftp", tcp(oddPort, s("220 hello\r\n"), c("HOST ftp.example.com\r\n"))},
		{"CLNT first", "ftp", tcp(oddPort, s("220 hello\r\n"), c("CLNT NcFTP 3.2.6 linux\r\n"))},
		{"passive mode midway", "ftp", tcp(21, s("227 Entering Passive Mode (192,0,2,1,200,10).\r\n"))},

		{"registration", "irc", tcp(6667, c("NICK bob\r\nUSER bob 0 * :Bob\r\n"))},
		{"capabilities", "irc", tcp(oddPort, c("CAP LS 302\r\n"))},
		{"password first", "irc", tcp(oddPort, c("PASS x\r\nNICK bob\r\nUSER bob 8 * :Bob\r\n"))},
		{"server's notice", "irc", tcp(6667, s(":irc.example.net NOTICE * :*** Looking up your hostname...\r\n"))},
		{"server's old notice", "irc", tcp(oddPort, s("NOTICE AUTH :*** Checking Ident\r\n"))},
		{"server's answer", "irc", tcp(oddPort, s(":irc.example.net 001 bob :Welcome to the Internet Relay Network bob\r\n"))},
		{"message midway", "irc", tcp(6667, c("PRIVMSG #chan :hello\r\n"))},
		{"server's link", "irc", tcp(6667, c("PASS secret 0210 IRC|\r\nSERVER a.example 1 :x\r\n"))},

		{"client's stream", "xmpp", tcp(5222, c("<?xml version='1.0'?><stream:stream to='example.com' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>"))},
		{"without a declaration", "xmpp", tcp(oddPort, c("<stream:stream xmlns:stream=\"http://etherx.jabber.org/streams\" xmlns=\"jabber:client\" to=\"example.com\" version=\"1.0\">"))},
		{"server's stream", "xmpp", tcp(oddPort, s("<?xml version='1.0'?><stream:stream id='1' from='example.com' xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams'>"))},
		{"stanza midway", "xmpp", tcp(5222, c("<message to='a@example.com' type='chat'><body>hi</body></message>"))},
		{"presence midway", "xmpp", tcp(5222, c("<presence/>"))},
		{"iq midway", "xmpp", tcp(5222, s("<iq type='result' id='1' to='a@example.com/x'/>"))},

		{"git", "git", tcp(9418, c("0033git-upload-pack /project.git\x00host=example.com\x00"))},
		{"git protocol 2", "git", tcp(oddPort, c("003egit-upload-pack /project.git\x00host=example.com\x00\x00version=2\x00"))},
		{"greeting", "svn", tcp(3690, s("( success ( 2 2 ( ) ( edit-pipeline svndiff1 ) ) ) "))},
		{"client alone", "svn", tcp(oddPort, c("( 2 ( edit-pipeline svndiff1 absent-entries ) 24:svn://example.com/repo ) "))},
		{"greeting", "rsync", tcp(873, s("@RSYNCD: 31.0 sha512 sha256\n"))},
		{"client", "rsync", tcp(oddPort, c("@RSYNCD: 30.0\n"))},
		{"query", "whois", tcp(43, c("example.com\r\n"))},
		{"query", "finger", tcp(79, c("bob\r\n"))},
		{"query for all", "finger", tcp(79, c("\r\n"))},
		{"selector", "gopher", tcp(70, c("/docs\r\n"))},
		{"empty selector", "gopher", tcp(70, c("\r\n"))},

		{"logon", "fix", tcp(oddPort, c("8=FIX.4.4\x019=65\x0135=A\x0149=A\x01"))},
		{"message", "hl7", tcp(oddPort, c("\x0bMSH|^~\\&|A|B|C|D|20220101||ADT^A01|1|P|2.3\r"))},
		{"banner", "munin", tcp(4949, s("# munin node at a.example\n"))},
		{"subscribe", "mining", tcp(3333, c("{\"id\": 1, \"method\": \"mining.subscribe\", \"params\": []}\n"))},
		{"xmrig's login", "mining", tcp(14444, c("{\"id\":1,\"jsonrpc\":\"2.0\",\"method\":\"login\",\"params\":{\"login\":\"x\",\"pass\":\"x\",\"agent\":\"XMRig/6.18\",\"algo\":[\"rx/0\"]}}\n"))},
		{"pool's work", "mining", tcp(oddPort, s("{\"id\":null,\"method\":\"mining.notify\",\"params\":[\"bf\",\"4d16b6f85af6e219\"]}\n"))},
		{"call", "json-rpc", tcp(oddPort, c("{\"jsonrpc\": \"2.0\", \"method\": \"subtract\", \"params\": [42, 23], \"id\": 1}"))},
		{"version 1", "proxy-protocol", tcp(oddPort, c("PROXY TCP4 192.0.2.1 192.0.2.2 5000 80\r\n"))},
		{"version 2", "proxy-protocol", tcp(oddPort, c("\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c\xc0\x00\x02\x01\xc0\x00\x02\x02\x13\x88\x00\x50"))},
	}
}

// webOpenings: RFC 9110 to 9114, 6455.
func webOpenings() []opening {
	const headers = " HTTP/1.1\r\nHost: www.example.com\r\nUser-Agent: a\r\n\r\n"
	const settings = "\x00\x00\x12\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x80\x00\x04\x00\x01\x00\x00\x00\x05\x00\xff\xff\xff"
	return []opening{
		{"GET", "http", tcp(80, c("GET /"+headers))},
		{"GET on an odd port", "http", tcp(oddPort, c("GET /"+headers))},
		{"HTTP/1.0", "http", tcp(80, c("GET / HTTP/1.0\r\n\r\n"))},
		{"HTTP/0.9", "http", tcp(80, c("GET /index.html\r\n"))},
		{"lower-case method", "http", tcp(80, c("get /"+headers))},
		{"unregistered method", "http", tcp(oddPort, c("BREW /pot"+headers))},
		{"method of a Windows service", "http", tcp(80, c("BITS_POST /x"+headers))},
		{"pipelined", "http", tcp(80, c("GET /a"+headers+"GET /b"+headers))},
		{"blank line first", "http", tcp(80, c("\r\nGET /"+headers))},
		{"line feeds alone", "http", tcp(80, c("GET / HTTP/1.1\nHost: a.example\n\n"))},
		{"long target", "http", tcp(80, c("GET /"+strings.Repeat("a", 6000)+headers))},
		{"answer alone", "http", tcp(oddPort, s("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"))},
		{"answer of 1.0", "http", tcp(80, s("HTTP/1.0 404 Not Found\r\n\r\n"))},
		{"asterisk", "http", tcp(80, c("OPTIONS *"+headers))},

		{"prior knowledge", "http2", tcp(oddPort, c("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"+settings))},
		{"server alone", "http2", tcp(oddPort, s(settings))},
		{"upgrade", "websocket", tcp(oddPort, c("GET /chat HTTP/1.1\r\nHost: a.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"))},
		{"answer alone", "websocket", tcp(oddPort, s("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"))},
		{"tunnel", "http-connect", tcp(3128, c("CONNECT www.example.com:443 HTTP/1.1\r\nHost: www.example.com:443\r\n\r\n"))},
		{"proxy", "http-proxy", tcp(3128, c("GET http://www.example.com/"+headers))},
		{"PROPFIND", "webdav", tcp(80, c("PROPFIND /dav"+headers))},
		{"announce", "bittorrent", tcp(6969, c("GET /announce?info_hash=%124Vx%9A%BC%DE%F1%23Eg%89%AB%CD%EF%124Vx%9A&peer_id=-TR2940-k8hj0wgej6ch&port=51413 HTTP/1.1\r\nHost: tracker.example\r\n\r\n"))},
		{"tunnelled in HTTP", "rtmp", tcp(80, c("POST /fcs/ident2 HTTP/1.1\r\nHost: a.example\r\nContent-Type: application/x-fcs\r\nContent-Length: 1\r\n\r\n\x00"))},
		{"print job", "ipp", tcp(631, c("POST /ipp/print HTTP/1.1\r\nContent-Type: application/ipp\r\n\r\n"))},
		{"query", "doh", tcp(oddPort, c("POST /dns-query HTTP/1.1\r\nContent-Type: application/dns-message\r\n\r\n"))},
		{"SOAP action", "soap", tcp(80, c("POST /x HTTP/1.1\r\nSOAPAction: \"urn:x\"\r\n\r\n"))},
	}
}
