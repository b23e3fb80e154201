package evasion

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"
)

// applicationRows are requests and look-ups written otherwise, and TLS where it
// is not expected.
func applicationRows() []Row {
	return []Row{
		{31, "HTTP request written otherwise", requestVariants()},
		{32, "DNS look-up written otherwise", lookupVariants()},
		{33, "TLS where it is not expected", placeVariants()},
	}
}

func requestVariants() []variant {
	http := func(n int, lines ...string) func() *script {
		return func() *script {
			s := newScript().port(80).open().say([]byte(strings.Join(lines, "")+"\r\n"), n)
			return s.answer([]byte("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"))
		}
	}
	const get = "GET / HTTP/1.1\r\n"
	return []variant{
		{"Host cut", found(), http(27, get, "Host: "+Hidden+"\r\n")},
		{"LF only", found(), http(0, "GET / HTTP/1.1\nHost: "+Hidden+"\n")},
		{"spaces", found(), http(0, get, "Host:    "+Hidden+"  \r\n")},
		{"tab", found(), http(0, get, "Host:\t"+Hidden+"\r\n")},
		{"blank lines first", found(), http(0, "\r\n\r\n", get, "Host: "+Hidden+"\r\n")},
		{"hOsT", found(), http(0, get, "hOsT: "+Hidden+"\r\n")},
		{"upper case", found(), http(0, get, "Host: BLOCKED.TEST\r\n")},
		{"absolute URI", found(), http(0, "GET http://"+Hidden+"/ HTTP/1.1\r\n", "Host: "+decoy+"\r\n")},
		{"two Hosts", flagged(), http(0, get, "Host: "+decoy+"\r\n", "Host: "+Hidden+"\r\n")},
		{"one byte a segment", found(), http(1, get, "Host: "+Hidden+"\r\n")},
	}
}

// question is a look-up's (RFC 1035, 4.1.2).
func question(host string) []byte {
	var b []byte
	for label := range strings.SplitSeq(host, ".") {
		b = append(append(b, byte(len(label))), label...)
	}
	return append(b, 0, 0, 1, 0, 1)
}

// lookup is a DNS message with the questions and additional records.
func lookup(additional []byte, questions ...[]byte) []byte {
	b := []byte{0x12, 0x34, 1, 0}
	b = binary.BigEndian.AppendUint16(b, uint16(len(questions)))
	b = append(b, 0, 0, 0, 0, 0, 0)
	if additional != nil {
		b[len(b)-1] = 1
	}
	return append(append(b, slices.Concat(questions...)...), additional...)
}

func lookupVariants() []variant {
	udp := func(message []byte) func() *script {
		return func() *script { return newScript().port(53).udp(message) }
	}
	// A name that begins with a pointer to itself.
	loop := lookup(nil, []byte{0xc0, 12, 0, 1, 0, 1})
	// EDNS (RFC 6891) with padding (RFC 7830).
	edns := slices.Concat([]byte{0, 0, 41, 16, 0, 0, 0, 0, 0, 0, 104, 0, 12, 0, 100}, make([]byte, 100))
	tcp := func() *script {
		m := lookup(nil, question(Hidden))
		s := newScript().port(53).open()
		return s.say([]byte{byte(len(m) >> 8)}, 0).say([]byte{byte(len(m))}, 0).say(m[:20], 0).say(m[20:], 0)
	}
	return []variant{
		{"plain", found(), udp(lookup(nil, question(Hidden)))},
		{"compression loop: no server reads it", Outcome{}, udp(loop)},
		{"TCP, its length cut", found(), tcp},
		{"mixed case", found(), udp(lookup(nil, question("bLoCkEd.tEsT")))},
		{"EDNS padding", found(), udp(lookup(edns, question(Hidden)))},
		{"two questions", found(), udp(lookup(nil, question(Hidden), question(decoy)))},
	}
}

func placeVariants() []variant {
	behind := func(port uint16, steps ...string) func() *script {
		return func() *script { // client and server in turn, the client first
			s := newScript().port(port).open()
			for i, step := range steps {
				if i%2 == 0 && step != "" {
					s.say([]byte(step), 0)
				} else if step != "" {
					s.answer([]byte(step))
				}
			}
			return s.say(plain(), 0).hello()
		}
	}
	proxy2 := "\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c" + string(client4.AsSlice()) + string(server4.AsSlice()) + "\x9c\x40\x01\xbb"
	return []variant{
		{"TLS on 80", found(), behind(80)},
		{"TLS on 12345", found(), behind(12345)},
		{"HTTP on 443", found(), func() *script {
			return newScript().open().say([]byte("GET / HTTP/1.1\r\nHost: "+Hidden+"\r\n\r\n"), 0)
		}},
		{"SSH banner, then TLS", Outcome{Protocol: "ssh"}, func() *script {
			return newScript().open().say([]byte("SSH-2.0-OpenSSH_9.6\r\n"), 0).say(plain(), 0)
		}},
		{"STARTTLS", found(), behind(25, "", "220 mx.test ESMTP\r\n", "EHLO a.test\r\n", "250-mx.test\r\n250 STARTTLS\r\n", "STARTTLS\r\n", "220 go ahead\r\n")},
		{"CONNECT", found(), behind(3128, "CONNECT "+decoy+":443 HTTP/1.1\r\nHost: "+decoy+":443\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n")},
		{"PROXY header", found(), behind(443, "PROXY TCP4 192.0.2.10 198.51.100.20 40000 443\r\n")},
		{"PROXY header, version 2", found(), behind(443, proxy2)},
	}
}

// lifeRows are about what was before the connection.
func lifeRows() []Row {
	midway := func() *script {
		data := record(23, bytes.Repeat([]byte{0x5c}, 300))
		s := newScript().data(5000, data)
		return s.answer(data)
	}
	again := func(ended bool) func() *script {
		return func() *script {
			s := newScript().open().say(record(22, named(decoy)), 0).hello()
			if ended {
				s.end()
			}
			return secondOf(s)
		}
	}
	return []Row{
		{34, "seen midway: the name has passed", []variant{{"", Outcome{Protocol: "tls"}, midway}}},
		{35, "same ports again", []variant{
			{"within TIME_WAIT", found(), again(true)},
			{"of a connection that has not ended", found(), again(false)},
		}},
	}
}

// secondOf goes on with another connection of the same ports, that names the host.
func secondOf(s *script) *script {
	s.sent, s.answered = 0, 0
	first := len(s.frames)
	s.open().say(plain(), 0).hello()
	for i := range s.frames[first:] {
		shiftISN(s.frames[first+i].data)
	}
	return s
}

// shiftISN moves the sequence numbers of a TCP frame on, by the same for both
// sides, and puts the checksum right.
func shiftISN(data []byte) {
	const shift = 0x10000000
	tcp := data[14+20:]
	for _, at := range []int{4, 8} {
		if v := binary.BigEndian.Uint32(tcp[at:]); at == 4 || v != 0 {
			binary.BigEndian.PutUint32(tcp[at:], v+shift)
		}
	}
	binary.BigEndian.PutUint16(tcp[16:], 0)
	sum := ones(pseudo(addr(data[26:30]), addr(data[30:34]), 6, len(tcp)), tcp)
	binary.BigEndian.PutUint16(tcp[16:], sum)
}
