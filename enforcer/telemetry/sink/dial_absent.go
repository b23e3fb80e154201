//go:build !sink_http && !sink_kafka && !sink_mqtt && !sink_nats && !sink_otlp && !sink_tls && !sink_websocket

package sink

import (
	"errors"
	"net"

	"github.com/netpol/netpol/compiler/artifact"
)

const haveTLS = false

func dialTLS(*artifact.Sink, string) (net.Conn, error) {
	return nil, errors.New("this netpold has no TLS: it is in one that was built with the tag sink_tls")
}
