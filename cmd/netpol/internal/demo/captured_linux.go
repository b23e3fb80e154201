package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"strings"

	"github.com/netpol/netpol/cmd/netpol/internal/lab"
)

// captured is a capture file, played from both ends.
type captured struct {
	file    *os.File // stays open: the lab may hide its path
	client  netip.Addr
	packets []lab.Packet
	skipped int
}

func openCapture(path string, client netip.Addr) (*captured, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	capture, err := lab.ReadCapture(path)
	if err != nil {
		return nil, err
	}
	if !client.IsValid() {
		if client, err = capture.Client(); err != nil {
			return nil, fmt.Errorf("capture %s: %w", path, err)
		}
	}
	packets := capture.Of(client)
	if len(packets) == 0 {
		return nil, fmt.Errorf("capture %s: no packets of client %s", path, client)
	}
	return &captured{file: file, client: client, packets: packets, skipped: capture.Skipped}, nil
}

func (p *captured) introduce(c *console) {
	c.printf("%d packets of %s, from both ends of the router; client %s. %d frames that no router forwards are left out.\n",
		len(p.packets), filepath.Base(p.file.Name()), p.client, p.skipped)
}

func (p *captured) prepare(t *lab.Topology) error { return t.AssignForCapture(p.client) }

func (p *captured) play(ctx context.Context, t *lab.Topology) error {
	_, err := t.PlayCapture(ctx, p.client, p.packets)
	return err
}

// replayed is what the demo reads of a row of netpol replay.
type replayed struct {
	IPProtocol  uint8      `json:"ip_protocol"`
	SrcIP       netip.Addr `json:"src_ip"`
	SrcPort     uint16     `json:"src_port"`
	DstIP       netip.Addr `json:"dst_ip"`
	DstPort     uint16     `json:"dst_port"`
	Protocol    string     `json:"protocol"`
	Application string     `json:"application"`
	Hostname    string     `json:"hostname"`
	Labels      []string   `json:"labels"`
}

// expect asks netpol replay: what the same engine says of the file must come
// out of the kernel, for the connections that were played.
func (p *captured) expect(ctx context.Context, s *story) ([]expectation, error) {
	sightings := make([]lab.Sighting, len(p.packets))
	for i, packet := range p.packets {
		sightings[i] = packet.Sighting
	}
	played := trails(sightings)
	out, err := s.output(ctx, "replay", "--policy", policyDir, "--format", "rows", fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), p.file.Fd()))
	if err != nil {
		return nil, err
	}
	var want []expectation
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var r replayed
		err := d.Decode(&r)
		if errors.Is(err, io.EOF) {
			return want, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read output of replay: %w", err)
		}
		c := connection{r.IPProtocol, netip.AddrPortFrom(r.SrcIP, r.SrcPort), netip.AddrPortFrom(r.DstIP, r.DstPort)}
		t, ok := played[c.key()]
		if (c.proto != protoTCP && c.proto != protoUDP) || !ok {
			continue
		}
		about := strings.Join(strings.Fields(r.Protocol+" "+r.Application+" "+r.Hostname), " ")
		want = append(want, expectation{
			connection: c, about: about, label: strings.Join(r.Labels, ","), coloured: t.marked > 0,
		})
	}
}
