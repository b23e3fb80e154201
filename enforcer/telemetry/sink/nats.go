//go:build sink_nats

package sink

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/netpol/netpol/compiler/artifact"
)

func kindsNATS() []opener {
	return []opener{{kind: artifact.SinkNATS, open: openNATS}}
}

const (
	// natsWindow is how many records may be under way to a stream at once, and how
	// many go to a server without one before it is asked whether it has them.
	natsWindow = 256
	// natsPing is how often a connection is tried on which nothing comes; it is
	// over when two go unanswered.
	natsPing = 10 * time.Second
)

// announcer publishes each record as a message of NATS, or several in one. Without a stream, a
// record is written once the server has read it; with one, once the stream has
// stored it. A connection that breaks is not mended by the library: the runner
// opens the next one, to any of the servers, and gives again what was not
// written.
type announcer struct {
	runner *runner
	conn   *nats.Conn
	stream jetstream.JetStream // nil without a stream
	mail   *letters
	buf    []byte
	gone   chan struct{} // closed with the connection
	dialer natsDialer
	denied chan error // holds the first subject that the user may not publish to
}

func openNATS(r *runner) (target, error) {
	mail, err := newLetters(r, subjectToken)
	if err != nil {
		return nil, err
	}
	a := &announcer{runner: r, mail: mail, gone: make(chan struct{}), denied: make(chan error, 1)}
	options, err := a.options()
	if err != nil {
		return nil, err
	}
	if a.conn, err = nats.Connect(strings.Join(r.sink.Servers, ","), options...); err != nil {
		return nil, natsFault(err, a.dialer.err)
	}
	if r.sink.Stream == "" {
		return a, nil
	}
	if err := a.openStream(); err != nil {
		a.conn.Close()
		return nil, err
	}
	return a, nil
}

func (a *announcer) options() ([]nats.Option, error) {
	s := &a.runner.sink
	out := []nats.Option{
		nats.Name("netpold"), nats.NoReconnect(), nats.Timeout(dialLimit), nats.FlusherTimeout(writeLimit),
		nats.PingInterval(natsPing), nats.MaxPingsOutstanding(2), nats.ErrorHandler(a.noteDenial),
		nats.ClosedHandler(func(*nats.Conn) { close(a.gone) }),
		nats.SetCustomDialer(&a.dialer),
	}
	if s.CAFile+s.CertFile != "" {
		config, err := tlsConfig(s)
		if err != nil {
			return nil, err
		}
		out = append(out, nats.Secure(config))
	}
	password, err := secret(s.PasswordFile)
	if err != nil {
		return nil, err
	}
	token, err := secret(s.TokenFile)
	if err != nil {
		return nil, err
	}
	if s.Username != "" {
		out = append(out, nats.UserInfo(s.Username, password))
	}
	if token != "" {
		out = append(out, nats.Token(token))
	}
	if s.CredentialsFile == "" {
		return out, nil
	}
	identity, err := credentials(s.CredentialsFile)
	return append(out, identity), err
}

// credentials reads a file that has a user's JWT and seed, or the seed of an nkey
// alone.
func credentials(file string) (nats.Option, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	if bytes.Contains(text, []byte("NATS USER JWT")) {
		return nats.UserCredentials(file), nil
	}
	option, err := nats.NkeyOptionFromSeed(file)
	if err != nil {
		return nil, fmt.Errorf("%s holds neither credentials nor the seed of an nkey: %w", file, err)
	}
	return option, nil
}

// natsDialer keeps why a server could not be reached, which the library does not say.
type natsDialer struct{ err error }

func (d *natsDialer) Dial(network, address string) (net.Conn, error) {
	conn, err := net.DialTimeout(network, address, dialLimit)
	if err != nil {
		d.err = err
	}
	return conn, err
}

// natsFault words why a server does not take a connection; unreachable is why the last of
// them could not be reached.
func natsFault(err, unreachable error) error {
	switch {
	case errors.Is(err, nats.ErrNoServers) && unreachable != nil:
		return fmt.Errorf("no server answers: %w", unreachable)
	case errors.Is(err, nats.ErrNoServers):
		return errors.New("no server answers")
	case errors.Is(err, nats.ErrAuthorization), errors.Is(err, nats.ErrAuthExpired):
		return fmt.Errorf("the server does not take the user: %w", err)
	}
	return err
}

// openStream looks whether there is the stream. A user who may publish and
// nothing else may not ask that, and finds out with the first record.
func (a *announcer) openStream() error {
	js, err := jetstream.New(a.conn, jetstream.WithPublishAsyncMaxPending(natsWindow), jetstream.WithPublishAsyncTimeout(writeLimit))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), dialLimit/4)
	defer cancel()
	switch _, err := js.Stream(ctx, a.runner.sink.Stream); {
	case errors.Is(err, jetstream.ErrStreamNotFound):
		return fmt.Errorf("there is no stream %q at %s: create it, with the subjects of %q", a.runner.sink.Stream, a.conn.ConnectedUrlRedacted(), a.mail.topics.text)
	case errors.Is(err, jetstream.ErrJetStreamNotEnabled), errors.Is(err, jetstream.ErrJetStreamNotEnabledForAccount):
		return fmt.Errorf("%s has no JetStream: %w", a.conn.ConnectedUrlRedacted(), err)
	}
	a.stream = js
	return nil
}

// noteDenial is told of each message that the server did not take. Without a
// stream the record is given up; with one it is for write to say.
func (a *announcer) noteDenial(_ *nats.Conn, _ *nats.Subscription, err error) {
	if !errors.Is(err, nats.ErrPermissionViolation) {
		return
	}
	if a.runner.sink.Stream == "" {
		a.runner.failed.Add(1)
	}
	select {
	case a.denied <- err: // the first of a connection
		a.runner.config.Log.Warn("records refused", "sink", *a.runner.name.Load(), "place", a.runner.sink.Place(), "error", err)
	default:
	}
}

// write publishes lines, a window of them at a time.
func (a *announcer) write(lines []byte) (int, error) {
	sent := 0
	for sent < len(lines) {
		list, n, err := a.mail.next(lines[sent:], natsWindow, int(min(a.conn.MaxPayload(), batchMost)))
		switch {
		case err != nil:
		case a.stream == nil:
			n, err = a.publish(list, n)
		default:
			n, err = a.store(list, n)
		}
		if sent += n; err != nil {
			return sent, err
		}
	}
	return sent, nil
}

// publish sends lines to whoever subscribes, and waits until the server has read
// them. What the user may not publish is given up.
func (a *announcer) publish(list []letter, n int) (int, error) {
	for _, one := range list {
		if a.tooLong(one) {
			continue
		}
		if err := a.conn.PublishMsg(a.message(one)); err != nil {
			return 0, err
		}
	}
	if err := a.conn.FlushTimeout(writeLimit); err != nil {
		return 0, err
	}
	return n, nil
}

// tooLong gives up a record that the server takes no message of the size of.
func (a *announcer) tooLong(one letter) bool {
	if int64(len(one.payload)) <= a.conn.MaxPayload() {
		return false
	}
	a.runner.lost(one.records)
	return true
}

// store sends messages of n bytes of records to the stream and waits for its
// acknowledgements; it says how many bytes need not be sent again.
func (a *announcer) store(list []letter, n int) (int, error) {
	acks := make([]jetstream.PubAckFuture, len(list))
	for i, one := range list {
		if a.tooLong(one) {
			continue
		}
		var err error
		if acks[i], err = a.stream.PublishMsgAsync(a.message(one), jetstream.WithMsgID(a.messageID(one.records)), jetstream.WithExpectStream(a.runner.sink.Stream)); err != nil {
			return 0, err
		}
	}
	limit := time.After(writeLimit)
	errs := make([]error, 0, len(list))
	for i, ack := range acks {
		err := a.await(ack, limit)
		if errors.Is(err, jetstream.ErrStreamMessageExceedsMaximum) {
			a.runner.lost(list[i].records)
			err = nil
		}
		if errs = append(errs, err); err != nil {
			break
		}
	}
	return a.mail.done(list, n, errs)
}

// await waits for the acknowledgement of a record, which is nil for one that was
// not sent.
func (a *announcer) await(ack jetstream.PubAckFuture, limit <-chan time.Time) error {
	if ack == nil {
		return nil
	}
	select {
	case <-ack.Ok():
		return nil
	case err := <-ack.Err():
		if errors.Is(err, nats.ErrNoResponders) || errors.Is(err, jetstream.ErrNoStreamResponse) {
			return fmt.Errorf("no stream takes the subject %q", ack.Msg().Subject)
		}
		return fmt.Errorf("subject %q: %w", ack.Msg().Subject, err)
	case err := <-a.denied:
		return err
	case <-a.gone:
		return errors.New("the connection is lost")
	case <-limit:
		return errors.New("the stream does not acknowledge in time")
	}
}

func (a *announcer) message(one letter) *nats.Msg {
	media, encoding := a.mail.content()
	header := nats.Header{"Content-Type": []string{media}}
	if encoding != "" {
		header.Set("Content-Encoding", encoding)
	}
	return &nats.Msg{Subject: one.topic, Data: one.payload, Header: header}
}

// messageID is the same for records that are sent again, so that a stream stores
// it once (Nats-Msg-Id), and another for those of other routers.
func (a *announcer) messageID(records []byte) string {
	a.buf = append(append(a.buf[:0], a.mail.topics.router...), records...)
	sum := sha256.Sum256(a.buf)
	return hex.EncodeToString(sum[:16])
}

// subjectToken makes a word fit for one token of a subject: without white space,
// periods and wildcards.
func subjectToken(s string) string {
	return strings.Map(func(r rune) rune {
		if r <= ' ' || r == '.' || r == '*' || r == '>' {
			return '_'
		}
		return r
	}, s)
}

func (a *announcer) close() error {
	a.conn.Close()
	return nil
}
