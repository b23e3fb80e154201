package main

import (
	"bytes"
	"fmt"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/netsampler/goflow2/v2/decoders/netflow"

	"github.com/netpol/netpol/enforcer/kernel/kerneltest"
)

// TestCollector has a collector on the local side: a TLS connection through the kernel
// is told there by its name when netpold stops, with the bytes of both sides, and an
// apply of the same policies changes nothing.
func TestCollector(t *testing.T) {
	lab := kerneltest.NewLab(t)
	s := newSite(t, lab.Router)
	s.installEnforcer()
	serveTLS(t, lab.Server)
	var collector net.PacketConn
	var err error
	lab.Client.Do(func() { collector, err = net.ListenPacket("udp", net.JoinHostPort(lab.ClientAddr4.String(), "4739")) })
	if err != nil {
		t.Fatal(err)
	}
	defer collector.Close()
	s.write("policies/collector.netpol.hcl", fmt.Sprintf("sink \"collector\" {\n  type    = \"ipfix\"\n  address = \"%s\"\n  records = [\"flow_stats\", \"flow_end\"]\n}\nsink \"named\" {\n  type    = \"file\"\n  path    = %q\n  records = \"flow\"\n}\n", collector.LocalAddr(), s.path("log/named.jsonl")))
	s.netpol(0, "apply", "--auto-approve", s.policies)
	s.wantText(s.netpol(0, "apply", "--auto-approve", s.policies), "No changes.")
	e := s.startEnforcer()
	zoom := dialTLS(t, lab.Client, lab.ServerAddr4, "us04web.zoom.us")
	s.wantText(s.netpol(0, "show"), "sink collector", "ipfix udp "+collector.LocalAddr().String())
	s.eventually("it is named", func() bool { return len(s.records("log/named.jsonl", "flow")) > 0 }) // netpold's own messages are, too
	if err := e.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := e.cmd.Wait(); err != nil {
		t.Errorf("netpold ended with %v", err)
	}
	system := netflow.CreateTemplateSystem()
	buf := make([]byte, 64<<10)
	for {
		_ = collector.SetReadDeadline(time.Now().Add(20 * time.Second))
		n, _, err := collector.ReadFrom(buf)
		if err != nil {
			t.Fatalf("the connection is not told: %v", err)
		}
		var p netflow.IPFIXPacket
		if err := netflow.DecodeMessageVersion(bytes.NewBuffer(bytes.Clone(buf[:n])), system, nil, &p); err != nil {
			t.Fatal(err)
		}
		for _, set := range p.FlowSets {
			flows, _ := set.(netflow.DataFlowSet)
			for _, r := range flows.Records {
				if collected(t, r.Values, zoom.Port()) {
					return
				}
			}
		}
	}
}

// collected says that a record is the one of the connection from a port, and checks it.
func collected(t *testing.T, fields []netflow.DataField, port uint16) bool {
	t.Helper()
	number := func(pen uint32, id uint16) (n uint64) {
		for _, f := range fields {
			if f.Type&0x7fff == id && f.Pen == pen {
				for _, b := range f.Value.([]byte) {
					n = n<<8 | uint64(b)
				}
			}
		}
		return n
	}
	if number(0, 7) != uint64(port) || number(0, 136) != 4 { // sourceTransportPort, flowEndReason: forced
		return false
	}
	text := fmt.Sprint(fields)
	for _, f := range fields {
		if b, ok := f.Value.([]byte); ok && (string(b) == "zoom" || string(b) == "us04web.zoom.us") {
			text = ""
		}
	}
	if sent, back := number(0, 1), number(29305, 1); text != "" || sent < 500 || back < 500 {
		t.Errorf("got %d and %d bytes, %s", sent, back, text)
	}
	return true
}
