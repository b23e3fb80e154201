package sink

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/netpol/netpol/compiler/artifact"
)

// rsyslog is a log server that writes what it makes of messages to a file.
func rsyslog(t *testing.T, tcp, udp int) (file string) {
	t.Helper()
	dir := t.TempDir()
	file = filepath.Join(dir, "got")
	config := fmt.Sprintf(`global(workDirectory=%q)
module(load="imtcp")
module(load="imudp")
template(name="t" type="string" string="%%pri-text%% %%app-name%% %%msgid%% %%protocol-version%% %%msg%%\n")
ruleset(name="r") { action(type="omfile" file=%q template="t") }
input(type="imtcp" address="127.0.0.1" port="%d" ruleset="r")
input(type="imudp" address="127.0.0.1" port="%d" ruleset="r" rcvbufSize="4m")
`, dir, file, tcp, udp)
	name := filepath.Join(dir, "conf")
	if err := os.WriteFile(name, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("rsyslogd", "-n", "-f", name, "-i", filepath.Join(dir, "pid"))
	var said bytes.Buffer
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
		if t.Failed() {
			t.Log(said.String())
		}
	})
	eventually(t, "rsyslog listens", func() bool {
		conn, err := net.Dial("tcp", fmt.Sprint("127.0.0.1:", tcp))
		if err != nil {
			return false
		}
		conn.Close()
		l, err := net.ListenPacket("udp", fmt.Sprint("127.0.0.1:", udp))
		if err == nil {
			l.Close()
		}
		return err != nil
	})
	return file
}

// TestRsyslogReadsWhatIsSent has a log server take messages by both transports, with
// facility, severity, name and record as they were.
func TestRsyslogReadsWhatIsSent(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	tcp, udp := l.Addr().(*net.TCPAddr).Port, unusedPort(t)
	l.Close()
	file := rsyslog(t, tcp, udp)
	s := New(Config{})
	defer s.Close()
	s.Use([]artifact.Sink{syslogSink("tcp", fmt.Sprint("127.0.0.1:", tcp), ""), syslogSink("udp", fmt.Sprint("127.0.0.1:", udp), "")})
	for i := range 100 {
		s.Offer(0, flowOf(fmt.Sprintf("tcp%d.example", i)))
		s.Offer(1, flowOf(fmt.Sprintf("udp%d.example", i)))
	}
	read := func() string {
		text, _ := os.ReadFile(file)
		return string(text)
	}
	eventually(t, "200 messages", func() bool { return strings.Count(read(), "\n") == 200 })
	whole := regexp.MustCompile(`^local0\.info netpold flow 1 \{"type":"flow",.*\}\}$`)
	for line := range strings.Lines(read()) {
		if !whole.MatchString(strings.TrimSpace(line)) {
			t.Errorf("got %s", line)
		}
	}
	for _, name := range []string{"tcp0", "tcp99", "udp0", "udp99"} {
		if n := strings.Count(read(), name+".example"); n != 1 {
			t.Errorf("%s came %d times", name, n)
		}
	}
}
