package daemon

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/control"
	"github.com/netpol/netpol/enforcer/kernel/capture"
	"github.com/netpol/netpol/enforcer/kernel/kerneltest"
	"github.com/netpol/netpol/lang/fact"
)

// patience bounds every wait; what is waited for takes some milliseconds.
const patience = time.Minute

// testConfig has directories of its own. The socket's path must fit a
// sockaddr_un, which t.TempDir does not promise.
func testConfig(t *testing.T) config {
	t.Helper()
	dir, err := os.MkdirTemp("", "npd")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return config{stateDir: filepath.Join(dir, "state"), runDir: filepath.Join(dir, "run"), maxFlows: 64, interval: time.Second}
}

// startDaemon runs a daemon until the test ends or stop is called.
func startDaemon(t *testing.T, cfg config) (d *daemon, stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	d = newDaemon(cfg, slog.New(slog.DiscardHandler))
	ended := make(chan error, 1)
	go func() { ended <- d.run(ctx) }()
	stop = func() error {
		cancel()
		select {
		case err := <-ended:
			ended <- err
			return err
		case <-time.After(patience):
			return errors.New("the daemon does not stop")
		}
	}
	t.Cleanup(func() { _ = stop() })
	return d, stop
}

func dial(t *testing.T, cfg config) *control.Client {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		client, err := control.Dial(cfg.socketPath())
		if err == nil {
			t.Cleanup(func() { client.Close() })
			return client
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

func TestDaemonWaitsForABundle(t *testing.T) {
	cfg := testConfig(t)
	_, stop := startDaemon(t, cfg)
	client := dial(t, cfg)
	status, err := client.Status()
	if err != nil || !status.Waiting || status.Digest != "" || status.Detail != waitingForBundle {
		t.Errorf("got %+v, %v, want a netpold that waits", status, err)
	}
	flows, err := client.Flows(10)
	if err != nil || len(flows) != 0 {
		t.Errorf("got %v, %v, want no flows", flows, err)
	}
	if err := stop(); err != nil {
		t.Errorf("stopped with %v", err)
	}
	if _, err := os.Stat(cfg.socketPath()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the socket is still there: %v", err)
	}
}

func TestDaemonSaysWhatIsWrongWithABundle(t *testing.T) {
	cfg := testConfig(t)
	startDaemon(t, cfg)
	client := dial(t, cfg)
	if err := os.MkdirAll(cfg.stateDir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(cfg.bundlePath(), []byte("not one"), 0o644); err != nil {
		t.Fatal(err)
	}
	status, err := client.Reload()
	if err == nil || !strings.Contains(err.Error(), artifact.ErrMagic.Error()) {
		t.Errorf("got error %v, want %v", err, artifact.ErrMagic)
	}
	if !status.Waiting || !strings.Contains(status.Detail, artifact.ErrMagic.Error()) {
		t.Errorf("got %+v, want a netpold that waits and says why", status)
	}

	if err := os.Remove(cfg.bundlePath()); err != nil {
		t.Fatal(err)
	}
	if status, err = client.Reload(); err != nil || status.Detail != waitingForBundle {
		t.Errorf("got %+v, %v after the broken bundle went", status, err)
	}
}

func TestDaemonNotifiesSystemd(t *testing.T) {
	cfg := testConfig(t)
	if err := os.MkdirAll(cfg.runDir, 0o755); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(cfg.runDir, "notify")
	socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	t.Setenv("NOTIFY_SOCKET", path)
	next := func() string {
		b := make([]byte, 512)
		if err := socket.SetReadDeadline(time.Now().Add(patience)); err != nil {
			t.Fatal(err)
		}
		n, err := socket.Read(b)
		if err != nil {
			t.Fatalf("read notification: %v", err)
		}
		return string(b[:n])
	}

	_, stop := startDaemon(t, cfg)
	if got, want := next(), "READY=1\nSTATUS="+waitingForBundle; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if _, err := dial(t, cfg).Reload(); err != nil {
		t.Fatal(err)
	}
	if got := next(); !strings.HasPrefix(got, "RELOADING=1\nMONOTONIC_USEC=") {
		t.Errorf("got %q, want a reload", got)
	}
	if got := next(); !strings.HasPrefix(got, "READY=1\n") {
		t.Errorf("got %q, want to be ready again", got)
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if got := next(); got != "STOPPING=1" {
		t.Errorf("got %q, want the end", got)
	}
}

func TestSecondDaemonIsRefused(t *testing.T) {
	cfg := testConfig(t)
	startDaemon(t, cfg)
	dial(t, cfg)
	second := newDaemon(cfg, slog.New(slog.DiscardHandler))
	if err := second.run(t.Context()); !errors.Is(err, control.ErrServed) {
		t.Errorf("got %v, want %v", err, control.ErrServed)
	}
}

func TestBusyLogGroupIsExplained(t *testing.T) {
	kerneltest.NewNS(t)
	const group = 4788
	other, err := capture.OpenNFLog(capture.NFLogConfig{Group: group})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	cfg := testConfig(t)
	writeBundle(t, cfg, group)
	// run opens the capture on this goroutine, which is in the namespace.
	err = explain(newDaemon(cfg, slog.New(slog.DiscardHandler)).run(t.Context()))
	if !errors.Is(err, capture.ErrGroupBusy) || !strings.Contains(err.Error(), "log_group") {
		t.Errorf("got %v, want a busy group and the way out", err)
	}
}

func writeBundle(t *testing.T, cfg config, group uint16) {
	t.Helper()
	data, err := artifact.Encode(&artifact.Bundle{
		Format: artifact.FormatVersion, ABI: fact.ABI(),
		Settings: artifact.Settings{LogGroup: group, InspectPacket: 32, DoneMark: 1 << 31},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(cfg.stateDir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(cfg.bundlePath(), data, 0o644); err != nil {
		t.Fatal(err)
	}
}
