package sink

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/netpol/netpol/compiler/artifact"
)

// compressions are those that this program has.
func compressions() []string {
	if _, err := newPacker("zstd"); err != nil {
		return []string{"gzip"}
	}
	return []string{"gzip", "zstd"}
}

// hostNames are those of the records in a compressed stream.
func hostNames(t *testing.T, word string, in io.Reader, most int) (list []string) {
	t.Helper()
	plain, err := unpacked(word, in)
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(plain)
	for len(list) < most && lines.Scan() {
		var r struct {
			Flow struct {
				HostName string `json:"host_server_name"`
			}
		}
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			t.Fatalf("%s: %v", lines.Bytes(), err)
		}
		list = append(list, r.Flow.HostName)
	}
	return list
}

// TestCompressedFile has a file written in several goes read as one stream, and begun
// anew when it is old by its first record.
func TestCompressedFile(t *testing.T) {
	for _, word := range compressions() {
		one := fileSink(filepath.Join(t.TempDir(), "flows"))
		one.Compress, one.RotateAge, one.Keep = word, time.Hour, 2
		write := func(names ...string) {
			s := New(Config{})
			s.Use([]artifact.Sink{one})
			for _, name := range names {
				s.Offer(0, flowOf(name))
			}
			s.Close()
			if st := s.Status()[0]; st.Fault != "" || len(st.Dropped) > 0 {
				t.Fatalf("%s: %+v", word, st)
			}
		}
		read := func(path string) []string {
			f, err := os.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			return hostNames(t, word, f, 99)
		}
		write("a", "b")
		write("c")
		if got := read(one.Path); !slices.Equal(got, []string{"a", "b", "c"}) {
			t.Errorf("%s: got %q", word, got)
		}
		p, err := newPacker(word)
		if err != nil {
			t.Fatal(err)
		}
		old := flowOf("old")
		old.Timestamp = time.Now().Add(-2 * time.Hour).UnixMilli()
		out, err := p.pack(append(old.AppendJSON(nil), '\n'))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(one.Path, out, fileMode); err != nil {
			t.Fatal(err)
		}
		write("new")
		if got := append(read(one.Path), read(one.Path+".1")...); !slices.Equal(got, []string{"new", "old"}) {
			t.Errorf("%s: got %q after two hours", word, got)
		}
	}
}

// TestCompressedSocket has a client come in the middle: what it gets is a stream from
// its beginning on.
func TestCompressedSocket(t *testing.T) {
	for _, word := range compressions() {
		path := filepath.Join(t.TempDir(), "s")
		s := New(Config{})
		s.Use([]artifact.Sink{{Name: "c", Kind: artifact.SinkUnix, Path: path, Queue: 1 << 20, Compress: word, Records: []string{"flow"}}})
		var conns []net.Conn
		for i := range 2 {
			eventually(t, "a client", func() bool {
				if conn, err := net.Dial("unix", path); err == nil {
					conns = append(conns, conn)
				}
				return len(conns) > i
			})
			eventually(t, "it is in", func() bool { return s.Status()[0].Clients == i+1 })
			s.Offer(0, flowOf(fmt.Sprint("n", i)))
			eventually(t, "it is written", func() bool { return len(s.slot(0).queue.waitingNow()) == 0 })
		}
		s.Close()
		for i, want := range []string{"n0,n1", "n1"} {
			if got := strings.Join(hostNames(t, word, conns[i], 9), ","); got != want {
				t.Errorf("%s: client %d got %s, want %s", word, i, got, want)
			}
			conns[i].Close()
		}
	}
}

func TestCompressedStdout(t *testing.T) {
	for _, word := range compressions() {
		var out bytes.Buffer
		s := New(Config{Stdout: &out})
		s.Use([]artifact.Sink{{Name: "c", Kind: artifact.SinkStdout, Queue: 1 << 20, Compress: word, Records: []string{"flow"}}})
		for i := range 500 {
			s.Offer(0, flowOf(fmt.Sprint("host", i)))
		}
		s.Close()
		plain := int(s.slot(0).bytes.Load())
		if n := len(hostNames(t, word, bytes.NewReader(out.Bytes()), 999)); n != 500 {
			t.Errorf("%s: got %d records", word, n)
		}
		t.Logf("%s: %d bytes of %d", word, out.Len(), plain)
	}
}

// TestNoSuchCompression says that a sink tells what this program cannot do.
func TestNoSuchCompression(t *testing.T) {
	if slices.Contains(compressions(), "zstd") {
		return // TestCompressedFile has it
	}
	one := fileSink(filepath.Join(t.TempDir(), "flows"))
	one.Compress = "zstd"
	s := New(Config{})
	defer s.Close()
	s.Use([]artifact.Sink{one})
	const want = "this netpold has no zstd: it is in one that was built with the tag sink_zstd"
	eventually(t, "a fault", func() bool { return s.Status()[0].Fault == want })
}
