//go:build sink_http || sink_kafka || sink_mqtt || sink_nats || sink_otlp || sink_tls || sink_websocket

package sink

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"strings"

	"github.com/netpol/netpol/compiler/artifact"
)

// tlsConfig trusts the certificates in a sink's file, or with none the system's,
// and shows the sink's own certificate if it has one.
func tlsConfig(s *artifact.Sink) (*tls.Config, error) {
	config := &tls.Config{}
	if s.CertFile != "" {
		own, err := tls.LoadX509KeyPair(s.CertFile, s.KeyFile)
		if err != nil {
			return nil, err
		}
		config.Certificates = []tls.Certificate{own}
	}
	if s.CAFile == "" {
		return config, nil
	}
	pem, err := os.ReadFile(s.CAFile)
	if err != nil {
		return nil, err
	}
	config.RootCAs = x509.NewCertPool()
	if !config.RootCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s holds no certificate in PEM", s.CAFile)
	}
	return config, nil
}

// secret is the content of a file without the line end; empty without a file.
func secret(file string) (string, error) {
	if file == "" {
		return "", nil
	}
	text, err := os.ReadFile(file)
	return strings.TrimRight(string(text), "\r\n"), err
}
