package sink

import (
	"bytes"
	"encoding/json"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/netpol/netpol/compiler/artifact"
)

// TestDatagrams has a record in each datagram, in either encoding, and those that are
// longer than a datagram counted.
func TestDatagrams(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	for _, tt := range []struct {
		network  string
		encoding artifact.Encoding
	}{{"udp", artifact.EncodingJSON}, {"udp", artifact.EncodingMsgpack}, {"unixgram", artifact.EncodingJSON}} {
		address := "127.0.0.1:0"
		if tt.network == "unixgram" {
			address = path
		}
		l, err := net.ListenPacket(tt.network, address)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		s := New(Config{})
		s.Use([]artifact.Sink{{
			Name: "d", Kind: artifact.SinkKind(tt.network), Address: l.LocalAddr().String(), Path: path,
			Encoding: tt.encoding, Queue: 1 << 20, Records: []string{"flow"},
		}})
		s.Offer(0, flowOf("first"))
		s.Offer(0, flowOf(strings.Repeat("x", 300_000)))
		s.Offer(0, flowOf("last"))
		buf := make([]byte, 64<<10)
		for _, want := range []string{"first", "last"} {
			_ = l.SetReadDeadline(time.Now().Add(20 * time.Second))
			n, _, err := l.ReadFrom(buf)
			if err != nil {
				t.Fatal(err)
			}
			got := want
			if tt.encoding == artifact.EncodingMsgpack {
				got = names(t, bytes.NewReader(buf[:n]), 9)[0]
			} else if !json.Valid(buf[:n]) || buf[n-1] == '\n' || !bytes.Contains(buf[:n], []byte(want)) {
				got = string(buf[:n])
			}
			if got != want {
				t.Errorf("%s: got %s, want %s", tt.network, got, want)
			}
		}
		s.Close()
		if st := s.Status()[0]; st.Dropped["failed"] != 1 || st.Records != 3 {
			t.Errorf("%s: got %+v, want one that failed, the long one", tt.network, st)
		}
	}
}

// TestDatagramsToNobody says that a receiver which comes later gets what waited, and
// that the sink tells of it meanwhile.
func TestDatagramsToNobody(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	s := New(Config{})
	defer s.Close()
	s.Use([]artifact.Sink{{Name: "d", Kind: artifact.SinkUnixgram, Path: path, Queue: 1 << 20, Records: []string{"flow"}}})
	s.Offer(0, flowOf("waits"))
	eventually(t, "a fault", func() bool { return strings.Contains(s.Status()[0].Fault, "no such file") })
	l, err := net.ListenPacket("unixgram", path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_ = l.SetReadDeadline(time.Now().Add(20 * time.Second))
	buf := make([]byte, 4096)
	if n, _, err := l.ReadFrom(buf); err != nil || !bytes.Contains(buf[:n], []byte("waits")) {
		t.Errorf("got %q, %v", buf[:n], err)
	}
}

func TestPacer(t *testing.T) {
	var p pacer
	begun := time.Now()
	for range 10 * burst {
		p.wait()
	}
	if took := time.Since(begun); took < 8*pause {
		t.Errorf("%d datagrams took %v: there are no pauses", 10*burst, took)
	}
}
