//go:build sink_kafka || sink_mqtt || sink_nats || sink_otlp || sink_websocket

package sink

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/netpol/netpol/compiler/artifact"
)

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// certificate makes one for 127.0.0.1 that signs itself, as files.
func certificate(t *testing.T, dir string) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(dir, "ca.pem"), filepath.Join(dir, "key.pem")
	for name, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: keyDER}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

// secretFile writes a secret as an operator does, with a line end.
func secretFile(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte(text+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// launch starts a server, which ends with the test, and waits until it can be
// connected to.
func launch(t *testing.T, cmd *exec.Cmd, address string) {
	t.Helper()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { kill(cmd) })
	eventually(t, "the server at "+address, func() bool {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			conn.Close()
		}
		return err == nil
	})
}

// kill ends a server without warning.
func kill(cmd *exec.Cmd) {
	if cmd.ProcessState == nil {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
}

// hostIn is the host name of a record.
func hostIn(line []byte) string { return wordBehind(line, `"host_server_name":"`) }

// use waits until the spool is there, which a queue as small as these cannot.
func use(t *testing.T, s *Set, one artifact.Sink) {
	t.Helper()
	s.Use([]artifact.Sink{one})
	eventually(t, "a spool", func() bool { return s.slot(0).kept.isOpen() })
}

// underLoad offers the set's first sink a record each 200 µs, of the host names host0,
// host1 and so on, while the place is interrupted so many times, each when some
// more are written. It says how many were offered.
func underLoad(t *testing.T, s *Set, times int, interrupt func()) (offered int) {
	t.Helper()
	var all sync.WaitGroup
	stop := make(chan struct{})
	all.Go(func() {
		for ; ; offered++ {
			select {
			case <-stop:
				return
			case <-time.After(200 * time.Microsecond):
				s.Offer(0, flowOf(fmt.Sprint("host", offered)))
			}
		}
	})
	for range times {
		before := s.Status()[0].Bytes
		eventually(t, "records", func() bool { return s.Status()[0].Bytes > before+50_000 })
		interrupt()
	}
	close(stop)
	all.Wait()
	return offered
}
