package evasion

import (
	"bytes"
	"slices"
)

// over is the connection that says data, and a server that answers.
func over(data []byte) func() *script {
	return func() *script { return newScript().open().say(data, 0).hello() }
}

// recordRows cut the hello into records, or put others before it.
func recordRows() []Row {
	message := named(Hidden)
	long := func(n int) []byte { // the name comes last
		return records(clientHello(versions(), padding(n), sni(Hidden)), 16000)
	}
	huge := records(clientHello(versions(), padding(30000), padding(30000), sni(Hidden)), 16000)
	shuffled := func() *script {
		data := records(message, 30)
		var pieces [][2]int
		for from := 0; from < len(data); from += 17 {
			pieces = append(pieces, [2]int{from, min(from+17, len(data))})
		}
		s := newScript().open()
		for i := range pieces {
			p := pieces[i^1%len(pieces)]
			if i^1 >= len(pieces) {
				p = pieces[i]
			}
			s.data(p[0], data[p[0]:p[1]])
		}
		return s.hello()
	}
	return []Row{
		{16, "hello in two records", []variant{{"", found(), over(records(message, bytes.Index(message, []byte(Hidden))+4))}}},
		{17, "records of one byte", []variant{{"", found(), over(records(message, 1))}}},
		{18, "records, segments and order", []variant{{"", found(), shuffled}}},
		{19, "long hello", []variant{
			{"16 KiB", found(), over(long(16 << 10))},
			{"30 KiB", found(), over(long(30 << 10))},
			{"60 KiB", flagged(), over(huge)},
		}},
		{20, "another record first", []variant{
			{"change cipher spec", found(), over(slices.Concat(record(20, []byte{1}), plain()))},
			{"alert", found(), over(slices.Concat(record(21, []byte{1, 0}), plain()))},
			{"empty handshake", found(), over(slices.Concat(record(22, nil), plain()))},
		}},
	}
}

// nameRows write the name in another way, or none.
func nameRows() []Row {
	hello := func(hosts ...string) func() *script {
		return over(record(22, clientHello(sni(hosts...), versions())))
	}
	twice := over(record(22, clientHello(sni(decoy), sni(Hidden), versions())))
	retry := func() *script {
		s := newScript().open().say(record(22, named(decoy)), 0)
		s.answer(record(22, serverHello(0x0303, 0x1301, []byte(retryRandom))))
		return s.say(plain(), 0).hello()
	}
	ech := extension(0xfe0d, make([]byte, 200))
	return []Row{
		{21, "name written otherwise", []variant{
			{"upper case", found(), hello("BLOCKED.Test")},
			{"trailing dot", found(), hello(Hidden + ".")},
			{"address", Outcome{Host: "192.0.2.7"}, hello("192.0.2.7")},
			{"not ASCII", flagged(), hello("bl\xc3\xb6cked.test")},
			{"NUL inside", flagged(), hello("innocent.test\x00." + Hidden)},
			{"empty", flagged(), hello("")},
			{"two names", flagged(), hello(decoy, Hidden)},
			{"two extensions", flagged(), twice},
		}},
		{22, "other name after a retry", []variant{{"", flagged(), retry}}},
		{23, "encrypted hello", []variant{
			{"or GREASE: they look alike", Outcome{Host: "outer.test", ECH: true}, over(record(22, clientHello(sni("outer.test"), ech, versions())))},
		}},
		{24, "no name, known certificate", []variant{{"", found(), func() *script {
			s := newScript().open().say(record(22, clientHello(alpn("h2"))), 0)
			return s.answer(slices.Concat(record(22, serverHello(0x0303, 0xc02f, nil)), record(22, certificate(Hidden)), record(22, []byte{14, 0, 0, 0})))
		}}}},
		{25, "fronting: a limit, only the outer name shows", []variant{{"", Outcome{Host: decoy}, over(record(22, named(decoy)))}}},
	}
}
