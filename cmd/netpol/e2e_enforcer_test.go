package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"math/big"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/netpol/netpol/enforcer/flow"
	"github.com/netpol/netpol/enforcer/kernel/ct"
	"github.com/netpol/netpol/enforcer/kernel/kerneltest"
)

// patience bounds every wait; what is waited for takes some milliseconds.
const patience = time.Minute

// eventually waits until a condition holds.
func (s *site) eventually(what string, holds func() bool) {
	s.t.Helper()
	for deadline := time.Now().Add(patience); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			s.t.Fatalf("after %v still not: %s", patience, what)
		}
	}
}

// enforcer is a running netpold.
type enforcer struct {
	cmd *exec.Cmd
	log bytes.Buffer
}

// startEnforcer runs netpold on the router and waits until it answers.
func (s *site) startEnforcer(more ...string) *enforcer {
	s.t.Helper()
	args := append([]string{"--state-dir", s.path("state"), "--run-dir", s.path("run"), "--etc-dir", s.path("etc"), "--log-level", "debug"}, more...)
	e := &enforcer{cmd: exec.Command(s.path("bin/netpold"), args...)}
	e.cmd.Stderr = &e.log
	var err error
	s.ns.Do(func() { err = e.cmd.Start() })
	if err != nil {
		s.t.Fatalf("start netpold: %v", err)
	}
	s.t.Cleanup(func() {
		if e.cmd.ProcessState == nil {
			_ = e.cmd.Process.Kill()
			_ = e.cmd.Wait()
		}
		if s.t.Failed() {
			s.t.Logf("netpold:\n%s", e.log.String())
		}
	})
	s.eventually("netpold answers", func() bool { return strings.Contains(s.netpol(0, "show"), "process ") })
	return e
}

func (s *site) installEnforcer() {
	s.t.Helper()
	if profiled() {
		if err := os.Link(s.path("bin/netpol"), s.path("bin/netpold")); err != nil {
			s.t.Fatal(err)
		}
		return
	}
	if out, err := exec.Command("go", "build", "-o", s.path("bin/netpold"), "../netpold").CombinedOutput(); err != nil {
		s.t.Fatalf("go build netpold: %v\n%s", err, out)
	}
}

// serveTLS answers every handshake on the server's port 443 with a certificate
// of no name.
func serveTLS(t *testing.T, ns *kerneltest.NS) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{SerialNumber: big.NewInt(1)},
		&x509.Certificate{SerialNumber: big.NewInt(1)}, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	var l net.Listener
	ns.Do(func() { l, err = net.Listen("tcp", ":443") })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	config := &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				server := tls.Server(conn, config)
				_ = server.Handshake()
				_, _ = server.Read(make([]byte, 1)) // until the client hangs up
				server.Close()
			}()
		}
	}()
}

// dialTLS opens a connection that asks for a host name, and keeps it open.
func dialTLS(t *testing.T, client *kerneltest.NS, server netip.Addr, name string) (local netip.AddrPort) {
	t.Helper()
	return openTLS(t, client, server, name).LocalAddr().(*net.TCPAddr).AddrPort()
}

func openTLS(t *testing.T, client *kerneltest.NS, server netip.Addr, name string) *tls.Conn {
	t.Helper()
	var conn net.Conn
	var err error
	client.Do(func() { conn, err = net.DialTimeout("tcp", netip.AddrPortFrom(server, 443).String(), patience) })
	if err != nil {
		t.Fatalf("connect: %v", err)
	}
	t.Cleanup(func() { conn.Close() })
	c := tls.Client(conn, &tls.Config{ServerName: name, InsecureSkipVerify: true})
	if err := c.Handshake(); err != nil {
		t.Fatalf("handshake: %v", err)
	}
	return c
}

// conn is what conntrack knows of the connection of a local port.
func (s *site) conn(local netip.AddrPort, server netip.Addr) ct.Conn {
	s.t.Helper()
	var conn ct.Conn
	var err error
	s.ns.Do(func() {
		var client *ct.Client
		if client, err = ct.Open(); err != nil {
			return
		}
		defer client.Close()
		conn, err = client.Get(flow.Tuple{Proto: 6, Src: local.Addr(), SrcPort: local.Port(), Dst: server, DstPort: 443})
	})
	if err != nil {
		s.t.Fatalf("ask conntrack for %v: %v", local, err)
	}
	return conn
}

// bit is the label's bit as apply wrote it to connlabel.conf.
func (s *site) bit(label string) int {
	s.t.Helper()
	data, err := os.ReadFile(s.path("etc/connlabel.conf"))
	if err != nil {
		s.t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		var bit int
		var name string
		if n, _ := fmt.Sscan(line, &bit, &name); n == 2 && name == label {
			return bit
		}
	}
	s.t.Fatalf("connlabel.conf has no label %s:\n%s", label, data)
	return 0
}

// doneMark is the default of the netpol block's done_mark: the enforcer's own
// bit of the mark, set when a flow is decided.
const doneMark = 0x80000000

// quietMark is that of quiet_mark: of decided flows on which no rule has an effect.
const quietMark = 0x40000000

func (s *site) tableWithHandles() string {
	s.t.Helper()
	return s.ns.Run("nft", "-s", "-a", "list", "table", "inet", "netpol")
}

func TestEnforcerLabelsAndSurvives(t *testing.T) {
	lab := kerneltest.NewLab(t)
	s := newSite(t, lab.Router)
	s.installEnforcer()
	serveTLS(t, lab.Server)

	// netpold waits for a bundle, and apply wakes it.
	first := s.startEnforcer()
	s.wantText(s.netpol(0, "show"), "waiting for a bundle")
	out := s.netpol(0, "apply", "--auto-approve", s.policies)
	s.wantText(out, "Told netpold: it enforces bundle ")

	for _, server := range []netip.Addr{lab.ServerAddr4, lab.ServerAddr6} {
		zoom := dialTLS(t, lab.Client, server, "zoomfrn99mmr.zoom.us")
		other := dialTLS(t, lab.Client, server, "www.example.org")
		bit := s.bit("zoom")
		s.eventually("zoom is decided", func() bool { c := s.conn(zoom, server); return c.Mark&doneMark != 0 && c.Has(bit) })
		s.eventually("example.org is decided", func() bool { c := s.conn(other, server); return c.Mark&doneMark != 0 })
		if c := s.conn(other, server); c.Has(bit) {
			t.Errorf("the connection to example.org is labelled: %+v", c)
		}
		to := netip.AddrPortFrom(server, 443).String()
		s.wantText(s.ask("why", "tcp", zoom.String(), to), "tls/zoom", "matches policy prioritize-zoom", "zoomfrn99mmr.zoom.us")
		s.wantText(s.ask("why", "tcp", to, other.String()), "does not match policy prioritize-zoom")
	}
	s.wantText(s.ask("flows", "app == 'zoom'"), "zoomfrn99mmr.zoom.us")

	survivesKill(t, lab, s, first)
}

// survivesKill goes on after TestEnforcerLabelsAndSurvives: what was decided
// stays, and a new netpold takes up the work without touching a rule.
func survivesKill(t *testing.T, lab *kerneltest.Lab, s *site, first *enforcer) {
	t.Helper()
	bit := s.bit("zoom")
	labelled := func(local netip.AddrPort) bool { c := s.conn(local, lab.ServerAddr4); return c.Has(bit) }
	zoom := dialTLS(t, lab.Client, lab.ServerAddr4, "zoom.us")
	s.eventually("zoom.us is labelled", func() bool { return labelled(zoom) })
	table := s.tableWithHandles()
	if err := first.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = first.cmd.Wait()
	if !labelled(zoom) || s.tableWithHandles() != table {
		t.Error("killing netpold took a label or a rule away")
	}
	s.wantText(s.netpol(0, "show"), "netpold does not run")

	second := s.startEnforcer()
	if got := s.tableWithHandles(); got != table {
		t.Errorf("a restart rewrote the table:\n%s\nbefore:\n%s", got, table)
	}
	next := dialTLS(t, lab.Client, lab.ServerAddr4, "us04web.zoom.us")
	s.eventually("a connection after the restart is labelled", func() bool { return labelled(next) })
	s.wantText(s.netpol(0, "apply", "--auto-approve", s.policies), "No changes.")

	// destroy sends netpold back to waiting; SIGTERM ends it in order.
	s.wantText(s.netpol(0, "destroy", "--auto-approve"), "Told netpold to stop", "Destroy complete!")
	s.wantText(s.netpol(0, "show"), "waiting for a bundle")
	if err := second.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := second.cmd.Wait(); err != nil {
		t.Errorf("netpold ended with %v", err)
	}
}

func TestApplyReachesOpenConnections(t *testing.T) {
	lab := kerneltest.NewLab(t)
	s := newSite(t, lab.Router)
	s.installEnforcer()
	serveTLS(t, lab.Server)
	s.netpol(0, "apply", "--auto-approve", s.policies)
	s.startEnforcer()
	server := lab.ServerAddr4
	open := dialTLS(t, lab.Client, server, "www.example.org")
	s.eventually("example.org is decided", func() bool { c := s.conn(open, server); return c.Mark&doneMark != 0 })

	// Another policy, and another NFLOG group: the flow is not forgotten, and
	// packets come through the new group.
	s.write("policies/office.netpol.hcl", `netpol {
  log_group = 4799
}

policy "office" {
  criteria = "hostname == 'www.example.org'"
  label    = "office"
}
`)
	s.wantText(s.netpol(0, "apply", "--auto-approve", s.policies), "+ policy  office", "+ label   office", "Told netpold")
	office := s.bit("office")
	s.eventually("the open connection has the new label", func() bool { c := s.conn(open, server); return c.Has(office) })
	zoom := dialTLS(t, lab.Client, server, "zoom.us")
	bit := s.bit("zoom")
	s.eventually("a new connection has its label", func() bool { c := s.conn(zoom, server); return c.Has(bit) })

	// The policy goes: so does its label.
	if err := os.Remove(s.path("policies/office.netpol.hcl")); err != nil {
		t.Fatal(err)
	}
	s.wantText(s.netpol(0, "apply", "--auto-approve", s.policies), "- policy  office", "- label   office")
	s.eventually("zoom keeps its label", func() bool { c := s.conn(zoom, server); return c.Has(bit) })
}

// TestPlanSeesWhatStandsAgainstIt: a netpold that enforces another bundle than
// the one applied, and a kernel that was told to count no longer.
func TestPlanSeesWhatStandsAgainstIt(t *testing.T) {
	s := newSite(t, kerneltest.NewNS(t))
	s.installEnforcer()
	s.netpol(0, "apply", "--auto-approve", s.policies)
	old, err := os.ReadFile(s.path("state/bundle.npb"))
	if err != nil {
		t.Fatal(err)
	}
	s.write("old/bundle.npb", string(old))
	s.write("policies/office.netpol.hcl", `policy "office" {
  criteria = "hostname == 'www.example.com'"
  label    = "office"
}
`)
	s.netpol(0, "apply", "--auto-approve", s.policies)
	s.startEnforcer("--state-dir", s.path("old"))
	s.wantText(s.netpol(2, "plan", "--detailed-exitcode", s.policies), "No changes", "netpold enforces bundle")
	s.wantText(s.netpol(2, "plan", "--refresh-only", "--detailed-exitcode"), "netpold enforces bundle")
	s.wantText(s.netpol(1, "apply", "--auto-approve", s.policies), "does it have another --state-dir?")
	s.ns.Sysctl("net/netfilter/nf_conntrack_acct", "0")
	s.wantText(s.netpol(2, "plan", "--detailed-exitcode", s.policies), "sysctl -w net.netfilter.nf_conntrack_acct=1")
}
