//go:build sink_http || sink_otlp

package sink

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	// maxBody bounds the records of a request, before compression.
	maxBody = 1 << 20
	// requestLimit is how long a request may take, its answer included.
	requestLimit = 30 * time.Second
	// maxAnswer bounds what is read of an answer, so that its connection can be
	// used again.
	maxAnswer = 64 << 10
	// maxRetryAfter bounds how long a server may have netpold wait.
	maxRetryAfter = 10 * time.Minute
)

// poster makes POST requests to a server.
type poster struct {
	runner *runner
	client *http.Client
	header http.Header // of every request
	packer packer
}

func newPoster(r *runner) (*poster, error) {
	config, err := tlsConfig(&r.sink)
	if err != nil {
		return nil, err
	}
	header, err := headersOf(r)
	if err != nil {
		return nil, err
	}
	pack, err := newPacker(r.sink.Compression())
	if err != nil {
		return nil, err
	}
	if compression := r.sink.Compression(); compression != "" {
		header.Set("Content-Encoding", compression)
	}
	transport := &http.Transport{Proxy: http.ProxyFromEnvironment, TLSClientConfig: config, ForceAttemptHTTP2: true, MaxIdleConns: 1, IdleConnTimeout: time.Minute}
	client := &http.Client{Transport: transport, Timeout: requestLimit, CheckRedirect: asPost}
	return &poster{runner: r, header: header, packer: pack, client: client}, nil
}

// headersOf are the operator's headers, and who netpold is.
func headersOf(r *runner) (http.Header, error) {
	out := http.Header{"User-Agent": {"netpold"}}
	for _, h := range r.sink.Headers {
		out.Set(h.Name, h.Value)
	}
	token, err := secret(r.sink.TokenFile)
	if err != nil {
		return nil, err
	}
	if token != "" {
		out.Set("Authorization", "Bearer "+token)
	}
	text, err := secret(r.sink.HeadersFile)
	if err != nil {
		return nil, err
	}
	n := 0
	for line := range strings.Lines(text) {
		n++
		if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, value, found := strings.Cut(line, ":")
		if !found || strings.ContainsAny(name, " \t") {
			return nil, fmt.Errorf("line %d of %s is not a header: write it as Name: value", n, r.sink.HeadersFile)
		}
		out.Set(name, strings.TrimSpace(value)) // what is no header else net/http says, without its value
	}
	return out, nil
}

// asPost follows only what has the request made again as it is: after 301, 302 and
// 303 a client would ask with GET (RFC 9110, 15.4), and the records would be gone.
func asPost(next *http.Request, via []*http.Request) error {
	if next.Method != http.MethodPost {
		return http.ErrUseLastResponse
	}
	if len(via) >= 10 {
		return errors.New("the server sends to another place, and so on, ten times")
	}
	return nil
}

// answer is what a server said.
type answer struct {
	status     int
	retryAfter time.Duration // 0 where it does not say
	body       []byte
	content    string // the body's media type
}

func (p *poster) post(url, content string, records []byte) (*answer, error) {
	body, err := packed(p.packer, records)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header = p.header.Clone()
	req.Header.Set("Content-Type", content)
	got, err := p.client.Do(req)
	if errors.Is(err, context.DeadlineExceeded) {
		return nil, fmt.Errorf("the server does not answer within %v to %s", requestLimit, url)
	}
	if err != nil {
		return nil, err
	}
	text, _ := io.ReadAll(io.LimitReader(got.Body, maxAnswer))
	return &answer{status: got.StatusCode, retryAfter: retryAfter(got.Header.Get("Retry-After"), time.Now()), body: text, content: got.Header.Get("Content-Type")}, got.Body.Close()
}

// retryAfter is a server's wish to be left alone, in seconds or until a time (RFC
// 9110, 10.2.3).
func retryAfter(word string, now time.Time) time.Duration {
	if n, err := strconv.Atoi(word); err == nil {
		return min(max(time.Duration(n)*time.Second, 0), maxRetryAfter)
	}
	if at, err := http.ParseTime(word); err == nil {
		return min(max(at.Sub(now), 0), maxRetryAfter)
	}
	return 0
}

// fault is what a status other than success says; passing tells that the request is to
// be made again.
func (a *answer) fault(url string, passing bool) error {
	err := fmt.Errorf("the server answers %d %s%s to %s", a.status, http.StatusText(a.status), a.text(), url)
	if passing {
		return &laterError{err, a.retryAfter}
	}
	return &refusedError{err}
}

// maxText bounds what is kept of a server's text.
const maxText = 200

// text is what a server says besides its status, if that is for people and a line or little more.
func (a *answer) text() string {
	kind, _, _ := strings.Cut(a.content, ";")
	line, _, _ := bytes.Cut(bytes.TrimSpace(a.body), []byte{'\n'})
	if len(line) == 0 || kind != "" && kind != "text/plain" && kind != "application/json" {
		return ""
	}
	return fmt.Sprintf(" (%q)", strings.ToValidUTF8(string(line[:min(len(line), maxText)]), "?"))
}

func (p *poster) close() error {
	p.client.CloseIdleConnections()
	return nil
}
