package enforcer

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/dissect"
	"github.com/netpol/netpol/lang/fact"
)

// control is FTP's control connection, known by its greeting.
type control struct{}

func (control) Spec() dissect.Spec { return dissect.Spec{Name: "ftp", TCP: true} }

func (control) Dissect(w *dissect.Window, f *fact.Facts) dissect.Result {
	b := w.Stream[dissect.Server]
	if n := min(len(b), 3); string(b[:n]) != "220"[:n] || w.Closed[dissect.Server] && n < 3 {
		return dissect.NoMatch
	} else if n < 3 {
		return dissect.NeedMore
	}
	f.Protocol = "ftp"
	return dissect.Match
}

// sipper is SIP over UDP.
type sipper struct{}

func (sipper) Spec() dissect.Spec { return dissect.Spec{Name: "sip", UDP: true} }

func (sipper) Dissect(w *dissect.Window, f *fact.Facts) dissect.Result {
	if !bytes.Contains(w.Datagrams[0].Payload, []byte("SIP/2.0")) {
		return dissect.NoMatch
	}
	f.Protocol = "sip"
	return dissect.Match
}

func announcing(change ...func(*Config)) func(*Config) {
	return func(c *Config) {
		c.Dissectors = append(dissectors(), control{}, sipper{})
		for _, f := range change {
			f(c)
		}
	}
}

func protocolPolicy(protocol string) policyOf {
	return policyOf{name: protocol, all: []artifact.Test{textTest("protocol", protocol)}}
}

// names are the flows of a journal in short, less the control connections'.
func names(j *journal, not string) (lines []string) {
	for _, f := range j.flows {
		if f.Protocol != not {
			lines = append(lines, f.DstIP.String()+" "+f.Protocol+" "+f.By)
		}
	}
	return lines
}

// TestDataConnections: the second packet's answer to PASV names the connection that
// follows, between these two hosts, for a while, unless its bytes say otherwise.
func TestDataConnections(t *testing.T) {
	ftp := connect("192.168.1.2:40000", "198.51.100.1:21")
	s := newScript().handshake(ftp).tcp(ftp, server, "A", 0, "220 hello\r\n")
	off := uint32(11)
	for range 20 { // far behind the opening
		s.tcp(ftp, server, "A", off, "200 fine\r\n")
		off += 10
	}
	s.tcp(ftp, server, "A", off, "227 Entering Passive Mode (10,0,0,1,200,10)\r\n")
	s.tcp(connect("192.168.1.2:40001", "198.51.100.1:51210"), client, "A", 0, "\x00\x01\x02 data")
	s.tcp(connect("192.168.1.3:40001", "198.51.100.1:51210"), client, "A", 0, "\x00\x01\x02 another's")
	s.call(connect("192.168.1.2:40002", "198.51.100.1:51210"), "www.skype.com")
	s.wait(4*time.Minute).tcp(connect("192.168.1.2:40003", "198.51.100.1:51210"), client, "A", 0, "\x00\x01\x02 too late")
	j, _ := play(t, s, bundle(t, protocolPolicy("ftp-data")), announcing())
	want := []string{"198.51.100.1 ftp-data correlation", "198.51.100.1  ", "198.51.100.1 tls sni", "198.51.100.1  "}
	if diff := cmp.Diff(want, names(j, "ftp")); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestSplitAnnouncement: an answer that a server splits over two segments is heard,
// also behind another that never went on; one with a gap in between is not.
func TestSplitAnnouncement(t *testing.T) {
	ftp := connect("192.168.1.2:40000", "198.51.100.1:21")
	s := newScript().handshake(ftp).tcp(ftp, server, "A", 0, "220 hello\r\n")
	s.tcp(ftp, server, "A", 11, "200 fi") // lost: "ne\r\n"
	s.tcp(ftp, server, "A", 21, "227 Entering Passive Mode (10,0,0,1,")
	s.tcp(ftp, server, "A", 57, "200,10)\r\n227 Entering (10,0,0,1,200,")
	s.tcp(ftp, server, "A", 100, "11)\r\n")
	for i, port := range []string{"51210", "51211"} {
		s.tcp(connect(fmt.Sprintf("192.168.1.2:%d", 40001+i), "198.51.100.1:"+port), client, "A", 0, "\x00\x01\x02 data")
	}
	j, _ := play(t, s, bundle(t, protocolPolicy("ftp-data")), announcing())
	want := []string{"198.51.100.1 ftp-data correlation", "198.51.100.1  "}
	if diff := cmp.Diff(want, names(j, "ftp")); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestMediaIsNamedAtOnce: live, the first packet of announced media is labelled, and
// a control connection is read on until the kernel shows no more of it.
func TestMediaIsNamedAtOnce(t *testing.T) {
	sip := liveConn("192.168.1.2:5060", "198.51.100.1:5060")
	invite := "INVITE sip:b@example.com SIP/2.0\r\n\r\nv=0\r\nc=IN IP4 192.168.1.2\r\nm=audio 20000 RTP/AVP 0\r\n"
	media := liveConn("192.168.1.2:20000", "203.0.113.200:30000")
	s := newScript().udp(sip, client, "REGISTER sip:example.com SIP/2.0\r\n").udp(sip, client, invite).udp(media, client, "\x80\x00media")
	var writes int
	var j *journal
	s.do(func() { writes = len(j.lines) })
	b := bundle(t, protocolPolicy("rtp"))
	b.Catalogue.Protocols = append(b.Catalogue.Protocols, artifact.Protocol{Tag: "rtp", Category: "voip"}, artifact.Protocol{Tag: "sip", Category: "voip"})
	j = &journal{bits: []string{"rtp"}}
	play(t, s, b, announcing(live, func(c *Config) { c.Labels = j }))
	if writes < 1 || j.lines[0] != "udp 192.168.1.2:20000>203.0.113.200:30000 labels=[rtp]/1 mark=0x0/0x80000000" {
		t.Errorf("%d writes before the end: %q", writes, j.lines)
	}
}

// TestControlConnectionsAreReadOn: a live control connection does not end its own
// inspection, by its name or by its budget of packets.
func TestControlConnectionsAreReadOn(t *testing.T) {
	ftp := liveConn("192.168.1.2:40000", "198.51.100.1:21")
	s := newScript().handshake(ftp).tcp(ftp, server, "A", 0, "220 hello\r\n")
	off := uint32(11)
	for range 10 {
		s.tcp(ftp, server, "A", off, "200 fine\r\n")
		off += 10
	}
	s.tcp(ftp, server, "A", off, "229 Entering Extended Passive Mode (|||51210|)\r\n")
	s.tcp(liveConn("192.168.1.2:40001", "198.51.100.1:51210"), client, "A", 0, "\x00\x01\x02 data")
	b := bundle(t, protocolPolicy("ftp-data"))
	b.Ruleset.Chains = []artifact.Chain{{Rules: []artifact.Rule{{ID: "capture-forward/budget", Match: []artifact.Match{{Kind: artifact.MatchCTPackets, Limit: 33, Not: true}}}}}}
	j, _ := play(t, s, b, announcing(live))
	want := "tcp 192.168.1.2:40001>198.51.100.1:51210 labels=[ftp-data]/1 mark=0x0/0x80000000"
	if len(j.lines) == 0 || j.lines[0] != want {
		t.Errorf("got %q, want %q first", j.lines, want)
	}
}
