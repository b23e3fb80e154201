package sink

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vmihailenco/msgpack/v5"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/telemetry/record"
)

// names are the host names of records of MessagePack, one after the other.
func names(t *testing.T, in io.Reader, n int) (list []string) {
	t.Helper()
	d := msgpack.NewDecoder(in)
	for len(list) < n {
		var r struct {
			Type string `msgpack:"type"`
			Flow struct {
				HostName string `msgpack:"host_server_name"`
			} `msgpack:"flow"`
		}
		if err := d.Decode(&r); errors.Is(err, io.EOF) {
			return list
		} else if err != nil {
			t.Fatal(err)
		}
		if r.Type != "flow" {
			t.Errorf("got a record of type %q", r.Type)
		}
		list = append(list, r.Flow.HostName)
	}
	return list
}

// TestMsgpackFile has records of MessagePack, with line ends in them, in files that
// are begun anew.
func TestMsgpackFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "flows.msgpack")
	one := fileSink(path)
	one.Encoding, one.RotateSize, one.RotateAge = artifact.EncodingMsgpack, 1<<20, time.Hour
	s := New(Config{})
	s.Use([]artifact.Sink{one})
	want := []string{"a\nb", strings.Repeat("n", 10), strings.Repeat("x", 300)}
	for _, name := range want {
		s.Offer(0, flowOf(name))
	}
	s.Close()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if got := names(t, f, 9); strings.Join(got, "|") != strings.Join(want, "|") {
		t.Errorf("got %q, want %q", got, want)
	}

	// When the file was begun is told by its first record.
	old := flowOf("old")
	old.Timestamp = time.Now().Add(-2 * time.Hour).UnixMilli()
	if err := os.WriteFile(path, old.AppendMsgpack(nil), fileMode); err != nil {
		t.Fatal(err)
	}
	s = New(Config{})
	s.Use([]artifact.Sink{one})
	s.Offer(0, flowOf("new"))
	s.Close()
	earlier, err := os.Open(path + ".1")
	if err != nil {
		t.Fatal(err)
	}
	defer earlier.Close()
	if got := names(t, earlier, 9); len(got) != 1 || got[0] != "old" {
		t.Errorf("got %q in the earlier file", got)
	}
}

func TestMsgpackSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	s := New(Config{})
	defer s.Close()
	s.Use([]artifact.Sink{{Name: "m", Kind: artifact.SinkUnix, Path: path, Queue: 1 << 20, Encoding: artifact.EncodingMsgpack, Records: []string{"flow"}}})
	s.Offer(0, flowOf("nobody\nhears"))
	eventually(t, "one unheard", func() bool { return s.Status()[0].Dropped["unheard"] == 1 })
	conn, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	eventually(t, "a client", func() bool { return s.Status()[0].Clients == 1 })
	s.Offer(0, flowOf("a\nb"))
	s.Offer(0, flowOf("c"))
	if got := names(t, conn, 2); strings.Join(got, "|") != "a\nb|c" {
		t.Errorf("got %q", got)
	}
}

// TestEncodings says that what netpold reads back from its own records is right in
// each encoding: where they end, of what kind and time they are, and the application.
func TestEncodings(t *testing.T) {
	end := &record.FlowEnd{FlowHead: record.FlowHead{Head: record.Head{Type: record.KindFlowEnd, Timestamp: 1795351500021}}}
	end.Flow.ApplicationName, end.Flow.HostName = "zoom", "detected_application_name\nx"
	long := *end
	long.Flow.ApplicationName = strings.Repeat("z", 40)
	for name, e := range map[string]encoding{"json": jsonLines, "msgpack": msgpackMaps} {
		both := e.add(e.add(nil, end, 0), &long, 0)
		n := e.next(both)
		kind, at := e.head(both)
		if kind != "flow_end" || at.UnixMilli() != 1795351500021 {
			t.Errorf("%s: got head %s %v", name, kind, at)
		}
		if a, b := e.application(both[:n]), e.application(both[n:]); a != "zoom" || b != long.Flow.ApplicationName {
			t.Errorf("%s: got applications %q, %q", name, a, b)
		}
		if e.count(both) != 2 || e.whole(both[:len(both)-1]) != n || e.count(both[:n-1]) != 0 || e.next(nil) != 0 {
			t.Errorf("%s: got %d records, %d bytes of whole ones", name, e.count(both), e.whole(both[:len(both)-1]))
		}
		if bytes.HasSuffix(e.bare(both[:n]), []byte("\n")) {
			t.Errorf("%s: a record by itself has a line end", name)
		}
		for _, none := range [][]byte{nil, []byte("x"), []byte("\xde\x00\x01\xa4type")} {
			if kind, at := e.head(none); kind != "" || !at.IsZero() || e.application(none) != "" {
				t.Errorf("%s: %q has head %q %v", name, none, kind, at)
			}
		}
	}
}
