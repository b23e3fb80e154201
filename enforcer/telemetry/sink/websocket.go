//go:build sink_websocket

package sink

import (
	"cmp"
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/coder/websocket"

	"github.com/netpol/netpol/compiler/artifact"
)

func kindsWebSocket() []opener {
	return []opener{{kind: artifact.SinkWebSocket, open: listenWeb}}
}

const (
	// requestTime is how long a client may take to ask for a WebSocket, and to read that it gets none.
	requestTime = 5 * time.Second
	// maxRequest bounds what it asks with.
	maxRequest = 16 << 10
	// byeTime is how long a client may take to say good-bye (RFC 6455, 7.1.1).
	byeTime = 500 * time.Millisecond
)

// webListener is a listener to whom clients come by HTTP.
type webListener struct {
	*listener
	server *http.Server
}

// listenWeb sends records to everybody who opens a WebSocket (RFC 6455): a message
// for each, of text, or of bytes where they are MessagePack.
func listenWeb(r *runner) (target, error) {
	l, err := net.Listen("tcp", r.sink.Address)
	if err != nil {
		return nil, err
	}
	most := cmp.Or(r.sink.MaxClients, maxClients)
	l = &lobby{Listener: l, most: int64(most) + lobbySeats}
	if r.sink.CertFile != "" {
		config, err := webTLS(&r.sink)
		if err != nil {
			l.Close()
			return nil, err
		}
		l = tls.NewListener(l, config)
	}
	w := &webListener{listener: newListener(r, l, most)}
	w.server = &http.Server{
		Handler: w, ReadTimeout: requestTime, WriteTimeout: requestTime, IdleTimeout: requestTime, MaxHeaderBytes: maxRequest,
		ErrorLog: slog.NewLogLogger(r.config.Log.Handler(), slog.LevelDebug),
	}
	w.wg.Go(func() { w.breaks(w.server.Serve(l)) })
	return w, nil
}

// webTLS shows the sink's certificate, and with a file of certificates asks clients
// for one that is signed by them.
func webTLS(s *artifact.Sink) (*tls.Config, error) {
	config, err := tlsConfig(s)
	if err == nil && config.RootCAs != nil {
		config.ClientCAs, config.ClientAuth = config.RootCAs, tls.RequireAndVerifyClientCert
	}
	return config, err
}

// ServeHTTP makes a WebSocket of a request. A page may not ask for one in its
// reader's name unless its origin is listed. The library lets pages in whose host is
// the request's; there are none here, and a page of any site comes to have it when
// its name is made to lead to this address (DNS rebinding). So it is shown no host.
func (w *webListener) ServeHTTP(answer http.ResponseWriter, request *http.Request) {
	switch {
	case request.URL.Path != w.runner.sink.Path:
		http.NotFound(answer, request)
		return
	case !w.enter():
		http.Error(answer, "too many clients", http.StatusServiceUnavailable)
		return
	}
	defer w.wg.Done()
	request.Host = "\x00"
	conn, err := websocket.Accept(answer, request, &websocket.AcceptOptions{OriginPatterns: w.runner.sink.Origins})
	if err != nil {
		w.says.log(w.runner.config.Log, slog.LevelInfo, "client of sink refused", "sink", *w.runner.name.Load(), "client", request.RemoteAddr, "error", err)
		return
	}
	s := &webSocket{conn: conn, encoding: &w.runner.encoding, kind: websocket.MessageText}
	if w.runner.sink.Encoding != artifact.EncodingJSON {
		s.kind = websocket.MessageBinary
	}
	s.gone = conn.CloseRead(context.Background())
	w.welcome(s, request.RemoteAddr)
}

func (w *webListener) close() error {
	err := w.server.Close() // of those that have no WebSocket yet, and of listening
	_ = w.listener.close()
	return err
}

// webSocket is a client of a webListener.
type webSocket struct {
	conn     *websocket.Conn
	encoding *encoding
	kind     websocket.MessageType
	gone     context.Context
}

func (s *webSocket) send(records []byte, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	for record := range s.encoding.each(records) {
		if err := s.conn.Write(ctx, s.kind, s.encoding.bare(record)); err != nil {
			return cmp.Or(ctx.Err(), err)
		}
	}
	return nil
}

func (s *webSocket) wait() { <-s.gone.Done() }

// bye says that the sink goes away, and does not wait long for an answer.
func (s *webSocket) bye() {
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = s.conn.Close(websocket.StatusGoingAway, "netpold stops or has other policies")
	}()
	select {
	case <-done:
	case <-time.After(byeTime):
		_ = s.conn.CloseNow()
		<-done
	}
}

func (s *webSocket) Close() error { return s.conn.CloseNow() }
