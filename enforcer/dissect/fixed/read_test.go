package fixed

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/netpol/netpol/enforcer/dissect"
	"github.com/netpol/netpol/enforcer/dissect/dissecttest"
	"github.com/netpol/netpol/lang/fact"
)

// dhcp is a message with options.
func dhcp(op string, options string) string {
	return op + "\x01\x06\x00" + strings.Repeat("\x00", 232) + "\x63\x82\x53\x63" + options
}

// readCases are flows that tell more than their name.
func readCases() []dissecttest.Case {
	return append(append(sshCases(), datagramCases()...), loginCases()...)
}

func sshCases() []dissecttest.Case {
	tcp, c, s := dissecttest.TCP, dissecttest.Client[string], dissecttest.Server[string]
	const client, server = "SSH-2.0-libssh_0.10\r\n", "SSH-2.0-OpenSSH_9.6p1 Debian-2\n"
	asked := dissect.Wants{Agents: true}
	first := fact.Facts{Protocol: "ssh", SSHServerAgent: "SSH-2.0-OpenSSH_9.6p1 Debian-2"}
	both := first
	both.SSHClientAgent = "SSH-2.0-libssh_0.10"
	return []dissecttest.Case{
		{Name: "ssh, server first", In: tcp(22, s(server)), Result: dissect.Match, Want: first},
		{Name: "ssh, server first, client asked for", In: tcp(22, s(server)).Wanting(asked), Result: dissect.Partial, Want: first},
		{Name: "ssh, both", In: tcp(22, s(server), c(client)).Wanting(asked), Result: dissect.Match, Want: both},
		{Name: "ssh on port 443", In: tcp(443, c(client)), Result: dissect.Match, Want: fact.Facts{Protocol: "ssh", SSHClientAgent: both.SSHClientAgent}},
		{Name: "ssh, half a line", In: tcp(22, s("SSH-2.0-Open")), Result: dissect.Partial, Want: fact.Facts{Protocol: "ssh"}},
		{Name: "ssh, half a line and closed", In: tcp(22, s("SSH-2.0-Open")).Close(), Result: dissect.Match, Want: fact.Facts{Protocol: "ssh"}},
		{Name: "ssh, line without end", In: tcp(22, s("SSH-2.0-"+strings.Repeat("x", 300))), Result: dissect.Match, Want: fact.Facts{Protocol: "ssh"}},
		{Name: "ssh, other side speaks otherwise", In: tcp(22, s(server), c("hello\n")).Wanting(asked), Result: dissect.Match, Want: first},
		{Name: "ssh 1", In: tcp(22, s("SSH-1.5-old\n")), Result: dissect.Match, Want: fact.Facts{Protocol: "ssh", SSHServerAgent: "SSH-1.5-old", Risks: "ssh_obsolete_version"}},
		{Name: "ssh 1 and 2", In: tcp(22, s("SSH-1.99-old\n")), Result: dissect.Match, Want: fact.Facts{Protocol: "ssh", SSHServerAgent: "SSH-1.99-old"}},
		{Name: "ssh with a terminal's codes", In: tcp(22, s("SSH-2.0-\x1b[2J\n")), Result: dissect.Match, Want: fact.Facts{Protocol: "ssh", SSHServerAgent: `SSH-2.0-\x1b[2J`}},
	}
}

func datagramCases() []dissecttest.Case {
	udp, c, s := dissecttest.UDP, dissecttest.Client[string], dissecttest.Server[string]
	phone := fact.Facts{Protocol: "dhcp", DHCPClassIdent: "android-dhcp-14", DHCPFingerprint: "1,3,6,255"}
	return []dissecttest.Case{
		{Name: "dhcp", In: udp(67, c(dhcp("\x01", "\x35\x01\x01\x00\x3c\x0fandroid-dhcp-14\x37\x04\x01\x03\x06\xff\xff\x37\x01\x02"))), Result: dissect.Match, Want: phone},
		{Name: "dhcp, the server's options are not the client's", In: udp(67, s(dhcp("\x02", "\x3c\x02MS\xff"))), Result: dissect.Match, Want: fact.Facts{Protocol: "dhcp"}},
		{Name: "dhcp, option beyond the message", In: udp(67, c(dhcp("\x01", "\x3c\x0fandroid"))), Result: dissect.Match, Want: fact.Facts{Protocol: "dhcp"}},
		{
			Name: "ssdp search", In: udp(1900, c("M-SEARCH * HTTP/1.1\r\nuser-agent: Chrome/1\r\n\r\n")), Result: dissect.Match,
			Want: fact.Facts{Protocol: "ssdp", SSDPUserAgent: "Chrome/1"},
		},
		{
			Name: "ssdp device", In: udp(1900, c("NOTIFY * HTTP/1.1\r\nSERVER: Linux UPnP/1.0 Sonos/70\r\nSERVER: other\r\n\r\n")), Result: dissect.Match,
			Want: fact.Facts{Protocol: "ssdp", SSDPServer: "Linux UPnP/1.0 Sonos/70"},
		},
	}
}

func loginCases() []dissecttest.Case {
	tcp, c, s := dissecttest.TCP, dissecttest.Client[string], dissecttest.Server[string]
	login := func(name, tag, banner, commands string, result dissect.Result, risky bool) dissecttest.Case {
		want := fact.Facts{Protocol: tag}
		if risky {
			want.Risks = "cleartext_credentials"
		}
		port := map[string]uint16{"ftp": 21, "pop3": 110, "imap": 143, "smtp": 25}[tag]
		return dissecttest.Case{Name: name, In: tcp(port, s(banner), c(commands)).Wanting(dissect.Wants{Login: true}), Result: result, Want: want}
	}
	const ftp, pop, imap, smtp = "220 FTP ready\r\n", "+OK ready\r\n", "* OK IMAP4rev1 ready\r\n", "220 mx ESMTP\r\n"
	return []dissecttest.Case{
		login("ftp, name only", "ftp", ftp, "USER bob\r\nPASS sec", dissect.Partial, false),
		login("ftp, password", "ftp", ftp, "USER bob\r\npass secret\r\n", dissect.Match, true),
		login("ftp, anonymous", "ftp", ftp, "USER anonymous\r\nPASS me@\r\n", dissect.Match, false),
		login("ftp, TLS", "ftp", ftp, "AUTH TLS\r\n\x16\x03\x01\x00\x05", dissect.Partial, false),
		login("ftp, TLS refused", "ftp", ftp, "AUTH TLS\r\nUSER bob\r\nPASS secret\r\n", dissect.Match, true),
		login("pop3", "pop3", pop, "USER bob\r\nPASS secret\r\n", dissect.Match, true),
		login("pop3, digest", "pop3", pop, "APOP bob c4c9334b\r\n", dissect.Match, false),
		login("imap", "imap", imap, "a1 CAPABILITY\r\na2 LOGIN bob secret\r\n", dissect.Match, true),
		login("imap, plain", "imap", imap, "a1 AUTHENTICATE PLAIN\r\n", dissect.Match, true),
		login("imap, challenge", "imap", imap, "a1 AUTHENTICATE CRAM-MD5\r\n", dissect.Match, false),
		login("smtp", "smtp", smtp, "EHLO me\r\nAUTH LOGIN\r\n", dissect.Match, true),
		login("smtp between servers", "smtp", smtp, "EHLO me\r\nMAIL FROM:<a@example.com>\r\n", dissect.Match, false),
		login("smtp, talks for ever", "smtp", smtp, "EHLO "+strings.Repeat("x\r\n", maxLogin), dissect.Match, false),
		{Name: "ftp, nobody asks", In: tcp(21, s(ftp), c("USER bob\r\nPASS secret\r\n")), Result: dissect.Match, Want: fact.Facts{Protocol: "ftp"}},
		{Name: "telnet", In: tcp(23, s("\xff\xfd\x18\xff\xfd\x20")), Result: dissect.Match, Want: fact.Facts{Protocol: "telnet", Risks: "cleartext_credentials"}},
	}
}

// TestRead shows each flow whole, and grown byte by byte with the facts that
// the engine would keep.
func TestRead(t *testing.T) {
	d := New()
	for _, c := range readCases() {
		t.Run(c.Name, func(t *testing.T) {
			var f fact.Facts
			if got := d.Dissect(c.In.Whole(), &f); got != c.Result {
				t.Errorf("got %s, want %s", dissecttest.ResultName(got), dissecttest.ResultName(c.Result))
			}
			if diff := cmp.Diff(c.Want, f, cmpopts.EquateComparable(fact.Facts{})); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			f = fact.Facts{}
			for cut := 1; cut <= c.In.Cuts(); cut++ {
				if got := d.Dissect(c.In.Window(cut), &f); got == dissect.Match || got == dissect.NoMatch {
					break // the engine does not ask again
				}
			}
			if diff := cmp.Diff(c.Want, f, cmpopts.EquateComparable(fact.Facts{})); diff != "" {
				t.Errorf("grown (-want +got):\n%s", diff)
			}
		})
	}
}
