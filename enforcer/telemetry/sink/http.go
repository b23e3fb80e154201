//go:build sink_http

package sink

import (
	"net/http"
	"time"

	"github.com/netpol/netpol/compiler/artifact"
)

func kindsHTTP() []opener {
	return []opener{{kind: artifact.SinkHTTP, open: openHTTP, linger: time.Second}}
}

// linePoster sends records as lines of JSON in the bodies of POST requests.
type linePoster struct{ *poster }

func openHTTP(r *runner) (target, error) {
	p, err := newPoster(r)
	if err != nil {
		return nil, err
	}
	return linePoster{p}, nil
}

// write posts lines, as many at a time as fit. A batch whose answer does not come,
// or says that the server is at fault, is to be given again; one that the server
// does not want is given up.
func (p linePoster) write(lines []byte) (int, error) {
	url := p.runner.sink.URL
	sent := 0
	for sent < len(lines) {
		batch := p.runner.batch(lines[sent:], maxBody)
		got, err := p.post(url, p.runner.several, batch)
		switch {
		case err != nil:
			return sent, err
		case got.status == http.StatusTooManyRequests || got.status == http.StatusRequestTimeout || got.status >= 500:
			return sent, got.fault(url, true)
		}
		if sent += len(batch); got.status >= 300 {
			p.runner.lost(batch)
			return sent, got.fault(url, false)
		}
	}
	return sent, nil
}
