package zoom

import (
	"strings"
	"testing"

	"github.com/netpol/netpol/enforcer/dissect"
	"github.com/netpol/netpol/enforcer/dissect/dissecttest"
	"github.com/netpol/netpol/lang/fact"
)

// Datagrams laid out as doc.go tells, with values of the test's own.
var (
	session   = "SESSIONsession16"
	helloText = "\x01\x00\x02" + session + "\x00\x00\x00\x00" + "\x00\x00\x00\x02" + "\x00\x11\x22\x33" + "\x00\x11\x22\x33" +
		"\x00\x00\x00\x40" + strings.Repeat("k", 64) + "\x00\x00\x00\x00"
	welcomeText = "\x02\x00\x01" + session + "\x00\xaa\xbb\xcc" + "\x00\x11\x22\x33" + "\x00\x00\x00\x00\x00\x00\x00\x00"
	ping        = "\x03\x00\x00\x00\x01\x12\x34\x56\x78\x00\xaa\xbb\xcc"
	pong        = "\x04" + ping[1:]
	server      = "\x05\x00\x01\x00\xaa\xbb\xcc\x04" // server encapsulation, 8 bytes
	fillerText  = "\x15\x01\x00\x00\x00\x00\x02\x03\x00\x33\x01\x0d\x04\x00\x01\x12\x34\x56\x78\x00\x00\x00\x03\xe8\x00\x00\x00\x00" +
		strings.Repeat("\x01", 100)
	probeText = "\x1f\x02\x01\x00\x08\x00\x01\x00\x04\x00\x01\x02\x03\x04\x00\x00\x00\x07\x00\x00\x00\x62\xb8\xd0" +
		"\x00\x00\x00\x0a" + "192.0.2.77" + "\x00\x00\x00\x24" + "01234567-89AB-CDEF-0123-456789ABCDEF" + "\x00\x00\x00\x00\x01"
	rtcpText = "\x22\x01\x00\xfb\x90\x16\x10\x00\x00\x00\x00\x00\x00\x00\x00\x00" +
		"\x80\xc8\x00\x06\x01\x00\x08\x02" + strings.Repeat("n", 20)
)

// audio and video are media encapsulations around RTP.
func audio(sequence byte) string {
	return "\x0f\x01\x00\xfb\x90\x16\x11\x04\x03\x00" + string(sequence) + "\x49\x09\xb6\x4c\x00\x01\x00\x48" + rtp(113, sequence)
}

func video(sequence byte) string {
	return "\x10\x01\x00\xfb\x90\x1c\x18\x0c\x03\x00" + string(sequence) + "\x49\x09\xb5\xf2\x00\x00\x00\x00\x00\x02\x01\x0a\x10" + rtp(98, sequence)
}

func rtp(payloadType, sequence byte) string {
	return "\x90" + string([]byte{payloadType, 7, sequence}) + "\x00\x11\xd8\x10\x01\x00\x08\x02" + strings.Repeat("x", 30)
}

func cases() []dissecttest.Case {
	udp, c, s := dissecttest.UDP, dissecttest.Client[string], dissecttest.Server[string]
	match, more := dissect.Match, dissect.NeedMore
	named := fact.Facts{Protocol: "zoom-media"}
	many := make([]dissecttest.Packet, maxLooks)
	for i := range many {
		many[i] = c("something else of some length")
	}
	return []dissecttest.Case{
		{Name: "hello", In: udp(8801, c(helloText)), Result: match, Want: named},
		{Name: "hello on another port", In: udp(40000, c(helloText)), Result: match, Want: named},
		{Name: "hello with an opaque part beyond its end", In: udp(8801, c(helloText[:60])), Result: more},
		{Name: "hello whose timestamps differ", In: udp(8801, c(strings.Replace(helloText, "\x00\x11\x22\x33", "\x00\x11\x22\x34", 1))), Result: more},
		{Name: "welcome first, on the port", In: udp(8801, s(welcomeText)), Result: match, Want: named},
		{Name: "welcome first, elsewhere", In: udp(40000, s(welcomeText)), Result: more},
		{Name: "ping on the port", In: udp(8805, s(ping)), Result: match, Want: named},
		{Name: "ping elsewhere", In: udp(40000, s(ping)), Result: more},
		{Name: "ping and pong elsewhere", In: udp(40000, s(ping), c(pong)), Result: match, Want: named},
		{Name: "ping and another pong elsewhere", In: udp(40000, s(ping), c(pong[:12]+"\x00")), Result: more},
		{Name: "audio on the port", In: udp(8801, c(server+audio(1))), Result: match, Want: named},
		{Name: "audio of an older client", In: udp(8801, c("\x05"+audio(1))), Result: match, Want: named},
		{Name: "video elsewhere, one packet", In: udp(40000, c(server+video(1))), Result: more},
		{Name: "video elsewhere, two packets", In: udp(40000, c(server+video(1)), c(server+video(2))), Result: match, Want: named},
		{Name: "audio between participants", In: udp(40000, c(audio(1)), s(audio(9)), c(audio(2))), Result: match, Want: named},
		{Name: "the same packet twice", In: udp(40000, c(audio(1)), c(audio(1))), Result: more},
		{Name: "sequence far apart", In: udp(40000, c(audio(1)), c(audio(200))), Result: more},
		{Name: "filler", In: udp(40000, c(fillerText)), Result: match, Want: named},
		{Name: "filler through a server", In: udp(40000, c("\x05"+fillerText)), Result: match, Want: named},
		{Name: "filler of two values", In: udp(40000, c(fillerText[:60]+"\x02"+fillerText[61:])), Result: more},
		{Name: "probe", In: udp(40000, c(probeText)), Result: match, Want: named},
		{Name: "probe of no address", In: udp(40000, c(strings.Replace(probeText, "192.0.2.77", "host.local", 1))), Result: more},
		{Name: "RTCP on the port", In: udp(8801, c("\x05"+rtcpText)), Result: match, Want: named},
		{Name: "RTCP beyond its end", In: udp(8801, c("\x05"+rtcpText[:30])), Result: more},
		{Name: "after many of another kind", In: udp(8801, append(many, c(helloText))...), Result: dissect.NoMatch},
	}
}

func TestDissector(t *testing.T) { dissecttest.Run(t, Dissector{}, cases()) }

func FuzzDissector(f *testing.F) { dissecttest.FuzzOne(f, Dissector{}, cases()) }
