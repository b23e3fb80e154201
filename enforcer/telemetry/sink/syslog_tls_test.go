//go:build sink_http || sink_kafka || sink_mqtt || sink_nats || sink_otlp || sink_tls || sink_websocket

package sink

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/netpol/netpol/compiler/artifact"
)

// opensslCertificate makes a key and a certificate for 127.0.0.1.
func opensslCertificate(t *testing.T) (cert, key string) {
	t.Helper()
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	out, err := exec.Command("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
		"-subj", "/CN=netpol test", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", cert).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return cert, key
}

// secureServer is openssl's, which prints what it is sent. verify has it ask for a
// certificate.
func secureServer(t *testing.T, cert, key string, verify bool) (address string, out *bufio.Reader) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address = l.Addr().String()
	l.Close()
	args := []string{"s_server", "-accept", address, "-cert", cert, "-key", key, "-quiet", "-naccept", "100"}
	if verify {
		args = append(args, "-Verify", "1", "-CAfile", cert, "-verify_return_error")
	}
	cmd := exec.Command("openssl", args...)
	in, err := cmd.StdinPipe() // without one it ends
	if err != nil {
		t.Fatal(err)
	}
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return address, bufio.NewReader(pipe)
}

// TestSyslogOverTLS sends to openssl, which shows what came: messages with their
// lengths before them (RFC 5425, 4.3).
func TestSyslogOverTLS(t *testing.T) {
	cert, key := opensslCertificate(t)
	for _, mutual := range []bool{false, true} {
		address, out := secureServer(t, cert, key, mutual)
		one := syslogSink("tls", address, "")
		one.CAFile = cert
		if mutual {
			one.CertFile, one.KeyFile = cert, key
		}
		s := New(Config{})
		s.Use([]artifact.Sink{one})
		s.Offer(0, flowOf("first"))
		s.Offer(0, flowOf("last"))
		for _, want := range []string{"first", "last"} {
			var n int
			if _, err := fmt.Fscanf(out, "%d ", &n); err != nil {
				t.Fatal(err)
			}
			msg := make([]byte, n)
			if _, err := io.ReadFull(out, msg); err != nil {
				t.Fatal(err)
			}
			checkMessage(t, string(msg), want)
		}
		s.Close()
	}
}

// TestSyslogRefusesStrangers says that a server whose certificate nobody trusts, or
// that is another host's, is sent nothing.
func TestSyslogRefusesStrangers(t *testing.T) {
	cert, key := opensslCertificate(t)
	other, _ := opensslCertificate(t)
	address, _ := secureServer(t, cert, key, false)
	_, port, _ := strings.Cut(address, ":")
	for name, tt := range map[string]struct{ address, ca, fault string }{
		"a stranger":   {address, other, "certificate signed by unknown authority"},
		"another host": {"localhost:" + port, cert, "certificate is"},
		"no file":      {address, filepath.Join(t.TempDir(), "none"), os.ErrNotExist.Error()[:7]},
	} {
		one := syslogSink("tls", tt.address, "")
		one.CAFile = tt.ca
		s := New(Config{})
		s.Use([]artifact.Sink{one})
		s.Offer(0, flowOf("secret"))
		fault := ""
		eventually(t, name, func() bool {
			fault = s.Status()[0].Fault
			return fault != "" && !strings.Contains(fault, "refused")
		})
		if !strings.Contains(fault, "certificate") && !strings.Contains(fault, "no such file") {
			t.Errorf("%s: got %s", name, fault)
		}
		s.Close()
	}
}
