package fixed

// dialogue is a protocol of lines in which the server speaks first. Servers greet
// alike, so that the greeting alone tells only where it says more, or at a port of
// the protocol's own; the client's first command tells everywhere.
type dialogue struct {
	tag      string
	ports    []uint16 // where either side alone is enough
	greeting []test
	commands []string // none is another's that greets alike
	tagged   bool     // commands stand behind a tag that the client chooses
	lines    [][]test // what else the server says, at the ports; whole where it may name another
	source   string
}

// maxTag bounds the tag before an IMAP command (RFC 9051 section 2.2.1): clients
// write a letter and a few digits.
const maxTag = 24

// dialogues: mail, news and files.
var dialogues = []dialogue{
	{
		tag: "smtp", ports: ports(25, 587, 2525), greeting: all(at(0, "220"), in(3, " -")),
		commands: []string{"EHLO ", "HELO ", "LHLO "},
		lines:    [][]test{all(at(0, "220"), in(3, " -"), lineHas("")), all(at(0, "250"), in(3, " -")), all(at(0, "421"), in(3, " -")), all(at(0, "5"), in(1, "25"), in(2, digits), in(3, " -"))},
		source:   "RFC 5321 sections 3.1, 4.1.1.1, 4.2; RFC 2033",
	},
	{
		tag: "pop3", ports: ports(110), greeting: all(at(0, "+OK"), in(3, " \r\n")),
		commands: []string{"USER ", "CAPA\r\n", "APOP ", "STLS\r\n", "QUIT\r\n", "AUTH\r\n", "AUTH PLAIN", "AUTH LOGIN", "AUTH CRAM-MD5", "AUTH DIGEST-MD5", "AUTH NTLM", "AUTH GSSAPI", "AUTH SCRAM-SHA-", "AUTH XOAUTH2", "AUTH OAUTHBEARER", "AUTH EXTERNAL"},
		lines:    [][]test{all(at(0, "+OK"), in(3, " \r\n")), all(at(0, "-ERR"), in(4, " \r\n"))},
		source:   "RFC 1939 sections 3, 7; RFC 2449, 2595, 5034",
	},
	{
		tag: "imap", ports: ports(143, 220), greeting: all(at(0, "* OK"), in(4, " \r\n")), tagged: true,
		commands: []string{" CAPABILITY\r\n", " LOGIN ", " STARTTLS\r\n", " AUTHENTICATE ", " ID (", " ID NIL", " LOGOUT\r\n", " NOOP\r\n"},
		lines:    [][]test{all(at(0, "* OK")), all(at(0, "* BYE ")), all(at(0, "* CAPABILITY "))},
		source:   "RFC 9051 sections 6, 7.1; RFC 2971",
	},
	{
		tag: "nntp", ports: ports(119, 433), greeting: all(at(0, "20"), in(2, "01"), in(3, " \r")),
		commands: []string{"MODE READER\r\n", "MODE STREAM\r\n", "AUTHINFO ", "CAPABILITIES", "GROUP ", "LIST ACTIVE", "XOVER ", "STARTTLS\r\n"},
		lines:    [][]test{all(at(0, "20"), in(2, "01"), at(3, " ")), all(at(0, "40"), in(2, "03"), at(3, " ")), all(at(0, "502 "))},
		source:   "RFC 3977 sections 5.1 to 5.3, RFC 4643",
	},
	{
		tag: "ftp", ports: ports(21), greeting: all(at(0, "220"), in(3, " -")),
		commands: []string{"USER ", "AUTH TLS", "AUTH SSL", "FEAT\r\n", "OPTS ", "SYST\r\n", "HOST ", "CLNT ", "PASV\r\n", "EPSV", "PORT ", "EPRT ", "TYPE ", "PBSZ ", "ACCT "},
		lines:    [][]test{all(in(0, "12345"), in(1, "0123456"), in(2, digits), in(3, " -"), lineHas(""))},
		source:   "RFC 959 sections 4.1, 5.4; RFC 2389, 4217, 7151",
	},
}

// dialogueRows: commands that answer a greeting first, for no port may overrule
// what both sides say.
func dialogueRows() (rows []row) {
	for i := range dialogues {
		d := &dialogues[i]
		for _, command := range d.commands {
			rows = append(rows, row{d.tag, nil, d.greeting, d.command(command), d.source})
		}
	}
	rows = append(rows, mailRows()...)
	for i := range dialogues {
		d := &dialogues[i]
		for _, command := range d.commands {
			rows = append(rows, row{d.tag, d.ports, d.command(command), nil, d.source})
		}
		for _, line := range d.lines {
			rows = append(rows, row{d.tag, d.ports, line, nil, d.source})
		}
	}
	return rows
}

func (d *dialogue) command(text string) []test {
	if d.tagged {
		return all(in(0, span('!', '~')), hasFold(text, maxTag+len(text)))
	}
	return all(fold(0, text))
}
