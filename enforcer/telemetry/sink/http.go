//go:build sink_http

package sink

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/netpol/netpol/compiler/artifact"
)

func kindsHTTP() []opener {
	return []opener{{kind: artifact.SinkHTTP, open: openHTTP, linger: time.Second}}
}

const (
	// maxBody bounds a request, before compression.
	maxBody = 1 << 20
	// requestLimit is how long a request may take, its answer included.
	requestLimit = 30 * time.Second
	// maxAnswer bounds what is read of an answer, so that its connection can be
	// used again.
	maxAnswer = 64 << 10
)

// poster sends records as lines of JSON in the bodies of POST requests.
type poster struct {
	runner *runner
	client *http.Client
	token  string
	packer packer
}

func openHTTP(r *runner) (target, error) {
	config, err := tlsConfig(&r.sink)
	if err != nil {
		return nil, err
	}
	token, err := secret(r.sink.TokenFile)
	if err != nil {
		return nil, err
	}
	pack, err := newPacker(r.sink.Compression())
	if err != nil {
		return nil, err
	}
	transport := &http.Transport{Proxy: http.ProxyFromEnvironment, TLSClientConfig: config, ForceAttemptHTTP2: true, MaxIdleConns: 1, IdleConnTimeout: time.Minute}
	return &poster{runner: r, token: token, packer: pack, client: &http.Client{Transport: transport, Timeout: requestLimit}}, nil
}

// write posts lines, as many at a time as fit. A batch whose answer does not come,
// or says that the server is at fault, is to be given again; one that the server
// does not want is given up.
func (p *poster) write(lines []byte) (int, error) {
	sent := 0
	for sent < len(lines) {
		batch := p.runner.batch(lines[sent:], maxBody)
		status, err := p.post(batch)
		switch {
		case err != nil:
			return sent, err
		case status == http.StatusTooManyRequests || status == http.StatusRequestTimeout || status >= 500:
			return sent, fmt.Errorf("the server answers %d %s", status, http.StatusText(status))
		case status >= 300:
			p.runner.lost(batch)
			p.runner.config.Log.Warn("records refused", "sink", *p.runner.name.Load(), "place", p.runner.sink.Place(), "status", status)
		}
		sent += len(batch)
	}
	return sent, nil
}

func (p *poster) post(batch []byte) (status int, _ error) {
	body, err := packed(p.packer, batch)
	if err != nil {
		return 0, err
	}
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, p.runner.sink.URL, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Content-Type", p.runner.several)
	req.Header.Set("User-Agent", "netpold")
	if p.packer != nil {
		req.Header.Set("Content-Encoding", p.runner.sink.Compression())
	}
	for _, h := range p.runner.sink.Headers {
		req.Header.Set(h.Name, h.Value)
	}
	if p.token != "" {
		req.Header.Set("Authorization", "Bearer "+p.token)
	}
	answer, err := p.client.Do(req)
	if err != nil {
		return 0, err
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, maxAnswer))
	return answer.StatusCode, answer.Body.Close()
}

func (p *poster) close() error {
	p.client.CloseIdleConnections()
	return nil
}
