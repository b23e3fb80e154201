package dissecttest

import (
	"bytes"
	"slices"
)

// foreign is a flow of a protocol, shown to the dissectors of all others.
type foreign struct {
	name string
	flow Flow
	tags []string // dissectors that may rightly claim it
}

func (f foreign) is(tag string) bool { return slices.Contains(f.tags, tag) }

// foreignFlows are openings of common protocols, and of none, made by hand.
func foreignFlows() []foreign {
	noise := make([]byte, 600) // a fixed pseudo-random sequence (xorshift32)
	x := uint32(2463534242)
	for i := range noise {
		x ^= x << 13
		x ^= x >> 17
		x ^= x << 5
		noise[i] = byte(x)
	}
	return append(foreignStreams(noise), foreignDatagrams(noise)...)
}

func foreignStreams(noise []byte) []foreign {
	return []foreign{
		{"tcp: nothing sent", TCP(443), nil},
		{"tcp: one byte", TCP(443, Client("\x00")), nil},
		{"tcp: zeros", TCP(443, Client(make([]byte, 300)), Server(make([]byte, 300))), nil},
		{"tcp: ones", TCP(80, Client(bytes.Repeat([]byte{0xff}, 300))), nil},
		{"tcp: noise", TCP(80, Client(noise), Server(noise[7:])), nil},
		{"tcp: SSH", TCP(22, Server("SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"), Client("SSH-2.0-OpenSSH_9.2p1\r\n")), []string{"ssh"}},
		{"tcp: SMTP", TCP(25, Server("220 mail.example.com ESMTP\r\n"), Client("EHLO me\r\n"), Server("250 ok\r\n")), []string{"smtp", "ftp"}},
		{"tcp: FTP", TCP(21, Server("220 ready\r\n"), Client("USER anonymous\r\n"), Server("331 password\r\n")), []string{"ftp", "smtp"}},
		{"tcp: SIP", TCP(5060, Client("OPTIONS sip:a@example.com SIP/2.0\r\nVia: SIP/2.0/TCP a\r\n\r\n")), []string{"sip"}},
		{"tcp: RTSP", TCP(554, Client("OPTIONS rtsp://example.com/ RTSP/1.0\r\nCSeq: 1\r\n\r\n")), []string{"rtsp"}},
		{"tcp: HTTP", TCP(80, Client("GET / HTTP/1.1\r\nHost: example.com\r\n\r\n")), []string{"http"}},
		{"tcp: HTTP/2", TCP(80, Client("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")), []string{"http", "http2"}},
		{"tcp: BitTorrent", TCP(6881, Client("\x13BitTorrent protocol\x00\x00\x00\x00\x00\x10\x00\x05aaaaaaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbbbbb")), []string{"bittorrent"}},
		{"tcp: MQTT", TCP(1883, Client("\x10\x10\x00\x04MQTT\x04\x02\x00\x3c\x00\x04test")), []string{"mqtt"}},
		{"tcp: SMB", TCP(445, Client("\x00\x00\x00\x24\xfeSMB\x40\x00\x00\x00\x00\x00\x00\x00\x00\x00\x1f\x00\x00\x00\x00\x00\x00\x00\x00\x00")), []string{"smb"}},
		{"tcp: TLS hello of SSLv2 length", TCP(443, Client("\x80\x03\x09")), nil},
		{"tcp: record header of no TLS", TCP(443, Client("\x16\x03\x01\xff\xff\x01\x00\x00\x10\x03\x03")), nil},
		{"tcp: DNS length over noise", TCP(53, Client(append([]byte{0, 200}, noise...))), nil},
	}
}

func foreignDatagrams(noise []byte) []foreign {
	stun := "\x00\x01\x00\x00\x21\x12\xa4\x42abcdefghijkl"
	rtp := append([]byte("\x80\x60\x12\x34\x00\x00\x10\x00\xde\xad\xbe\xef"), noise[:160]...)
	return []foreign{
		{"udp: empty", UDP(443, Client("")), nil},
		{"udp: one byte", UDP(53, Client("\x00")), nil},
		{"udp: zeros", UDP(53, Client(make([]byte, 120))), nil},
		{"udp: ones", UDP(443, Client(bytes.Repeat([]byte{0xff}, 120))), nil},
		{"udp: noise", UDP(3478, Client(noise), Server(noise[9:])), nil},
		{"udp: noise on a DNS port", UDP(53, Client(noise), Server(noise[9:])), nil},
		{"udp: STUN", UDP(3478, Client(stun)), []string{"stun"}},
		{"udp: RTP", UDP(16384, Client(rtp)), []string{"rtp"}},
		{"udp: NTP", UDP(123, Client(append([]byte{0x23}, make([]byte, 47)...))), []string{"ntp"}},
		{"udp: SSDP", UDP(1900, Client("M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\n\r\n")), []string{"ssdp"}},
		{"udp: SIP", UDP(5060, Client("REGISTER sip:example.com SIP/2.0\r\nVia: SIP/2.0/UDP a\r\n\r\n")), []string{"sip"}},
		{"udp: syslog", UDP(514, Client("<34>Oct 11 22:14:15 host su: failed")), []string{"syslog"}},
		{"udp: SNMP", UDP(161, Client("\x30\x26\x02\x01\x01\x04\x06public\xa0\x19\x02\x04\x01\x02\x03\x04\x02\x01\x00\x02\x01\x00\x30\x0b")), []string{"snmp"}},
		{"udp: WireGuard", UDP(51820, Client(append([]byte{1, 0, 0, 0}, noise[:144]...))), []string{"wireguard"}},
		{"udp: DHT", UDP(6881, Client("d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe")), []string{"bittorrent", "bittorrent-dht"}},
		{"udp: DTLS of no version", UDP(443, Client("\x16\xfe\xff\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\x01")), nil},
		{"udp: long header of no QUIC", UDP(4242, Client(append([]byte("\xc3\x12\x34\x56\x78\x08"), noise[:80]...))), nil},
	}
}
