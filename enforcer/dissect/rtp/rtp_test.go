package rtp

import (
	"encoding/binary"
	"strings"
	"testing"

	"github.com/netpol/netpol/enforcer/dissect"
	"github.com/netpol/netpol/enforcer/dissect/dissecttest"
	"github.com/netpol/netpol/lang/fact"
)

// packet is an RTP packet of 20 ms of G.711 (RFC 3551 section 4.5.14).
func packet(payloadType byte, sequence uint16, timestamp, ssrc uint32) string {
	b := []byte{0x80, payloadType}
	b = binary.BigEndian.AppendUint16(b, sequence)
	b = binary.BigEndian.AppendUint32(b, timestamp)
	b = binary.BigEndian.AppendUint32(b, ssrc)
	return string(b) + strings.Repeat("\xd5", 160)
}

const (
	// RFC 3550 sections 6.4.1, 6.4.2 and 6.5: reports without blocks, and SDES.
	senderReport   = "\x80\xc8\x00\x06ssrcntpsntpfrtpscontocts"
	receiverReport = "\x80\xc9\x00\x01ssrc"
	description    = "\x81\xca\x00\x02ssrc\x01\x01a\x00"
	block          = "srceloss" + "high" + "jitt" + "last" + "dela"
)

func cases() []dissecttest.Case {
	udp, c, s := dissecttest.UDP, dissecttest.Client[string], dissecttest.Server[string]
	media, report := fact.Facts{Protocol: "rtp"}, fact.Facts{Protocol: "rtcp"}
	a, b := packet(8, 65535, 1000, 7), packet(8, 0, 1160, 7)
	extended := "\x90" + a[1:12] + "\xbe\xde\x00\x01abcd" + a[12:]
	yes := func(name string, want fact.Facts, in dissecttest.Flow) dissecttest.Case {
		return dissecttest.Case{Name: name, In: in, Result: dissect.Match, Want: want}
	}
	unsure := func(name string, in dissecttest.Flow) dissecttest.Case {
		return dissecttest.Case{Name: name, In: in, Result: dissect.NeedMore}
	}
	return []dissecttest.Case{
		yes("two packets", media, udp(16384, c(a), c(b))),
		yes("two packets of the server", media, udp(16384, s(a), s(b))),
		yes("source 0", media, udp(16384, c(packet(8, 1, 160, 0)), c(packet(8, 2, 320, 0)))),
		yes("one lost", media, udp(16384, c(a), c(packet(8, 1, 1320, 7)))),
		yes("video: one frame, two packets", media, udp(16384, c(packet(96, 1, 9000, 7)), c(packet(96|0x80, 2, 9000, 7)))),
		yes("comfort noise after speech", media, udp(16384, c(a), c(packet(13, 0, 1160, 7)))),
		yes("header extension", media, udp(16384, c(extended), c(b))),
		yes("after another kind", media, udp(16384, c("\x00"), c(a), s("x"), c(b))),
		unsure("one packet", udp(16384, c(a))),
		unsure("one packet of each side", udp(16384, c(a), s(b))),
		unsure("twice the same", udp(16384, c(a), c(a))),
		unsure("another source", udp(16384, c(a), c(packet(8, 0, 1160, 8)))),
		unsure("far apart", udp(16384, c(a), c(packet(8, 4000, 1160, 7)))),
		unsure("time that goes back", udp(16384, c(b), c(packet(8, 1, 1159, 7)))),
		unsure("version 1", udp(16384, c("\x40"+a[1:]), c("\x40"+b[1:]))),
		unsure("extension beyond the packet", udp(16384, c("\x90"+a[1:12]+"\xbe\xde\x01\x00"), c("\x90"+b[1:12]+"\xbe\xde\x01\x00"))),
		unsure("payload types of RTCP", udp(16384, c("\x80\xc8"+a[2:]), c("\x80\xc8"+b[2:]))),
		yes("sender report", report, udp(16385, c(senderReport))),
		yes("sender report and description", report, udp(16385, c(senderReport+description))),
		yes("receiver report with a block", report, udp(16385, c("\x81\xc9\x00\x07ssrc"+block))),
		yes("empty receiver report and description", report, udp(16385, c(receiverReport+description))),
		unsure("empty receiver report alone", udp(16385, c(receiverReport))),
		unsure("bytes behind the report", udp(16385, c(senderReport+"\x00\x00"))),
		unsure("more blocks than there is room for", udp(16385, c("\x85\xc9\x00\x07ssrc"+block))),
		yes("over TCP", media, dissecttest.TCP(5000, c("\x00\xac"+a+"\x00\xac"+b))),
		unsure("over TCP, one packet", dissecttest.TCP(5000, c("\x00\xac"+a))),
		{Name: "over TCP, another source", In: dissecttest.TCP(5000, c("\x00\xac"+a+"\x00\xac"+packet(8, 0, 1160, 8))).Close(), Result: dissect.NoMatch},
		{Name: "over TCP, cut by the end", In: dissecttest.TCP(5000, c("\x00\xac"+a+"\x00")).Close(), Result: dissect.NoMatch},
		{Name: "eight of another kind", In: udp(9, c("a"), c("b"), c("c"), c("d"), c("e"), c("f"), c("g"), c("h"), c(a), c(b)), Result: dissect.NoMatch},
	}
}

func TestDissector(t *testing.T) { dissecttest.Run(t, Dissector{}, cases()) }

func FuzzDissector(f *testing.F) { dissecttest.FuzzOne(f, Dissector{}, cases()) }
