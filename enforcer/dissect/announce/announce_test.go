package announce

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/netpol/netpol/enforcer/dissect"
	"github.com/netpol/netpol/enforcer/fuzztest"
)

var (
	clientAddr = netip.MustParseAddr("192.0.2.10")
	serverAddr = netip.MustParseAddr("198.51.100.1")
	client6    = netip.MustParseAddr("2001:db8::10")
	server6    = netip.MustParseAddr("2001:db8:1::1")
)

func fromClient(protocol, payload string) Packet {
	return Packet{Protocol: protocol, Client: clientAddr, Server: serverAddr, ClientPort: 40000, Payload: []byte(payload)}
}

func fromServer(protocol, payload string) Packet {
	p := fromClient(protocol, payload)
	p.From = dissect.Server
	return p
}

func overUDP(p Packet) Packet {
	p.UDP = true
	return p
}

func overIPv6(p Packet) Packet {
	p.Client, p.Server = client6, server6
	return p
}

func x(digits string) string {
	b, err := hex.DecodeString(strings.ReplaceAll(digits, " ", ""))
	if err != nil {
		panic(err)
	}
	return string(b)
}

// text is flows in short.
func text(flows []Flow) (lines []string) {
	for _, f := range flows {
		transport, peer := "tcp", "anybody"
		if f.UDP {
			transport = "udp"
		}
		if f.Peer.IsValid() {
			peer = f.Peer.String()
		}
		lines = append(lines, fmt.Sprintf("%s %s/%s %s", f.Protocol, f.At, transport, peer))
	}
	return lines
}

func sdp(lines ...string) string {
	return "INVITE sip:b@example.com SIP/2.0\r\nContent-Type: application/sdp\r\n\r\nv=0\r\no=a 1 1 IN IP4 192.0.2.10\r\ns=-\r\n" + strings.Join(lines, "\r\n") + "\r\n"
}

var cases = []struct {
	name string
	in   Packet
	want []string
}{
	{"PORT", fromClient("ftp", "PORT 192,0,2,10,200,10\r\n"), []string{"ftp-data 192.0.2.10:51210/tcp 198.51.100.1"}},
	{"PORT of another host", fromClient("ftp", "PORT 192,0,2,99,200,10\r\n"), nil},
	{"PORT of a service", fromClient("ftp", "PORT 192,0,2,10,0,80\r\n"), nil},
	{"PORT that is none", fromClient("ftp", "PORT 192,0,2,10,200\r\n"), nil},
	{"PORT from the server", fromServer("ftp", "PORT 198,51,100,1,200,10\r\n"), nil},
	{"EPRT", overIPv6(fromClient("ftp", "eprt |2|2001:db8::10|5282|\r\n")), []string{"ftp-data [2001:db8::10]:5282/tcp 2001:db8:1::1"}},
	{"EPRT without its end", overIPv6(fromClient("ftp", "EPRT |2|2001:db8::10|5282")), nil},
	{"PASV", fromServer("ftp", "227 Entering Passive Mode (198,51,100,1,200,10).\r\n"), []string{"ftp-data 198.51.100.1:51210/tcp 192.0.2.10"}},
	{"PASV behind NAT", fromServer("ftp", "227 Entering Passive Mode (10,0,0,5,200,10)\r\n"), []string{"ftp-data 198.51.100.1:51210/tcp 192.0.2.10"}},
	{"PASV behind another answer", fromServer("ftp", "200 TYPE is now\r\n227 =198,51,100,1,200,10\r\n"), []string{"ftp-data 198.51.100.1:51210/tcp 192.0.2.10"}},
	{"EPSV", fromServer("ftp", "229 Entering Extended Passive Mode (|||50123|)\r\n"), []string{"ftp-data 198.51.100.1:50123/tcp 192.0.2.10"}},

	{
		"SIP", overUDP(fromClient("sip", sdp("c=IN IP4 192.0.2.10", "m=audio 49170 RTP/AVP 0 8", "a=rtpmap:0 PCMU/8000"))),
		[]string{"rtp 192.0.2.10:49170/udp anybody", "rtcp 192.0.2.10:49171/udp anybody"},
	},
	{
		"SIP, secured, RTCP beside it", overUDP(fromClient("sip", sdp("c=IN IP4 192.0.2.10", "m=audio 49170 RTP/SAVP 0", "a=rtcp:50001 IN IP4 192.0.2.10"))),
		[]string{"srtp 192.0.2.10:49170/udp anybody", "rtcp 192.0.2.10:50001/udp anybody"},
	},
	{
		"SIP, audio and video, addresses of their own", fromServer("sip", sdp("m=audio 6000 RTP/AVP 0", "c=IN IP4 198.51.100.1", "m=video 6002/2 RTP/AVPF 96", "c=IN IP4 198.51.100.7", "m=image 6010 udptl t38")),
		[]string{"rtp 198.51.100.1:6000/udp anybody", "rtcp 198.51.100.1:6001/udp anybody"},
	},
	{"SIP, media of another host", overUDP(fromClient("sip", sdp("c=IN IP4 203.0.113.9", "m=audio 49170 RTP/AVP 0"))), nil},
	{"SIP, media refused", overUDP(fromServer("sip", sdp("c=IN IP4 198.51.100.1", "m=audio 0 RTP/AVP 0"))), nil},
	{"SIP, media without an address", overUDP(fromClient("sip", sdp("m=audio 49170 RTP/AVP 0"))), nil},
	{
		"MGCP", overUDP(fromServer("mgcp", "200 1204 OK\r\nI: FDE234C8\r\n\r\nv=0\r\nc=IN IP4 198.51.100.1\r\nm=audio 3456 RTP/AVP 0\r\n")),
		[]string{"rtp 198.51.100.1:3456/udp anybody", "rtcp 198.51.100.1:3457/udp anybody"},
	},
	{
		"RTSP asks", fromClient("rtsp", "SETUP rtsp://a/b RTSP/1.0\r\nCSeq: 3\r\nTransport: RTP/AVP;unicast;client_port=8000-8001\r\n\r\n"),
		[]string{"rtp 192.0.2.10:8000/udp 198.51.100.1", "rtcp 192.0.2.10:8001/udp 198.51.100.1"},
	},
	{
		"RTSP answers", fromServer("rtsp", "RTSP/1.0 200 OK\r\nTransport: RTP/AVP;unicast;client_port=8000-8001;server_port=9000-9001;ssrc=1234ABCD\r\n\r\n"),
		[]string{"rtp 198.51.100.1:9000/udp 192.0.2.10", "rtcp 198.51.100.1:9001/udp 192.0.2.10"},
	},
	{"RTSP interleaved", fromClient("rtsp", "SETUP rtsp://a/b RTSP/1.0\r\nTransport: RTP/AVP/TCP;unicast;client_port=8000-8001\r\n\r\n"), nil},

	{"TFTP", overUDP(fromClient("tftp", "\x00\x01a\x00octet\x00")), []string{"tftp 192.0.2.10:40000/udp 198.51.100.1"}},
	{"TFTP data", overUDP(fromClient("tftp", "\x00\x03\x00\x01abc")), nil},
	{
		"H.245, media and its control", fromClient("h323", x("03000020 02 00 00 c000020a 4e20 11 c000020a 4e21")+strings.Repeat("\x00", 13)),
		[]string{"rtp 192.0.2.10:20000/udp anybody", "rtcp 192.0.2.10:20001/udp anybody"},
	},
	{"H.225, where H.245 listens", fromServer("h323", x("03000014 0802 8001 07 00 c6336401 c350 0000 0000")), []string{"h323 198.51.100.1:50000/tcp 192.0.2.10"}},
	{"H.245, another's address", fromClient("h323", x("03000014 02 00 00 c6336401 4e20")+strings.Repeat("\x00", 7)), nil},
	{
		"Skinny", fromClient("skinny", x("14000000 00000000 22000000 00000000 c000020a 10400000 01000000")),
		[]string{"rtp 192.0.2.10:16400/udp anybody", "rtcp 192.0.2.10:16401/udp anybody"},
	},
	{
		"Skinny of a newer phone", fromClient("skinny", x("24000000 16000000 22000000 00000000 00000000 c000020a 00000000 00000000 00000000 10400000 01000000")),
		[]string{"rtp 192.0.2.10:16400/udp anybody", "rtcp 192.0.2.10:16401/udp anybody"},
	},
	{"a protocol that announces nothing", fromClient("http", "PORT 192,0,2,10,200,10\r\n"), nil},
}

func TestAppend(t *testing.T) {
	for _, tt := range cases {
		if diff := cmp.Diff(tt.want, text(Append(nil, &tt.in))); diff != "" {
			t.Errorf("%s, -want +got:\n%s", tt.name, diff)
		}
		for cut := range tt.in.Payload { // each beginning is read without harm
			p := tt.in
			p.Payload = p.Payload[:cut]
			Append(nil, &p)
		}
	}
}

// TestSplit: wherever a sender splits what it announces over two segments of TCP, it
// is heard, if the rest of the first stands before the second.
func TestSplit(t *testing.T) {
	for _, tt := range cases {
		if tt.in.UDP || tt.want == nil {
			continue
		}
		for cut := range tt.in.Payload {
			first, second := tt.in, tt.in
			first.Payload = tt.in.Payload[:cut]
			rest := Rest(first.Protocol, first.Payload)
			second.Payload = append(bytes.Clone(rest), tt.in.Payload[cut:]...)
			got := text(Append(Append(nil, &first), &second))
			for _, want := range tt.want {
				if !slices.Contains(got, want) {
					t.Errorf("%s, split at %d: got %q, want %q", tt.name, cut, got, want)
				}
			}
		}
		if rest := Rest(tt.in.Protocol, tt.in.Payload); len(rest) > 0 && tt.in.Protocol != "sip" {
			t.Errorf("%s: %q is left, want nothing", tt.name, rest)
		}
	}
}

func TestRest(t *testing.T) {
	long := strings.Repeat("x", maxRest+1)
	for _, tt := range []struct{ protocol, in, want string }{
		{"ftp", "200 fine\r\n227 Ent", "227 Ent"},
		{"ftp", long, ""},
		{"rtsp", "", ""},
		{"sip", "BYE sip:b SIP/2.0\r\nContent-Length: 0\r\n\r\nINVITE sip:b SIP/2.0\r\nl : 5\r\n\r\nv=0", "INVITE sip:b SIP/2.0\r\nl : 5\r\n\r\nv=0"},
		{"sip", "INVITE sip:b SIP/2.0\r\nl: 3\r\n\r\nv=0", ""},
		{"h323", x("03000008 02000000 03000008"), x("03000008")},
		{"h323", x("03000008 02000000 03"), x("03")},
		{"h323", "GET /", ""},
		{"skinny", x("0400"), x("0400")},
		{"skinny", x("ffffffff 00000000"), ""},
		{"http", "GET /", ""},
	} {
		if got := string(Rest(tt.protocol, []byte(tt.in))); got != tt.want {
			t.Errorf("%s %q: got %q, want %q", tt.protocol, tt.in, got, tt.want)
		}
	}
}

func TestNothingAnnouncedCostsNothing(t *testing.T) {
	for _, p := range []Packet{
		fromClient("ftp", "RETR file\r\n"), fromServer("sip", "SIP/2.0 200 OK\r\nVia: a\r\n\r\n"),
		fromClient("rtsp", "PLAY rtsp://a RTSP/1.0\r\n\r\n"), fromClient("h323", x("03000008 02000000")),
	} {
		out := make([]Flow, 0, 4)
		if n := testing.AllocsPerRun(20, func() { Append(out, &p); Rest(p.Protocol, p.Payload) }); n != 0 {
			t.Errorf("%s: %v allocations", p.Protocol, n)
		}
	}
}

// FuzzAppend: whatever is sent, only endpoints of the sender's are announced, and
// none of a service.
func FuzzAppend(f *testing.F) {
	protocols := []string{"ftp", "sip", "rtsp", "mgcp", "megaco", "h323", "skinny", "tftp"}
	var seeds [][]byte // the protocol, flags, the payload
	for _, tt := range cases {
		f.Add(tt.in.Protocol, tt.in.UDP, tt.in.From == dissect.Server, tt.in.Client.Is6(), tt.in.Payload)
		for flags := range byte(8) {
			seeds = append(seeds, append([]byte{byte(slices.Index(protocols, tt.in.Protocol)), flags}, tt.in.Payload...))
		}
	}
	fuzztest.Run(f, seeds, func(b []byte) uint64 {
		if len(b) < 2 {
			return 0
		}
		return fuzzAppend(f, protocols[int(b[0])%len(protocols)], b[1]&1 != 0, b[1]&2 != 0, b[1]&4 != 0, b[2:])
	})
	f.Fuzz(func(t *testing.T, protocol string, udp, server, six bool, payload []byte) {
		fuzzAppend(t, protocol, udp, server, six, payload)
	})
}

func fuzzAppend(t testing.TB, protocol string, udp, server, six bool, payload []byte) (outcome uint64) {
	t.Helper()
	p := fromClient(protocol, string(payload))
	p.UDP = udp
	if six {
		p = overIPv6(p)
	}
	if server {
		p.From = dissect.Server
	}
	for _, a := range Append(nil, &p) {
		if a.At.Addr() != p.sender() || a.At.Port() < lowestPort || a.Protocol == "" {
			t.Errorf("announced %+v", a)
		}
		outcome = outcome*31 + uint64(len(a.Protocol)) + uint64(a.At.Port())<<16
	}
	if rest := Rest(protocol, payload); len(rest) > maxRest || !bytes.HasSuffix(payload, rest) {
		t.Errorf("%d bytes are left of %d", len(rest), len(payload))
	}
	return outcome
}
