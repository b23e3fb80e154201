package source

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"time"
)

// Bounds of one request; the caller's context bounds it as a whole.
const (
	dialTimeout     = 15 * time.Second
	answerTimeout   = 30 * time.Second
	maxAnswerHeader = 64 << 10
	maxRedirects    = 5
	maxTag          = 1 << 10 // of an ETag, in bytes
	maxSmallFile    = 1 << 20 // certificates, tokens
)

// get asks for the release, unless it is the one that has the tag.
func (s Source) get(ctx context.Context, tag string) (Offer, error) {
	client, err := s.client()
	if err != nil {
		return Offer{}, err
	}
	defer client.CloseIdleConnections()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url.String(), nil)
	if err != nil {
		return Offer{}, fmt.Errorf("source %s: not an address", s)
	}
	request.Header.Set("User-Agent", "netpol-pull")
	if tag != "" {
		request.Header.Set("If-None-Match", tag)
	}
	if s.opts.TokenFile != "" {
		token, err := readSmall(s.opts.TokenFile)
		if err != nil {
			return Offer{}, fmt.Errorf("read token: %w", err)
		}
		request.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(token)))
	}
	answer, err := client.Do(request)
	if err != nil {
		return Offer{}, fmt.Errorf("%w %s: %w", ErrFetch, s, withoutURL(err))
	}
	defer answer.Body.Close()
	return s.answer(answer, tag)
}

func (s Source) answer(answer *http.Response, tag string) (Offer, error) {
	switch {
	case answer.StatusCode == http.StatusNotModified && tag != "":
		return Offer{Tag: tag, Unchanged: true}, nil
	case answer.StatusCode != http.StatusOK:
		return Offer{}, fmt.Errorf("%w %s: the server answers %s", ErrFetch, s, answer.Status)
	case answer.Header.Get("Content-Encoding") != "":
		// Nothing is unpacked on behalf of a server that nobody has verified yet.
		return Offer{}, fmt.Errorf("%w %s: the server packed it (Content-Encoding) without being asked to", ErrFetch, s)
	case answer.ContentLength > int64(s.opts.MaxBytes):
		return Offer{}, fmt.Errorf("%w %s: it has %d bytes, and at most %d are allowed", ErrFetch, s, answer.ContentLength, s.opts.MaxBytes)
	}
	data, err := s.readAll(answer.Body)
	if err != nil {
		return Offer{}, err
	}
	offer := Offer{Data: data, Tag: answer.Header.Get("ETag")}
	if len(offer.Tag) > maxTag {
		offer.Tag = ""
	}
	return offer, nil
}

func (s Source) client() (*http.Client, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if s.opts.CAFile != "" {
		text, err := readSmall(s.opts.CAFile)
		if err != nil {
			return nil, fmt.Errorf("read certificates: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("read certificates: %s holds no certificate in PEM", s.opts.CAFile)
		}
	}
	dialer := &net.Dialer{Timeout: dialTimeout}
	transport := &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            dialer.DialContext,
		TLSClientConfig:        config,
		TLSHandshakeTimeout:    dialTimeout,
		ResponseHeaderTimeout:  answerTimeout,
		MaxResponseHeaderBytes: maxAnswerHeader,
		DisableCompression:     true,
		ForceAttemptHTTP2:      true,
	}
	plain := s.url.Scheme == "http"
	if plain {
		transport.Proxy = nil
		transport.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
			conn, err := dialer.DialContext(ctx, network, addr)
			if err != nil {
				return nil, err
			}
			if err := onlyLoopback(conn); err != nil {
				return nil, errors.Join(err, conn.Close())
			}
			return conn, nil
		}
	}
	return &http.Client{Transport: transport, CheckRedirect: func(next *http.Request, before []*http.Request) error {
		switch {
		case len(before) > maxRedirects:
			return fmt.Errorf("more than %d redirects", maxRedirects)
		case next.URL.Scheme != "https" && !plain:
			return errors.New("the server redirects from https to " + next.URL.Scheme)
		}
		return nil
	}}, nil
}

func readSmall(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxSmallFile {
		return nil, fmt.Errorf("%s is not a regular file of at most %d bytes", path, maxSmallFile)
	}
	return os.ReadFile(path)
}
