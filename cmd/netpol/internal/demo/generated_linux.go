package demo

import (
	"context"
	"errors"

	"github.com/netpol/netpol/cmd/netpol/internal/lab"
)

// generated is the call that the lab makes up.
type generated struct{}

func (generated) introduce(c *console) {
	c.printf("A Zoom call, web pages, look-ups and BitTorrent, over IPv4 and IPv6; the TLS sessions are real.\n")
}

func (generated) prepare(t *lab.Topology) error { return t.AssignFor(lab.Call()) }

func (generated) play(ctx context.Context, t *lab.Topology) (err error) {
	call := lab.Call()
	traffic, err := lab.NewTraffic(t, call)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, traffic.Close()) }()
	return traffic.Play(ctx, call)
}

func (generated) expect(context.Context, *story) ([]expectation, error) {
	var want []expectation
	for _, c := range lab.Call() {
		proto := uint8(protoTCP)
		if c.Kind.UDP() {
			proto = protoUDP
		}
		want = append(want, expectation{
			connection: connection{proto, c.Client, c.Server}, about: c.About, label: c.Label, seen: true,
		})
	}
	return want, nil
}
