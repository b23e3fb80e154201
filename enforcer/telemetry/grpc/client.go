package grpc

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	contentType = "application/grpc"
	// prefixBytes are before each message: whether it is compressed, and its length.
	prefixBytes = 5
	// maxReply bounds what is read of an answer, compressed and not.
	maxReply = 64 << 10
)

// Config is whom a Client calls, and how.
type Config struct {
	URL  *url.URL    // https with TLS, http without; its host and port count
	TLS  *tls.Config // of https
	Time time.Duration
	// Header are the metadata of each call.
	Header http.Header
	// Encoding is what messages are compressed by, as grpc-encoding has it, and Pack does
	// it; empty for nothing. A result is used before the next call.
	Encoding string
	Pack     func([]byte) ([]byte, error)
	// Unpack reads what a server has compressed by one of Accepts.
	Unpack  func(encoding string, in io.Reader) (io.Reader, error)
	Accepts []string
}

// Client calls a server, one call at a time. Its connection comes about with the first
// call, and anew when it breaks. The caller must Close it.
type Client struct {
	config    Config
	client    http.Client
	transport *http.Transport
	limit     string // of a call, as grpc-timeout has it
}

// New makes a client.
func New(c Config) *Client {
	var protocols http.Protocols
	transport := &http.Transport{Protocols: &protocols, MaxIdleConns: 1} // kept until Close: records may come once a minute
	if c.URL.Scheme == "https" {
		protocols.SetHTTP2(true)
		transport.Proxy = http.ProxyFromEnvironment // by CONNECT; there is no such thing without TLS
		transport.TLSClientConfig = withHTTP2(c.TLS)
	} else {
		protocols.SetUnencryptedHTTP2(true)
	}
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Client{
		config: c, transport: transport, limit: fmt.Sprintf("%dm", c.Time.Milliseconds()),
		client: http.Client{Transport: transport, Timeout: c.Time, CheckRedirect: stay},
	}
}

var errNoHTTP2 = errors.New("the server does not speak HTTP/2, which gRPC needs")

// withHTTP2 refuses a server that does not agree to HTTP/2 before it is sent anything:
// net/http would go on with HTTP/1.1.
func withHTTP2(c *tls.Config) *tls.Config {
	out := &tls.Config{}
	if c != nil {
		out = c.Clone()
	}
	out.VerifyConnection = func(s tls.ConnectionState) error {
		if s.NegotiatedProtocol != "h2" {
			return errNoHTTP2
		}
		return nil
	}
	return out
}

// Call makes a call: method is "/service/method", message the request's. After an error
// nobody knows what became of it, otherwise the status says. The reply is nil where it
// cannot be read, which does not make less of a success.
func (c *Client) Call(method string, message []byte) (reply []byte, _ Status, _ error) {
	body, err := c.frame(message)
	if err != nil {
		return nil, Status{}, err
	}
	to := url.URL{Scheme: c.config.URL.Scheme, Host: c.config.URL.Host, Path: method}
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, to.String(), bytes.NewReader(body))
	if err != nil {
		return nil, Status{}, err
	}
	c.describe(req)
	got, err := c.client.Do(req)
	if err != nil {
		return nil, Status{}, c.explain(err)
	}
	defer got.Body.Close()
	return c.outcome(got)
}

// describe sets the headers of a call: the caller's, and in place of those the protocol's.
func (c *Client) describe(req *http.Request) {
	if req.Header = c.config.Header.Clone(); req.Header == nil {
		req.Header = http.Header{}
	}
	for name, value := range map[string]string{
		"Content-Type": contentType, "Te": "trailers", "Grpc-Timeout": c.limit, "Grpc-Encoding": c.config.Encoding,
		"Grpc-Accept-Encoding": strings.Join(c.config.Accepts, ","),
	} {
		req.Header.Del(name)
		if value != "" {
			req.Header.Set(name, value)
		}
	}
}

// frame is a message with its prefix.
func (c *Client) frame(message []byte) ([]byte, error) {
	var packed byte
	if c.config.Encoding != "" {
		var err error
		if message, err = c.config.Pack(message); err != nil {
			return nil, err
		}
		packed = 1
	}
	out := make([]byte, prefixBytes, prefixBytes+len(message))
	out[0] = packed
	binary.BigEndian.PutUint32(out[1:], uint32(len(message)))
	return append(out, message...), nil
}

// outcome reads an answer: its message, and the status, which comes after that or with
// the headers.
func (c *Client) outcome(got *http.Response) ([]byte, Status, error) {
	body, err := io.ReadAll(io.LimitReader(got.Body, maxReply+1))
	switch {
	case err != nil:
		return nil, Status{}, fmt.Errorf("read answer: %w", c.explain(err))
	case len(body) > maxReply:
		return nil, Status{}, fmt.Errorf("read answer: it is longer than %d KiB", maxReply>>10)
	}
	status, ok := statusOf(got.Trailer)
	if !ok {
		status, ok = statusOf(got.Header)
	}
	switch {
	case !ok && got.StatusCode != http.StatusOK:
		return nil, Status{Code: ofHTTP(got.StatusCode), Message: "HTTP " + got.Status, Foreign: true}, nil
	case !ok:
		return nil, Status{Code: Unknown, Message: fmt.Sprintf("an answer of type %q", cut(got.Header.Get("Content-Type"))), Foreign: true}, nil
	case status.Code != OK:
		return nil, status, nil
	}
	return c.unframe(body, got.Header.Get("Grpc-Encoding")), status, nil
}

// unframe is the first message of a body, nil if there is none that can be read.
func (c *Client) unframe(body []byte, encoding string) []byte {
	if len(body) < prefixBytes {
		return nil
	}
	packed, message := body[0]&1 == 1, body[prefixBytes:]
	if n := binary.BigEndian.Uint32(body[1:prefixBytes]); uint64(n) > uint64(len(message)) {
		return nil
	} else if message = message[:n]; !packed {
		return message
	}
	if c.config.Unpack == nil {
		return nil
	}
	in, err := c.config.Unpack(encoding, bytes.NewReader(message))
	if err != nil {
		return nil
	}
	out, err := io.ReadAll(io.LimitReader(in, maxReply+1))
	if err != nil || len(out) > maxReply {
		return nil
	}
	return out
}

// explain is an error of net/http without the URL, and says what it comes of where that
// is known.
func (c *Client) explain(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("no answer within %v", c.config.Time)
	}
	if u := (*url.Error)(nil); errors.As(err, &u) {
		err = u.Err
	}
	text := err.Error()
	if strings.Contains(text, "looked like an HTTP/1.1 header") || strings.Contains(text, "no application protocol") || strings.Contains(text, "http2: client conn could not be established") {
		return fmt.Errorf("%w (%w)", errNoHTTP2, err)
	}
	return err
}

// Close lets go of the connection.
func (c *Client) Close() { c.transport.CloseIdleConnections() }
