//go:build sink_http || sink_kafka || sink_mqtt || sink_nats || sink_otlp || sink_tls || sink_websocket

package sink

import (
	"crypto/tls"
	"net"

	"github.com/netpol/netpol/compiler/artifact"
)

const haveTLS = true

// dialTLS connects to a server whose certificate must be its host's.
func dialTLS(s *artifact.Sink, address string) (net.Conn, error) {
	config, err := tlsConfig(s)
	if err != nil {
		return nil, err
	}
	conn, err := tls.DialWithDialer(&net.Dialer{Timeout: dialLimit}, "tcp", address, config)
	if err != nil {
		return nil, err
	}
	return conn, nil
}
