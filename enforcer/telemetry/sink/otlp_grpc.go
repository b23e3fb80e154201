//go:build sink_otlp

package sink

import (
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"syscall"

	"github.com/netpol/netpol/enforcer/telemetry/grpc"
	"github.com/netpol/netpol/enforcer/telemetry/otlp"
)

// grpcCaller is OTLP over gRPC.
type grpcCaller struct {
	client *grpc.Client
	place  string
	plain  bool // without TLS
}

func openOTLPOverGRPC(r *runner) (caller, error) {
	to, err := url.Parse(r.sink.URL)
	if err != nil {
		return nil, err
	}
	config := grpc.Config{URL: to, Time: requestLimit, Encoding: r.sink.Compression(), Unpack: unpacked, Accepts: unpackable()}
	if config.TLS, err = tlsConfig(&r.sink); err != nil {
		return nil, err
	}
	if config.Header, err = headersOf(r); err != nil {
		return nil, err
	}
	pack, err := newPacker(config.Encoding)
	if err != nil {
		return nil, err
	}
	if pack != nil {
		config.Pack = pack.pack
	}
	return &grpcCaller{client: grpc.New(config), place: r.sink.URL, plain: to.Scheme == "http"}, nil
}

func (c *grpcCaller) close() error {
	c.client.Close()
	return nil
}

// call makes a request. Which codes are worth another try is OTLP's to say (1.9, "OTLP/gRPC
// Response"): RESOURCE_EXHAUSTED only if the server says when.
func (c *grpcCaller) call(s otlp.Signal, body []byte) ([]byte, error) {
	answer, got, err := c.client.Call(s.Method(), body)
	switch {
	case c.plain && hungUp(err):
		return nil, fmt.Errorf("the server at %s ends the connection without an answer (%w): does it want https", c.place, err)
	case err != nil || got.Code == grpc.OK:
		return answer, err
	}
	err = c.fault(s, got)
	switch got.Code {
	case grpc.Cancelled, grpc.DeadlineExceeded, grpc.Aborted, grpc.OutOfRange, grpc.Unavailable, grpc.DataLoss:
		return nil, &laterError{err, min(got.RetryAfter, maxRetryAfter)}
	case grpc.ResourceExhausted:
		if got.Retry {
			return nil, &laterError{err, min(got.RetryAfter, maxRetryAfter)}
		}
		if tooLarge(got.Message) {
			return nil, &bulkyError{&refusedError{err}}
		}
	default:
	}
	return nil, &refusedError{err}
}

// hungUp says that the other end has ended a connection. Which of these errors comes is a matter of time: it has read
// all that it was sent, or some of it.
func hungUp(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// fault is what a status other than success says.
func (c *grpcCaller) fault(s otlp.Signal, got grpc.Status) error {
	if got.Foreign {
		return fmt.Errorf("the server at %s does not answer as gRPC does (%s): is this its port for OTLP over HTTP", c.place, got.Message)
	}
	text := got.Code.String()
	if got.Message != "" {
		text += fmt.Sprintf(" (%q)", got.Message)
	}
	return fmt.Errorf("the collector at %s answers %s to %s", c.place, text, s)
}

// tooLarge says that a message was longer than the server takes, 4 MiB in most. There is
// no code for that: these are the words of gRPC's servers in Go and C++, and in Java.
func tooLarge(message string) bool {
	text := strings.ToLower(message)
	return strings.Contains(text, "larger than max") || strings.Contains(text, "exceeds maximum")
}
