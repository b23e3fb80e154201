package demo

import (
	"fmt"
	"net/netip"
	"os"
	"strconv"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/kernel/ct"
	"github.com/netpol/netpol/enforcer/kernel/nft"
)

// bundleFile is what netpol apply leaves for netpold.
const bundleFile = "/var/lib/netpol/bundle.npb"

// bundle is the applied bundle: the story reads label bits from it.
func bundle() (*artifact.Bundle, error) {
	data, err := os.ReadFile(bundleFile)
	if err != nil {
		return nil, fmt.Errorf("read applied bundle: %w", err)
	}
	return artifact.Decode(data)
}

// conntrack reads the router's connection table.
func (s *story) conntrack() ([]entry, error) {
	b, err := bundle()
	if err != nil {
		return nil, err
	}
	var entries []entry
	err = s.lab.Router.Do(func() error {
		client, err := ct.Open()
		if err != nil {
			return err
		}
		defer client.Close()
		return client.Dump(func(c ct.Conn) error {
			entries = append(entries, toEntry(c, b.Labels))
			return nil
		})
	})
	return entries, err
}

func toEntry(c ct.Conn, labels []artifact.Label) entry {
	e := entry{connection: connection{
		proto:  c.Orig.Proto,
		client: netip.AddrPortFrom(c.Orig.Src, c.Orig.SrcPort),
		server: netip.AddrPortFrom(c.Orig.Dst, c.Orig.DstPort),
	}}
	for _, l := range labels {
		if !l.Auto && c.Has(l.Bit) {
			e.labels = append(e.labels, l.Name)
		}
	}
	return e
}

// showCounters prints what the rules of the table have counted.
func (s *story) showCounters() error {
	b, err := bundle()
	if err != nil {
		return err
	}
	names := map[int]string{}
	for _, l := range b.Labels {
		names[l.Bit] = l.Name
	}
	var counts []nft.Count
	err = s.lab.Router.Do(func() (err error) {
		counts, err = nft.Counters(b.Ruleset.Family, b.Ruleset.Table, names)
		return err
	})
	if err != nil {
		return err
	}
	s.heading("What the rules have counted")
	s.command("nft", "list", "table", b.Ruleset.Family, b.Ruleset.Table)
	var rows [][]string
	for _, c := range counts {
		rows = append(rows, []string{c.Chain, c.Summary, strconv.FormatUint(c.Packets, 10) + " packets", strconv.FormatUint(c.Bytes, 10) + " bytes"})
	}
	s.table(rows)
	return nil
}
