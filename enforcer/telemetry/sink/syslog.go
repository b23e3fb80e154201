package sink

import (
	"bytes"
	"errors"
	"net"
	"os"
	"strconv"
	"syscall"
	"time"
)

const (
	// dialLimit is how long a connection may take to come about.
	dialLimit = 10 * time.Second
	// Severities (RFC 5424, section 6.2.1).
	severityNotice, severityInfo = 5, 6
)

// syslog sends each record as a message of RFC 5424, whose text is the record's
// JSON: a datagram, or on TCP and TLS with its length before it (RFC 6587, 3.4.1; RFC
// 5425, 4.3).
type syslog struct {
	runner *runner
	conn   net.Conn
	framed bool
	host   string
	buf    []byte
	msg    []byte
}

func dialSyslog(r *runner) (target, error) {
	transport, address := r.sink.Transport, r.sink.Address
	if transport == "unix" {
		transport, address = "unixgram", r.sink.Path
	}
	conn, err := r.dial(transport, address)
	if err != nil {
		return nil, err
	}
	host, err := os.Hostname()
	if err != nil || host == "" {
		host = "-" // NILVALUE
	}
	return &syslog{runner: r, conn: conn, framed: transport == "tcp" || transport == "tls", host: host}, nil
}

// write sends lines. Datagrams that are too long for their network are given up.
func (s *syslog) write(lines []byte) (int, error) {
	if err := s.conn.SetWriteDeadline(time.Now().Add(writeLimit)); err != nil {
		return 0, err
	}
	if s.framed {
		s.buf = s.buf[:0]
		for line := range bytes.Lines(lines) {
			msg := s.message(line)
			s.buf = append(strconv.AppendInt(s.buf, int64(len(msg)), 10), ' ')
			s.buf = append(s.buf, msg...)
		}
		if _, err := s.conn.Write(s.buf); err != nil {
			return 0, err // nobody knows what of it arrived
		}
		return len(lines), nil
	}
	sent := 0
	for line := range bytes.Lines(lines) {
		switch _, err := s.conn.Write(s.message(line)); {
		case errors.Is(err, syscall.EMSGSIZE):
			s.runner.lost(line)
		case err != nil:
			return sent, err
		}
		sent += len(line)
	}
	return sent, nil
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
	s.msg = append(b, bytes.TrimRight(line, "\n")...)
	return s.msg
}

func (s *syslog) close() error { return s.conn.Close() }
