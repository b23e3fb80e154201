package sink

import (
	"errors"
	"net"
	"syscall"
	"time"
)

// datagrams sends each record as a datagram of its own. What is too long for one
// (65,507 bytes on UDP over IPv4) is given up; what the network loses nobody knows.
type datagrams struct {
	runner *runner
	conn   net.Conn
	pace   *pacer // nil where the receiver lets the sender wait
	// message makes a datagram of a record.
	message func(record []byte) []byte
}

func dialUDP(r *runner) (target, error) {
	return r.dialDatagrams("udp", r.sink.Address, r.bare)
}

func dialUnixgram(r *runner) (target, error) {
	return r.dialDatagrams("unixgram", r.sink.Path, r.bare)
}

func (r *runner) dialDatagrams(transport, address string, message func([]byte) []byte) (target, error) {
	conn, err := r.dial(transport, address)
	if err != nil {
		return nil, err
	}
	d := &datagrams{runner: r, conn: conn, message: message}
	if transport == "udp" {
		d.pace = new(pacer)
	}
	return d, nil
}

func (d *datagrams) write(records []byte) (int, error) {
	sent := 0
	for one := range d.runner.each(records) {
		if d.pace != nil {
			d.pace.wait()
		}
		if err := d.conn.SetWriteDeadline(time.Now().Add(writeLimit)); err != nil {
			return sent, err
		}
		switch _, err := d.conn.Write(d.message(one)); {
		case errors.Is(err, syscall.EMSGSIZE):
			d.runner.lost(one)
		case err != nil:
			return sent, err
		}
		sent += len(one)
	}
	return sent, nil
}

func (d *datagrams) close() error { return d.conn.Close() }
