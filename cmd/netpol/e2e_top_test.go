package main

import (
	"bytes"
	"encoding/json"
	"io"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/netpol/netpol/enforcer/kernel/kerneltest"
)

// terminal keeps what a program has written to its terminal.
type terminal struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (t *terminal) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.buf.Write(p)
}

var sequences = regexp.MustCompile("\x1b\\[[0-9;?>=]*[a-zA-Z]|\x1b[]P][^\x07\x1b]*(\x07|\x1b\\\\)?")

// text is all of it without what moves the cursor.
func (t *terminal) text() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return sequences.ReplaceAllString(t.buf.String(), "")
}

// TestTop watches connections on a terminal of 80 columns and 24 lines: into an
// application, to the account of a connection, and out. For scripts it prints rows.
func TestTop(t *testing.T) {
	kerneltest.Need(t, "script")
	s, lab, _ := watched(t)
	dialTLS(t, lab.Client, lab.ServerAddr4, "us04web.zoom.us")
	s.eventually("the connection is named", func() bool { return strings.Contains(s.look(0, "top", "--once"), "\nzoom ") })
	var once struct {
		View  string
		Total struct{ Flows int }
		Rows  []struct {
			Name  string
			Flows int
		}
	}
	if err := json.Unmarshal([]byte(s.look(0, "top", "--json", "--view", "policies", "app == 'zoom'")), &once); err != nil ||
		once.View != "policies" || once.Total.Flows != 1 || len(once.Rows) != 2 || once.Rows[0].Flows != 1 {
		t.Errorf("got %+v, %v", once, err)
	}
	s.wantText(s.look(1, "top"), "needs a terminal")
	s.wantText(s.look(1, "top", "--view", "people"), "write one of apps, hosts, flows, policies")
	s.wantText(s.look(1, "top", "--sort", "size"), "write one of rate, up")
	s.wantText(s.look(1, "top", "--once", "app", "==", "zoom"), "write them in quotes")
	if out := s.look(0, "top", "--batch", "--count", "2", "--every", "500ms", "--sort", "name", "zoom"); strings.Count(out, "*APPLICATION") != 2 || strings.Count(out, "\nzoom ") != 2 {
		t.Errorf("got %s, want two looks", out)
	}
	s.wantText(s.look(1, "top", "--every", "1ms"), "at least 500ms")

	s.wantText(s.look(1, "top", "--once", "--view", "groups"), "there are no address groups: --policy")
	s.write("policies/groups.netpol.hcl", "address_group \"kids\" {\n members = [\"192.168.77.0/24\"]\n}\naddress_group \"home\" {\n members = [\"@kids\", \"10.0.0.0/8\"]\n}\n")
	s.wantText(s.look(0, "top", "--once", "--view", "groups", "--policy", s.policies), "\nkids ")

	line := strings.Join([]string{"stty cols 80 rows 24;", s.path("bin/netpol"), "top --every 500ms --state-dir", s.path("state"), "--run-dir", s.path("run")}, " ")
	cmd := exec.Command("script", "-qefc", line, "/dev/null")
	cmd.Env = append(cmd.Environ(), "TERM=xterm-256color")
	screen := &terminal{}
	cmd.Stdout, cmd.Stderr = screen, screen
	keys, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Process.Kill() }()
	press := func(key, want string) {
		t.Helper()
		if _, err := io.WriteString(keys, key); err != nil {
			t.Fatal(err)
		}
		s.eventually("the screen has "+want+" after "+key, func() bool { return strings.Contains(screen.text(), want) })
	}
	press("", "APPLICATION")
	press("", "zoom")
	press("?", "KEYS")
	press("?", "APPLICATION")
	press("\r", lab.ClientAddr4.String())
	press("\r", "us04web.zoom.us")
	press("\r", "named at packet")
	if _, err := io.WriteString(keys, "q"); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("it ended with %v\n%s", err, screen.text())
	}
}
