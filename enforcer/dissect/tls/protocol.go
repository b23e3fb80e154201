package tls

import (
	"strings"

	"github.com/netpol/netpol/enforcer/dissect"
)

// protocol names what runs inside TLS, where the hello or the port tells: what
// the client offers comes first (RFC 7301), and where it offers nothing the
// port, if TLS runs there for one protocol only. swapped says that the window
// has the ends the wrong way round.
func protocol(w *dissect.Window, swapped bool, alpn string) string {
	if alpn != "" {
		if p := byALPN(alpn); p != "" {
			return p
		}
		return "tls"
	}
	server := w.DstPort
	if swapped {
		server = w.SrcPort
	}
	if p := byPort(server); p != "" {
		return p
	}
	return "tls"
}

// byALPN knows the registered names of protocols (IANA TLS ALPN Protocol IDs),
// and those of Apple's push service, AnyDesk and Syncthing. A client that offers several
// is a browser's kind and says nothing.
func byALPN(alpn string) string {
	switch alpn {
	case "dot": // RFC 7858
		return "dot"
	case "imap": // RFC 2595
		return "imaps"
	case "pop3":
		return "pop3s"
	case "ftp": // RFC 4217
		return "ftps"
	case "nntp": // RFC 4642
		return "nntp"
	case "sip/2": // RFC 3261
		return "sips"
	case "xmpp-client", "xmpp-server": // XEP-0368
		return "xmpp"
	case "dicom":
		return "dicom"
	case "mqtt":
		return "mqtt"
	case "irc":
		return "irc"
	case "coap", "co": // RFC 8323
		return "coap"
	case "postgresql":
		return "postgresql"
	case "tds/8.0": // MS-TDS
		return "mssql"
	case "radius/1.0", "radius/1.1": // RFC 9765
		return "radius"
	case "smb": // MS-SMB2
		return "smb"
	case "stun.turn", "stun.nat-discovery": // RFC 7443
		return "stun"
	case "bep/1.0":
		return "syncthing"
	}
	switch {
	case strings.HasPrefix(alpn, "apns-"):
		return "apns"
	case strings.HasPrefix(alpn, "anydesk/"): // with version and system
		return "anydesk"
	case strings.HasPrefix(alpn, "doq"): // RFC 9250 section 4.1, and its drafts
		return "doq"
	}
	return ""
}

// ALPNProtocol is the protocol that a client's ALPN names, "" when it names
// none of its own; dissect/quic asks for it.
func ALPNProtocol(alpn string) string { return byALPN(alpn) }

// byPort knows the ports that are registered for one protocol over TLS (IANA
// Service Name and Transport Protocol Port Number Registry).
func byPort(port uint16) string {
	switch port {
	case 853:
		return "dot"
	case 993:
		return "imaps"
	case 995:
		return "pop3s"
	case 465:
		return "smtps"
	case 990:
		return "ftps"
	case 636, 3269:
		return "ldaps"
	case 5061:
		return "sips"
	case 6514:
		return "syslog-tls"
	case 563: // nntps
		return "nntp"
	case 802: // mbap-s
		return "modbus"
	case 4843: // opcua-tls
		return "opc-ua"
	case 5349: // stuns, turns
		return "stun"
	case 5671: // amqps
		return "amqp"
	case 5986: // wsmans
		return "winrm"
	case 6697: // ircs-u
		return "irc"
	case 8883: // secure-mqtt
		return "mqtt"
	}
	return ""
}
