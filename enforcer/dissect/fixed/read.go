package fixed

import (
	"bytes"
	"strconv"

	"github.com/netpol/netpol/enforcer/dissect"
	"github.com/netpol/netpol/lang/fact"
)

// maxText bounds what is kept of a line.
const maxText = 256

// read sets what more a recognised flow tells, and says whether later bytes
// may tell more. Most protocols have nothing.
func read(tag string, w *dissect.Window, f *fact.Facts) dissect.Result {
	switch tag {
	case "ssh":
		return readSSH(w, f)
	case "dhcp":
		readDHCP(w, f)
	case "ssdp":
		readSSDP(w, f)
	case "telnet":
		// It has no other way to log in (RFC 854); options that encrypt
		// (RFC 2946) are extinct.
		fact.SetRisk(&f.Risks, fact.RiskCleartextCredentials, true)
	case "netbios":
		if len(w.Datagrams) == 0 {
			return readSession(w, f)
		}
	case "ftp", "pop3", "imap", "smtp", "nntp":
		return readCommands(tag, w, f)
	case "ftps", "pop3s", "imaps", "smtps":
		return readCommands(tag[:len(tag)-1], w, f)
	case "rdp", "postgresql", "mysql", "ldap", "ldaps", "proxy-protocol", "socks", "xmpp":
		if len(w.Datagrams) == 0 {
			return readInside(tag, w, f)
		}
	}
	return dissect.Match
}

// readSession looks at what a NetBIOS session carries behind its request (RFC 1002
// section 4.3.2): SMB, or what nobody uses any more.
func readSession(w *dissect.Window, f *fact.Facts) dissect.Result {
	const header, message = 4, 8 // of the session service; with SMB's magic
	for side := range w.Stream {
		b := w.Stream[side]
		if len(b) < header || b[0] != 0x81 {
			continue
		}
		rest := b[min(len(b), header+int(b[2])<<8+int(b[3])):]
		switch {
		case len(rest) >= message:
			if string(rest[5:message]) == "SMB" {
				f.Protocol = "smb"
			}
		case !w.Closed[side]:
			return dissect.Partial
		}
	}
	return dissect.Match
}

func setText(to *string, b []byte) {
	var buf [4 * maxText]byte
	dissect.SetText(to, dissect.AppendEscaped(buf[:0], b[:min(len(b), maxText)], '\\'))
}

// maxVersionLine bounds an SSH version line (RFC 4253 section 4.2).
const maxVersionLine = 255

// readSSH reads the version lines: the one that has begun, and the other
// side's as well when somebody asks for it.
func readSSH(w *dissect.Window, f *fact.Facts) dissect.Result {
	result := dissect.Match
	for side, to := range [2]*string{dissect.Client: &f.SSHClientAgent, dissect.Server: &f.SSHServerAgent} {
		b := w.Stream[side]
		line, _, whole := bytes.Cut(b[:min(len(b), maxVersionLine)], []byte("\n"))
		if !whole {
			if !w.Closed[side] && len(b) < maxVersionLine && (len(b) > 0 || w.Want.Agents) {
				result = dissect.Partial
			}
			continue
		}
		line = bytes.TrimRight(line, "\r")
		if !bytes.HasPrefix(line, []byte("SSH-")) {
			continue
		}
		setText(to, line)
		// 1.99 is 2.0 that also speaks 1 (RFC 4253 section 5.1).
		if bytes.HasPrefix(line, []byte("SSH-1.")) && !bytes.HasPrefix(line, []byte("SSH-1.99-")) {
			fact.SetRisk(&f.Risks, fact.RiskObsoleteSSH, true)
		}
	}
	return result
}

// DHCP's fixed part with the magic cookie, and options (RFC 2131 section 2,
// RFC 2132).
const (
	dhcpFixed      = 240
	dhcpRequest    = 1
	optionPad      = 0
	optionEnd      = 255
	optionRequests = 55
	optionClass    = 60
)

// readDHCP reads the client's first message that says what it is.
func readDHCP(w *dissect.Window, f *fact.Facts) {
	for _, d := range w.Datagrams {
		if len(d.Payload) < dhcpFixed || d.Payload[0] != dhcpRequest {
			continue
		}
		c := dissect.NewCursor(d.Payload[dhcpFixed:])
		for c.Len() > 0 {
			typ := c.Uint8()
			if typ == optionEnd {
				break
			}
			if typ == optionPad {
				continue
			}
			value := c.Vector8()
			switch {
			case !value.OK():
				return
			case typ == optionClass:
				setText(&f.DHCPClassIdent, value.Rest())
			case typ == optionRequests:
				setNumbers(&f.DHCPFingerprint, value.Rest())
			}
		}
		if f.DHCPClassIdent != "" || f.DHCPFingerprint != "" {
			return
		}
	}
}

// setNumbers writes bytes as "1,3,6".
func setNumbers(to *string, b []byte) {
	var buf [4 * 255]byte
	text := buf[:0]
	for i, n := range b {
		if i > 0 {
			text = append(text, ',')
		}
		text = strconv.AppendUint(text, uint64(n), 10)
	}
	dissect.SetText(to, text)
}

// readSSDP reads who searches and who answers (UPnP Device Architecture 2.0
// section 1.2 and 1.3).
func readSSDP(w *dissect.Window, f *fact.Facts) {
	for _, d := range w.Datagrams {
		for rest, more := d.Payload, true; more; {
			var line []byte
			line, rest, more = bytes.Cut(rest, []byte("\n"))
			name, value, ok := bytes.Cut(line, []byte(":"))
			switch {
			case !ok:
			case f.SSDPUserAgent == "" && bytes.EqualFold(name, []byte("USER-AGENT")):
				setText(&f.SSDPUserAgent, bytes.TrimSpace(value))
			case f.SSDPServer == "" && bytes.EqualFold(name, []byte("SERVER")):
				setText(&f.SSDPServer, bytes.TrimSpace(value))
			}
		}
	}
}
