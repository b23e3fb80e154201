package sink

import (
	"os"
	"strconv"
	"time"
)

const (
	// dialLimit is how long a connection may take to come about.
	dialLimit = 10 * time.Second
	// Severities (RFC 5424, section 6.2.1).
	severityNotice, severityInfo = 5, 6
)

// syslog makes each record a message of RFC 5424, whose text is the record's JSON.
type syslog struct {
	runner *runner
	conn   *arrival // of TCP and TLS
	host   string
	buf    []byte
	msg    []byte
}

func dialSyslog(r *runner) (target, error) {
	s := &syslog{runner: r, host: "-"} // NILVALUE
	if host, err := os.Hostname(); err == nil && host != "" {
		s.host = host
	}
	switch r.sink.Transport {
	case "unix":
		return r.dialDatagrams("unixgram", r.sink.Path, s.message)
	case "udp":
		return r.dialDatagrams("udp", r.sink.Address, s.message)
	}
	conn, err := r.dial(r.sink.Transport, r.sink.Address)
	if err != nil {
		return nil, err
	}
	s.conn = newArrival(conn)
	return s, nil
}

// write sends messages with their lengths before them (RFC 6587, 3.4.1; on TLS RFC
// 5425, 4.3).
func (s *syslog) write(lines []byte) (int, error) {
	s.buf = s.buf[:0]
	for line := range s.runner.each(lines) {
		msg := s.message(line)
		s.buf = append(strconv.AppendInt(s.buf, int64(len(msg)), 10), ' ')
		s.buf = append(s.buf, msg...)
	}
	if _, err := s.conn.Write(s.buf); err != nil {
		return 0, err // nobody knows what of it arrived
	}
	return len(lines), nil
}

// message is a record as a message: <PRI>1 TIMESTAMP HOST APP-NAME PROCID MSGID SD
// MSG. It is valid until the next one.
func (s *syslog) message(line []byte) []byte {
	kind, at := headOf(line)
	severity := severityInfo
	if kind == "policy_match" {
		severity = severityNotice
	}
	b := append(s.msg[:0], '<')
	b = strconv.AppendInt(b, int64(s.runner.sink.Facility*8+severity), 10)
	b = append(b, ">1 "...)
	b = at.UTC().AppendFormat(b, "2006-01-02T15:04:05.000Z")
	b = append(append(append(b, ' '), s.host...), " netpold "...)
	b = strconv.AppendInt(b, int64(os.Getpid()), 10)
	b = append(append(append(b, ' '), kind...), " - "...)
	s.msg = append(b, s.runner.bare(line)...)
	return s.msg
}

func (s *syslog) close() error { return s.conn.Close() }
