//go:build !sink_http && !sink_kafka && !sink_mqtt && !sink_nats && !sink_otlp && !sink_tls && !sink_websocket

package sink

import (
	"testing"

	"github.com/netpol/netpol/compiler/artifact"
)

func TestWithoutTLS(t *testing.T) {
	s := New(Config{})
	defer s.Close()
	s.Use([]artifact.Sink{syslogSink("tls", "127.0.0.1:1", "")})
	const want = "this netpold has no TLS: it is in one that was built with the tag sink_tls"
	eventually(t, "a fault", func() bool { return s.Status()[0].Fault == want })
}
