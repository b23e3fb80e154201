package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/netpol/netpol/enforcer/kernel/kerneltest"
)

// defaultDeny is the example of docs/language.md: the operator's own table lets
// pass what has a name that is wanted and what has not been judged.
const defaultDeny = `
table inet mine {
	chain forward {
		type filter hook forward priority filter + 20; policy accept;
		ct label %d counter accept
		ct label %d counter drop
	}
}
`

// TestDefaultDenyByTheAnalysedLabel: with netpold, only zoom gets further than
// its opening; without it nothing is judged, and all passes.
func TestDefaultDenyByTheAnalysedLabel(t *testing.T) {
	lab := kerneltest.NewLab(t)
	s := newSite(t, lab.Router)
	s.installEnforcer()
	serveTLS(t, lab.Server)
	s.write("policies/zoom.netpol.hcl", `netpol {
  label_applications = ["zoom"]
  analysed_label     = "analysed"
}
`)
	s.netpol(0, "apply", "--auto-approve", s.policies)
	s.write("mine.nft", fmt.Sprintf(defaultDeny, s.bit("app-zoom"), s.bit("analysed")))
	lab.Router.Run("nft", "-f", s.path("mine.nft"))
	server := lab.ServerAddr4

	if !answers(t, lab, "www.example.org", patience, nil) {
		t.Error("without netpold a connection that nobody judges is stopped")
	}
	netpold := s.startEnforcer()
	judged := func(local netip.AddrPort) {
		s.eventually("netpold has judged", func() bool {
			c := s.conn(local, server)
			return c.Has(s.bit("analysed"))
		})
	}
	for range 3 {
		if !answers(t, lab, "us04web.zoom.us", patience, judged) {
			t.Error("a connection of zoom is stopped")
		}
		if answers(t, lab, "www.example.org", time.Second, judged) {
			t.Error("a connection of something else passes")
		}
	}
	zoom := dialTLS(t, lab.Client, server, "zoom.us")
	s.eventually("zoom's analysis is over", func() bool {
		c := s.conn(zoom, server)
		return c.Has(s.bit("analysed")) && c.Has(s.bit("app-zoom")) && c.Mark&doneMark != 0
	})
	s.wantText(s.netpol(0, "apply", "--auto-approve", s.policies), "No changes.")

	// The label is the done mark's shadow: a netpold that starts anew finds it there
	// and writes nothing.
	if err := netpold.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = netpold.cmd.Wait()
	s.startEnforcer()
	if c := s.conn(zoom, server); !c.Has(s.bit("analysed")) || !c.Has(s.bit("app-zoom")) {
		t.Errorf("after a restart: %+v", c)
	}
}

// TestTheKernelsOwnConnectionsAreAnalysed: what no policy asks more of than
// headers is over with the first packet, and needs no netpold.
func TestTheKernelsOwnConnectionsAreAnalysed(t *testing.T) {
	for name, policy := range map[string]string{
		"headers alone": `policy "web" {
  criteria = "dst_port == 443"
  label    = "web"
}`,
		"not of interest": `policy "web" {
  criteria = "dst_port == 443"
  label    = "web"
}
policy "elsewhere" {
  criteria = "local_ip in '10.99.0.0/16' and app == 'zoom'"
  label    = "zoom"
}`,
	} {
		t.Run(name, func(t *testing.T) {
			lab := kerneltest.NewLab(t)
			s := newSite(t, lab.Router)
			serveTLS(t, lab.Server)
			s.write("policies/zoom.netpol.hcl", "netpol {\n  analysed_label = \"analysed\"\n}\n"+policy)
			s.netpol(0, "apply", "--auto-approve", s.policies)
			local := dialTLS(t, lab.Client, lab.ServerAddr4, "zoom.us")
			if c := s.conn(local, lab.ServerAddr4); !c.Has(s.bit("analysed")) || !c.Has(s.bit("web")) {
				t.Errorf("the connection is not analysed: %+v", c)
			}
		})
	}
}

// answers says that a server's answer to a hello comes in time, and one to what
// is sent once the connection has been judged, where somebody judges.
func answers(t *testing.T, lab *kerneltest.Lab, name string, within time.Duration, judged func(netip.AddrPort)) bool {
	t.Helper()
	var conn net.Conn
	var err error
	lab.Client.Do(func() {
		conn, err = net.DialTimeout("tcp", netip.AddrPortFrom(lab.ServerAddr4, 443).String(), patience)
	})
	if err != nil {
		t.Fatalf("connect: %v", err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(within))
	c := tls.Client(conn, &tls.Config{ServerName: name, InsecureSkipVerify: true})
	if err := c.Handshake(); err != nil {
		return false
	}
	if judged != nil {
		judged(conn.LocalAddr().(*net.TCPAddr).AddrPort())
	}
	_ = conn.SetDeadline(time.Now().Add(within))
	_, _ = c.Write([]byte{1}) // serveTLS hangs up then
	_, err = c.Read(make([]byte, 1))
	return !errors.Is(err, os.ErrDeadlineExceeded)
}
