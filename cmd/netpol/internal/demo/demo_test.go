package demo_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// binDir is where program builds; TestMain makes and removes it.
var binDir string

// program is netpol, built once: the demo runs itself.
var program = sync.OnceValues(func() (string, error) {
	path := filepath.Join(binDir, "netpol")
	out, err := exec.Command("go", "build", "-o", path, "github.com/netpol/netpol/cmd/netpol").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, nil
})

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	var err error
	if binDir, err = os.MkdirTemp("", "netpol-demo"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(binDir)
	return m.Run()
}

// demo runs netpol demo and returns what it printed and its exit code.
func demo(t *testing.T, args ...string) (string, int) {
	t.Helper()
	if testing.Short() {
		t.Skip("builds and runs the whole program")
	}
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, path, append([]string{"demo", "--no-color"}, args...)...)
	cmd.Stdout, cmd.Stderr = &out, &out
	err = cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if strings.Contains(out.String(), "the demo needs network namespaces") && os.Getenv("NETPOL_REQUIRE_NETNS") == "" {
		t.Skip(out.String())
	}
	return out.String(), cmd.ProcessState.ExitCode()
}

func TestDemoTellsItsStory(t *testing.T) {
	begin := time.Now()
	got, code := demo(t)
	if code != 0 {
		t.Fatalf("got exit code %d, want 0\n%s", code, got)
	}
	t.Logf("%v\n%s", time.Since(begin), got)
	for _, want := range []string{
		`criteria    = "app == 'zoom'"`,
		`Did you mean 'zoom'\?`,
		`\^\^\^`,
		`Plan: \d+ to add`,
		`tls/zoom us04web\.zoom\.us TLSv1\.3 \(sni\)`,
		`tcp +src=192\.168\.1\.117 +dst=170\.114\.52\.2 +sport=50101 +dport=443 +labels=zoom`,
		`IP \(tos 0x0, ttl 63, proto TCP`,
		`IP \(tos 0xa0, ttl 63, proto TCP`,
		`IP6 \(class 0xa0`,
		`No changes\.`,
		`6 of 16 connections are Zoom: exactly those`,
		`6 of them were seen with tos 0xa0 on the wire, and no other`,
		`Now on your router`,
	} {
		if !regexp.MustCompile(want).MatchString(got) {
			t.Errorf("the story does not say %q", want)
		}
	}
	if t.Failed() {
		t.Log(got)
	}
}

func TestDemoPlaysWhatItRecorded(t *testing.T) {
	recording := filepath.Join(t.TempDir(), "call.pcap")
	if got, code := demo(t, "--record", recording); code != 0 {
		t.Fatalf("got exit code %d, want 0\n%s", code, got)
	}
	for _, args := range [][]string{nil, {"--client", "192.168.1.117"}} {
		got, code := demo(t, append([]string{"--capture", recording}, args...)...)
		// The client's IPv6 address is another client.
		if want := "4 of 13 connections are Zoom: exactly those"; code != 0 || !strings.Contains(got, want) {
			t.Errorf("got exit code %d, want 0 and %q\n%s", code, want, got)
		}
	}
}

func TestDemoRefusesWhatItCannotPlay(t *testing.T) {
	cases := []struct {
		name, want string
		args       []string
	}{
		{"no such file", "no such file", []string{"--capture", "/nowhere.pcap"}},
		{"not a capture", "read capture", []string{"--capture", "demo_test.go"}},
		{"client without a capture", "--client", []string{"--client", "192.0.2.1"}},
		{"client that is not an address", "--client", []string{"--capture", "demo_test.go", "--client", "me"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, code := demo(t, c.args...)
			if code != 1 || !strings.Contains(got, c.want) {
				t.Errorf("got exit code %d and %q, want 1 and something about %q", code, got, c.want)
			}
		})
	}
}
