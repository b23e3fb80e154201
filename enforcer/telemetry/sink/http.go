//go:build sink_http

package sink

import (
	"bytes"
	"compress/gzip"
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
	buf    bytes.Buffer
	zip    *gzip.Writer
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
	transport := &http.Transport{Proxy: http.ProxyFromEnvironment, TLSClientConfig: config, ForceAttemptHTTP2: true, MaxIdleConns: 1, IdleConnTimeout: time.Minute}
	return &poster{runner: r, token: token, zip: gzip.NewWriter(io.Discard), client: &http.Client{Transport: transport, Timeout: requestLimit}}, nil
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
	body := batch
	if p.runner.sink.Gzip {
		p.buf.Reset()
		p.zip.Reset(&p.buf)
		if _, err := p.zip.Write(batch); err != nil {
			return 0, err
		}
		if err := p.zip.Close(); err != nil {
			return 0, err
		}
		body = p.buf.Bytes()
	}
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, p.runner.sink.URL, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Content-Type", p.runner.several)
	req.Header.Set("User-Agent", "netpold")
	if p.runner.sink.Gzip {
		req.Header.Set("Content-Encoding", "gzip")
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
