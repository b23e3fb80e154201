//go:build sink_kafka

package sink

import (
	"bufio"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/kernel/kerneltest"
)

// TestKafkaByOthers has somebody else's client read what was produced: librdkafka's,
// in kcat, which checks the checksum of each batch.
func TestKafkaByOthers(t *testing.T) {
	kerneltest.Need(t, "kcat")
	k := newKafka(t, kafkaPlan{Topics: []string{"netpol.flow", "netpol.flow.gzip", "netpol.flow.snappy", "netpol.flow.lz4", "netpol.flow.zstd"}})
	for _, compress := range []string{"", "gzip", "snappy", "lz4", "zstd"} {
		one := k.sink()
		if one.Compress = compress; compress != "" {
			one.Topic += "." + compress
		}
		s := New(Config{})
		s.Use([]artifact.Sink{one})
		for i := range 1000 {
			r := flowOf(fmt.Sprint("host", i))
			r.Flow.Digest = [20]byte{byte(i)}
			s.Offer(0, r)
		}
		cmd := exec.Command("kcat", "-b", k.address(), "-X", "check.crcs=true", "-C", "-t", strings.ReplaceAll(one.Topic, "{type}", "flow"), "-o", "beginning", "-u", "-q", "-f", "%k %s\n")
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { kill(cmd) })
		names := map[string]bool{}
		limit := time.AfterFunc(20*time.Second, func() { _ = cmd.Process.Kill() })
		for lines := bufio.NewScanner(out); len(names) < 1000 && lines.Scan(); {
			name := hostIn(lines.Bytes())
			var i int
			if _, err := fmt.Sscanf(name, "host%d", &i); err != nil || !strings.HasPrefix(lines.Text(), fmt.Sprintf("%02x%038d {", byte(i), 0)) {
				t.Fatalf("%s: kcat reads %s", compress, lines.Text())
			}
			names[name] = true
		}
		limit.Stop()
		if st := s.Status()[0]; len(names) != 1000 || st.Fault != "" || len(st.Dropped) > 0 {
			t.Errorf("compressed by %q: kcat read %d records of 1000; %+v", compress, len(names), st)
		}
		s.Close()
		kill(cmd)
	}
}
