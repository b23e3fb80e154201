//go:build sink_otlp

package sink

import (
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/telemetry/otlp"
)

func kindsOTLP() []opener {
	return []opener{{kind: artifact.SinkOTLP, open: openOTLP, linger: time.Second}}
}

// exporter sends records to a collector of OpenTelemetry, as OTLP over HTTP.
type exporter struct {
	*poster
	encoder *otlp.Encoder
	urls    [2]string // by otlp.Signal
}

func openOTLP(r *runner) (target, error) {
	p, err := newPoster(r)
	if err != nil {
		return nil, err
	}
	base, err := url.Parse(r.sink.URL)
	if err != nil {
		return nil, err
	}
	e := &exporter{poster: p}
	for _, s := range []otlp.Signal{otlp.Logs, otlp.Metrics} {
		e.urls[s] = base.JoinPath(s.Path()).String()
	}
	source := otlp.Source{Version: r.config.Version, Host: routerName(), Started: r.config.Started}
	for _, a := range r.sink.Resource {
		source.Resource = append(source.Resource, otlp.Attribute(a))
	}
	e.encoder = otlp.NewEncoder(source)
	return e, nil
}

// write sends records in order, those of one signal that follow each other in a request.
func (e *exporter) write(lines []byte) (int, error) {
	sent := 0
	for sent < len(lines) {
		signal, run := e.run(e.runner.batch(lines[sent:], maxBody))
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
// again. Which answers are worth another try, and that others are not, is OTLP's to say
// (1.9, "Failures" and "Retryable Response Codes").
func (e *exporter) send(signal otlp.Signal, lines []byte) (int, error) {
	body, items, bad, err := e.encoder.Request(signal, e.runner.each(lines))
	if err != nil {
		return 0, err
	}
	e.runner.failed.Add(uint64(bad))
	if items == 0 {
		return len(lines), nil
	}
	got, err := e.post(e.urls[signal], otlp.ContentType, body)
	if err != nil {
		return 0, err
	}
	switch got.status {
	case http.StatusOK, http.StatusAccepted:
		return len(lines), e.partial(signal, got.body, items)
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return 0, got.fault(e.urls[signal], true)
	}
	e.runner.lost(lines)
	return len(lines), got.fault(e.urls[signal], false)
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
