package bittorrent

import (
	"strings"
	"testing"

	"github.com/netpol/netpol/enforcer/dissect"
	"github.com/netpol/netpol/enforcer/dissect/dissecttest"
	"github.com/netpol/netpol/lang/fact"
)

const (
	hello = handshake + "\x00\x00\x00\x00\x00\x10\x00\x05" + "\x01\x23\x45\x67\x89\xab\xcd\xef\x01\x23\x45\x67\x89\xab\xcd\xef\x01\x23\x45\x67" + "-NP0001-abcdefghijkl"
	hash  = "0123456789abcdef0123456789abcdef01234567"
	// uTP (BEP 29): type and version, extension, connection, timestamp,
	// difference, window, sequence, acknowledgement.
	syn       = "\x41\x00\x10\x00\x01\x02\x03\x04\x00\x00\x00\x00\x00\x10\x00\x00\x00\x01\x00\x00"
	synRandom = "\x41\x00\x10\x00\x01\x02\x03\x04\x00\x00\x00\x00\x00\x10\x00\x00\x77\x01\x00\x00"
	state     = "\x21\x00\x10\x00\x01\x02\x03\x05\x00\x00\x00\x09\x00\x10\x00\x00\x20\x00\x77\x01"
	dataOut   = "\x01\x00\x10\x01\x01\x02\x03\x06\x00\x00\x00\x09\x00\x10\x00\x00\x77\x05\x20\x03"
	dataIn    = "\x01\x00\x10\x00\x01\x02\x03\x07\x00\x00\x00\x09\x00\x10\x00\x00\x20\x04\x77\x05"
)

func cases() []dissecttest.Case {
	udp, tcp, c, s := dissecttest.UDP, dissecttest.TCP, dissecttest.Client[string], dissecttest.Server[string]
	match, more, no := dissect.Match, dissect.NeedMore, dissect.NoMatch
	named := fact.Facts{Protocol: "bittorrent"}
	hashed := fact.Facts{Protocol: "bittorrent", BTInfoHash: hash}
	many := make([]dissecttest.Packet, maxLooks)
	for i := range many {
		many[i] = c("something else")
	}
	return []dissecttest.Case{
		{Name: "handshake", In: tcp(6881, c(hello)), Result: match, Want: hashed},
		{Name: "handshake on port 443", In: tcp(443, c(hello)), Result: match, Want: hashed},
		{Name: "handshake of the answering side", In: tcp(6881, s(hello)), Result: match, Want: hashed},
		{Name: "handshake without its hash yet", In: tcp(6881, c(hello[:30])), Result: dissect.Partial, Want: named},
		{Name: "handshake without its hash for ever", In: tcp(6881, c(hello[:30])).Close(), Result: match, Want: named},
		{Name: "beginning of a handshake", In: tcp(6881, c(hello[:10])), Result: more},
		{Name: "other text of that length", In: tcp(6881, c("\x13BitTorrent protox"), s("\x13")).Close(), Result: no},
		{Name: "other text while the server is silent", In: tcp(6881, c("\x13BitTorrent protox")), Result: more},
		{Name: "DHT query", In: udp(6881, c("d1:ad2:id20:abcdefghij01234567899:info_hash20:mnopqrstuvwxyz123456e1:q9:get_peers1:t2:aa1:y1:qe")), Result: match, Want: named},
		{Name: "DHT response", In: udp(40000, s("d1:rd2:id20:0123456789abcdefghije1:t2:aa1:y1:re")), Result: match, Want: named},
		{Name: "DHT response of BEP 42", In: udp(40000, s("d2:ip6:\x01\x02\x03\x04\x05\x061:rd2:id20:0123456789abcdefghije1:t2:aa1:y1:re")), Result: match, Want: named},
		{Name: "DHT error", In: udp(40000, s("d1:eli201e23:A Generic Error Ocurrede1:t2:aa1:y1:ee")), Result: match, Want: named},
		{Name: "another bencoded dictionary", In: udp(40000, s("d1:ai1e1:bi2e1:y3:noee")), Result: more},
		{Name: "local service discovery", In: udp(6771, c("BT-SEARCH * HTTP/1.1\r\nHost: 239.192.152.143:6771\r\nPort: 6881\r\n\r\n")), Result: match, Want: named},
		{Name: "tracker connect", In: udp(6969, c("\x00\x00\x04\x17\x27\x10\x19\x80\x00\x00\x00\x00abcd")), Result: match, Want: named},
		{Name: "tracker connect with bytes behind it", In: udp(6969, c("\x00\x00\x04\x17\x27\x10\x19\x80\x00\x00\x00\x00abcdefgh")), Result: more},
		{Name: "uTP connect", In: udp(40000, c(syn)), Result: match, Want: named},
		{Name: "uTP connect, random sequence", In: udp(40000, c(synRandom)), Result: more},
		{Name: "uTP connect, random sequence, answered", In: udp(40000, c(synRandom), s(state)), Result: match, Want: named},
		{Name: "uTP connect, answer to another", In: udp(40000, c(synRandom), s(state[:18]+"\x00\x01")), Result: more},
		{Name: "uTP in its middle", In: udp(40000, c(dataOut+"abc"), s(dataIn+"def")), Result: match, Want: named},
		{Name: "uTP in its middle, another connection", In: udp(40000, c(dataOut+"abc"), s(strings.Replace(dataIn, "\x10\x00", "\x55\x00", 1)+"def")), Result: more},
		{Name: "uTP in its middle, one side", In: udp(40000, c(dataOut+"abc"), c(dataOut+"abc")), Result: more},
		{Name: "handshake in uTP", In: udp(40000, c(dataOut+hello)), Result: match, Want: hashed},
		{Name: "uTP extension beyond its end", In: udp(40000, c("\x21\x01"+state[2:]+"\x00\x08abcd"), s(dataIn)), Result: more},
		{Name: "after many of another kind", In: udp(6881, append(many, c(syn))...), Result: no},
	}
}

func TestDissector(t *testing.T) { dissecttest.Run(t, Dissector{}, cases()) }

func FuzzDissector(f *testing.F) { dissecttest.FuzzOne(f, Dissector{}, cases()) }
