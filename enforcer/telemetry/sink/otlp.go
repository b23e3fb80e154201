//go:build sink_otlp

package sink

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/telemetry/otlp"
)

func kindsOTLP() []opener {
	return []opener{{kind: artifact.SinkOTLP, open: openOTLP, linger: time.Second}}
}

// caller brings requests of OTLP to a collector.
type caller interface {
	// call makes a request and gives what the collector answered to it. After a
	// refusedError it is not to be made again, after a bulkyError in parts.
	call(s otlp.Signal, body []byte) (answer []byte, err error)
	close() error
}

// bulkyError is why a collector did not take a request that is too long for it.
type bulkyError struct{ error }

func (e *bulkyError) Unwrap() error { return e.error }

// exporter sends records to a collector of OpenTelemetry.
type exporter struct {
	caller
	runner  *runner
	encoder *otlp.Encoder
	most    int // bytes of records in a request
}

func openOTLP(r *runner) (target, error) {
	open := openOTLPOverHTTP
	if r.sink.Transport == "grpc" {
		open = openOTLPOverGRPC
	}
	to, err := open(r)
	if err != nil {
		return nil, err
	}
	source := otlp.Source{Version: r.config.Version, Host: routerName(), Started: r.config.Started}
	for _, a := range r.sink.Resource {
		source.Resource = append(source.Resource, otlp.Attribute(a))
	}
	return &exporter{caller: to, runner: r, encoder: otlp.NewEncoder(source), most: maxBody}, nil
}

// write sends records in order, those of one signal that follow each other in a request.
func (e *exporter) write(lines []byte) (int, error) {
	sent := 0
	for sent < len(lines) {
		signal, run := e.run(e.runner.batch(lines[sent:], e.most))
		n, err := e.send(signal, run)
		if sent += n; err != nil {
			return sent, err
		}
	}
	return sent, nil
}

// run is the records at the beginning of some that are of one signal.
func (e *exporter) run(lines []byte) (signal otlp.Signal, run []byte) {
	n := 0
	for line := range e.runner.each(lines) {
		kind, _ := e.runner.head(line)
		switch s := otlp.SignalOf(kind); {
		case n == 0:
			signal = s
		case s != signal:
			return signal, lines[:n]
		}
		n += len(line)
	}
	return signal, lines
}

// send makes a request of records and says how many bytes of them need not be sent
// again: none of those that are to go in shorter requests.
func (e *exporter) send(signal otlp.Signal, lines []byte) (int, error) {
	body, items, bad, err := e.encoder.Request(signal, e.runner.each(lines))
	if err != nil {
		return 0, err
	}
	if items == 0 {
		e.runner.failed.Add(uint64(bad))
		return len(lines), nil
	}
	answer, err := e.call(signal, body)
	switch {
	case err == nil:
		e.runner.failed.Add(uint64(bad))
		return len(lines), e.partial(signal, answer, items)
	case isBulky(err) && e.runner.count(lines) > 1:
		e.most = len(lines) / 2
		return 0, nil
	case isRefusal(err):
		e.runner.lost(lines)
		return len(lines), err
	}
	return 0, err
}

func isBulky(err error) bool {
	var bulky *bulkyError
	return errors.As(err, &bulky)
}

// partial reads what of a request that succeeded was not taken. Which records
// those were it does not say, so they cannot be sent again; a record of an aggregate is
// several data points, of which each counts.
func (e *exporter) partial(signal otlp.Signal, body []byte, items int) error {
	refused, why, err := otlp.Refused(signal, body)
	if err != nil || refused <= 0 {
		return nil // some that speak to OTLP's senders answer with a text, or nothing
	}
	e.runner.failed.Add(uint64(refused))
	return &refusedError{fmt.Errorf("the collector refuses %d of %d %s: %q", refused, items, signal, why)}
}

// postCaller is OTLP over HTTP.
type postCaller struct {
	*poster
	urls [2]string // by otlp.Signal
}

func openOTLPOverHTTP(r *runner) (caller, error) {
	p, err := newPoster(r)
	if err != nil {
		return nil, err
	}
	base, err := url.Parse(r.sink.URL)
	if err != nil {
		return nil, err
	}
	out := &postCaller{poster: p}
	for _, s := range []otlp.Signal{otlp.Logs, otlp.Metrics} {
		out.urls[s] = base.JoinPath(s.Path()).String()
	}
	return out, nil
}

// call posts a request. Which answers are worth another try, and that others are not, is
// OTLP's to say (1.9, "Failures" and "Retryable Response Codes").
func (c *postCaller) call(s otlp.Signal, body []byte) ([]byte, error) {
	got, err := c.post(c.urls[s], otlp.ContentType, body)
	if speaksFirst(err) {
		return nil, fmt.Errorf("the server at %s does not answer as HTTP does: is this its port for OTLP over gRPC", c.runner.sink.URL)
	}
	if err != nil {
		return nil, err
	}
	switch got.status {
	case http.StatusOK, http.StatusAccepted:
		return got.body, nil
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return nil, got.fault(c.urls[s], true)
	case http.StatusRequestEntityTooLarge:
		return nil, &bulkyError{got.fault(c.urls[s], false)}
	case http.StatusUnsupportedMediaType:
		return nil, &refusedError{fmt.Errorf("%w: is this its port for OTLP over gRPC", got.fault(c.urls[s], false))}
	}
	return nil, got.fault(c.urls[s], false)
}

// speaksFirst says that a server began with a frame of HTTP/2 (its settings, RFC 9113, 3.4), after or
// before it was asked; of the latter net/http says nothing but this.
func speaksFirst(err error) bool {
	return err != nil && (strings.Contains(err.Error(), `malformed HTTP response "\x00\x00`) || strings.Contains(err.Error(), "readLoopPeekFailLocked: %!w(<nil>)"))
}
