package stun

import (
	"strings"
	"testing"

	"github.com/netpol/netpol/enforcer/dissect"
	"github.com/netpol/netpol/enforcer/dissect/dissecttest"
	"github.com/netpol/netpol/lang/fact"
)

const (
	// RFC 5769 section 2.1's sample request without its last two attributes:
	// SOFTWARE and PRIORITY.
	request = "\x00\x01\x00\x1c\x21\x12\xa4\x42\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae" +
		"\x80\x22\x00\x10STUN test client" + "\x00\x24\x00\x04\x6e\x00\x01\xff"
	// A binding response with XOR-MAPPED-ADDRESS.
	response = "\x01\x01\x00\x0c\x21\x12\xa4\x42\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae" +
		"\x00\x20\x00\x08\x00\x01\xa1\x47\xe1\x12\xa6\x43"
	// RFC 3489 section 11: a request with CHANGE-REQUEST, and its response
	// with MAPPED-ADDRESS.
	classicRequest  = "\x00\x01\x00\x08abcdefghijklmnop\x00\x03\x00\x04\x00\x00\x00\x06"
	classicResponse = "\x01\x01\x00\x0cabcdefghijklmnop\x00\x01\x00\x08\x00\x01\x12\x34\xc0\x00\x02\x01"
)

const (
	// RFC 6347 section 4.1: an alert, close_notify.
	alert = "\x15\xfe\xfd\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x01\x00"
	// The first fragment of a client hello.
	halfHello = "\x16\xfe\xff\x00\x00\x00\x00\x00\x00\x00\x00\x00\x10\x01\x00\x00\x60\x00\x00\x00\x00\x00\x00\x00\x04\xfe\xfd\x00\x00"
	// An RTP header around its sequence number.
	media = "\x80\x60"
	ticks = "\x00\x00\x10\x00ssrcpayload"
)

var named = fact.Facts{Protocol: "stun"}

// productOf is what a message of one product gives.
func productOf(app string) fact.Facts {
	return fact.Facts{Protocol: "stun", Application: app, By: fact.ByPayload}
}

// allocation is an Allocate request whose first attribute is the one of the
// type, with a value of n bytes.
func allocation(typ string, n int) string {
	return "\x00\x03\x00" + string(rune(n+4)) + "\x21\x12\xa4\x42abcdefghijkl" + typ + "\x00" + string(rune(n)) + strings.Repeat("t", n)
}

// attributed is a binding request with one attribute.
func attributed(typ, value string) string {
	padded := value + strings.Repeat("\x00", -len(value)&3)
	return "\x00\x01\x00" + string(rune(4+len(padded))) + "\x21\x12\xa4\x42abcdefghijkl" + typ + "\x00" + string(rune(len(value))) + padded
}

func cases() []dissecttest.Case {
	udp, tcp, c, s := dissecttest.UDP, dissecttest.TCP, dissecttest.Client[string], dissecttest.Server[string]
	known := []dissecttest.Signed{
		{Where: dissect.STUNRealm, Value: "calls.example", Application: "calls"},
		{Where: dissect.STUNSoftware, Value: "Calls 1", Application: "calls"},
	}
	return []dissecttest.Case{
		{Name: "request", In: udp(3478, c(request)), Result: dissect.Partial, Want: named},
		{Name: "request on any port", In: udp(40000, c(request)), Result: dissect.Partial, Want: named},
		{Name: "response first", In: udp(40000, s(response)), Result: dissect.Partial, Want: named},
		{Name: "message after another kind", In: udp(40000, c("\x00"), c(request)), Result: dissect.Partial, Want: named},
		{Name: "length beyond the datagram", In: udp(3478, c(request[:44])), Result: dissect.NeedMore},
		{Name: "bytes after the message", In: udp(3478, c(request+"\x00\x00\x00\x00")), Result: dissect.NeedMore},
		{Name: "attribute beyond the message", In: udp(3478, c("\x00\x01\x00\x04\x21\x12\xa4\x42abcdefghijkl\x80\x22\x00\x10")), Result: dissect.NeedMore},
		{Name: "classic on its port", In: udp(3478, c(classicRequest)), Result: dissect.Partial, Want: named},
		{Name: "classic elsewhere", In: udp(40000, c(classicRequest)), Result: dissect.NeedMore},
		{Name: "classic elsewhere, answered", In: udp(40000, c(classicRequest), s(classicResponse)), Result: dissect.Partial, Want: named},
		{Name: "classic elsewhere, another's answer", In: udp(40000, c(classicRequest), s("\x01\x01\x00\x00qrstuvwxyz012345")), Result: dissect.NeedMore},
		{Name: "DTLS behind it", In: udp(40000, c(request), s(response), c(alert)), Result: dissect.Match, Want: fact.Facts{Protocol: "dtls"}},
		{Name: "DTLS hello behind it, cut off", In: udp(40000, c(request), c(halfHello), s("x")), Result: dissect.Partial, Want: fact.Facts{Protocol: "dtls"}},
		{Name: "media behind it", In: udp(40000, c(request), s(response), c(media+"\x00\x01"+ticks), s("x"), c(media+"\x00\x02"+ticks)), Result: dissect.Match, Want: fact.Facts{Protocol: "srtp"}},
		{Name: "media behind classic STUN", In: udp(3478, c(classicRequest), c(media+"\x00\x01"+ticks), c(media+"\x00\x02"+ticks)), Result: dissect.Match, Want: fact.Facts{Protocol: "rtp"}},
		{Name: "one packet of media behind it", In: udp(40000, c(request), c(media+"\x00\x01"+ticks)), Result: dissect.Partial, Want: named},
		{Name: "nothing else in nine datagrams", In: udp(40000, c(request), c(request), c(request), c(request), c(request), c(request), c(request), c(request), c(request)), Result: dissect.Match, Want: named},
		{Name: "six of another kind", In: udp(3478, c("a"), c("b"), c("c"), c("d"), c("e"), c("f"), c(request)), Result: dissect.NoMatch},
		{Name: "WhatsApp's allocation", In: udp(40000, c(allocation("\x40\x00", 96))), Result: dissect.Partial, Want: productOf("whatsapp")},
		{Name: "another's allocation", In: udp(40000, c(allocation("\x00\x06", 96))), Result: dissect.Partial, Want: named},
		{Name: "Zoom's attribute", In: udp(40000, c(allocation("\x01\x03", 8))), Result: dissect.Partial, Want: productOf("zoom")},
		{Name: "Microsoft's attribute, behind another", In: udp(40000, c(request), s("\x01\x01\x00\x10\x21\x12\xa4\x42abcdefghijkl\x00\x06\x00\x01u\x00\x00\x00\x80\x70\x00\x04\x00\x00\x00\x02")), Result: dissect.Partial, Want: productOf("microsoft-teams")},
		{Name: "WhatsApp's message", In: udp(40000, c("\x08\x01\x00\x00\x21\x12\xa4\x42abcdefghijkl")), Result: dissect.Partial, Want: productOf("whatsapp")},
		{Name: "Viber's relay", In: udp(40000, c(request), s("\x01\x13\x00\x10\x21\x12\xa4\x42abcdefghijkl\x00\x14\x00\x09viber.com\x00\x00\x00")).Knowing(dissecttest.Signed{Where: dissect.STUNRealm, Value: "viber.com", Application: "viber"}), Result: dissect.Partial, Want: productOf("viber")},
		{Name: "a relay of nobody known", In: udp(40000, c(request), s("\x01\x13\x00\x10\x21\x12\xa4\x42abcdefghijkl\x00\x14\x00\x0bexample.com\x00")), Result: dissect.Partial, Want: named},
		{Name: "WhatsApp over TCP, framed", In: tcp(40000, c("\x00\x20"+allocation("\x40\x02", 8))), Result: dissect.Match, Want: productOf("whatsapp")},
		{Name: "realm", In: udp(40000, c(request), s(attributed("\x00\x14", "calls.example"))).Knowing(known...), Result: dissect.Partial, Want: fact.Facts{Protocol: "stun", Application: "calls", By: fact.ByPayload}},
		{Name: "realm of nobody", In: udp(40000, c(request), s(attributed("\x00\x14", "example"))).Knowing(known...), Result: dissect.Partial, Want: named},
		{Name: "software", In: udp(40000, c(request)).Knowing(known...), Result: dissect.Partial, Want: named},
		{Name: "software of a product", In: udp(40000, c(attributed("\x80\x22", "Calls 1"))).Knowing(known...), Result: dissect.Partial, Want: fact.Facts{Protocol: "stun", Application: "calls", By: fact.ByPayload}},
		{Name: "realm over TCP", In: tcp(3478, c(attributed("\x00\x14", "calls.example"))).Knowing(known...), Result: dissect.Match, Want: fact.Facts{Protocol: "stun", Application: "calls", By: fact.ByPayload}},
		{Name: "realm over TCP, framed", In: tcp(40000, c("\x00\x28"+attributed("\x00\x14", "calls.example"))).Knowing(known...), Result: dissect.Match, Want: fact.Facts{Protocol: "stun", Application: "calls", By: fact.ByPayload}},
		{Name: "over TCP", In: tcp(3478, c(request)), Result: dissect.Match, Want: named},
		{Name: "over TCP, framed", In: tcp(40000, c("\x00\x30"+request)), Result: dissect.Match, Want: named},
		{Name: "over TCP, the server's answer", In: tcp(3478, s(response)), Result: dissect.Match, Want: named},
		{Name: "over TCP, cut by the end", In: tcp(3478, c(request[:30])).Close(), Result: dissect.NoMatch},
	}
}

func TestDissector(t *testing.T) { dissecttest.Run(t, Dissector{}, cases()) }

func FuzzDissector(f *testing.F) { dissecttest.FuzzOne(f, Dissector{}, cases()) }
