package prom

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

const (
	// maxScrapers bounds the connections at once, maxHead the bytes of a request.
	maxScrapers, maxHead = 16, 8 << 10
	// patience is how long a scraper may take for its request, and for its answer.
	patience = 10 * time.Second
	// fileEvery is how often a file is written.
	fileEvery = 15 * time.Second
)

// Listen answers scrapes at an address until ctx ends; wait waits for that. An address
// that cannot be had is an error at once.
func Listen(ctx context.Context, address string, log *slog.Logger, figures func() []byte) (wait func(), err error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("serve metrics: %w", err)
	}
	var wg sync.WaitGroup
	room := make(chan struct{}, maxScrapers)
	stop := context.AfterFunc(ctx, func() { l.Close() })
	wg.Go(func() {
		defer stop()
		for {
			conn, err := l.Accept()
			switch {
			case errors.Is(err, net.ErrClosed):
				return
			case err != nil:
				time.Sleep(50 * time.Millisecond) // for want of descriptors mostly
				continue
			}
			select {
			case room <- struct{}{}:
				wg.Go(func() {
					defer func() { <-room }()
					answer(ctx, conn, figures)
				})
			default:
				log.Debug("scraper refused: there are too many", "scrapers", maxScrapers)
				conn.Close()
			}
		}
	})
	log.Info("serving metrics", "address", l.Addr())
	return wg.Wait, nil
}

// answer serves one request and hangs up.
func answer(ctx context.Context, conn net.Conn, figures func() []byte) {
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	if conn.SetDeadline(time.Now().Add(patience)) != nil {
		return
	}
	method, path, ok := request(bufio.NewReader(io.LimitReader(conn, maxHead)))
	status, body := "200 OK", []byte(nil)
	switch {
	case !ok:
		status = "400 Bad Request"
	case method != "GET" && method != "HEAD":
		status = "405 Method Not Allowed"
	case path == "/metrics":
		body = figures()
	default:
		status = "404 Not Found"
	}
	kind := "text/plain; version=0.0.4; charset=utf-8"
	if status != "200 OK" {
		kind, body = "text/plain; charset=utf-8", []byte(status+": metrics are at /metrics\n")
	}
	head := fmt.Sprintf("HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %d\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n", status, kind, len(body))
	if method == "HEAD" {
		body = nil
	}
	if _, err := io.WriteString(conn, head); err == nil {
		_, _ = conn.Write(body)
	}
}

// request reads the head of a request (RFC 9112, sections 3 and 5).
func request(in *bufio.Reader) (method, path string, ok bool) {
	line, err := in.ReadString('\n')
	words := strings.Fields(line)
	if err != nil || len(words) != 3 || !strings.HasPrefix(words[2], "HTTP/1.") {
		return "", "", false
	}
	for line = ""; line != "\r\n" && line != "\n"; {
		if line, err = in.ReadString('\n'); err != nil {
			return "", "", false
		}
	}
	path, _, _ = strings.Cut(words[1], "?")
	return words[0], path, true
}

// WriteFile writes figures to a file every 15 seconds until ctx ends, for
// node_exporter's textfile collector, which reads files called .prom. A reader finds
// the old or the new ones, whole. The file goes when the figures do: old ones would
// look like a netpold that works.
func WriteFile(ctx context.Context, name string, log *slog.Logger, figures func() []byte) {
	tick := time.NewTicker(fileEvery)
	defer tick.Stop()
	defer os.Remove(name)
	last := ""
	for {
		text := ""
		if err := replace(name, figures()); err != nil {
			text = err.Error()
		}
		if text != "" && text != last {
			log.Warn("write metrics; tried again every 15 seconds", "error", text)
		}
		last = text
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func replace(name string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Chmod(0o644), f.Close()); err == nil { // node_exporter is somebody else
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}
