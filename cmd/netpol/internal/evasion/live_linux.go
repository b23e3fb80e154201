package evasion

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/netpol/netpol/cmd/netpol/internal/lab"
	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer"
	"github.com/netpol/netpol/enforcer/dissect/all"
	"github.com/netpol/netpol/enforcer/flow"
	"github.com/netpol/netpol/enforcer/kernel/capture"
	"github.com/netpol/netpol/enforcer/kernel/ct"
	"github.com/netpol/netpol/enforcer/kernel/nft"
	"github.com/netpol/netpol/enforcer/telemetry"
)

// Networks that the clients of the variants are in; see asClient.
var (
	clients4 = netip.MustParsePrefix("192.0.0.0/8")
	clients6 = netip.MustParsePrefix("2001:db8:1::/48")
)

// settleLimit is how long a connection that goes no further is inspected, and
// some: netpold decides it after ten seconds.
const settleLimit = 14 * time.Second

// RunLive plays the rows through a router: three network namespaces, the kernel's
// connection tracking and defragmentation, the rules that a bundle has, and the
// engine behind them as netpold has it. Each variant has a client of its own, so
// that all are on their way at once. It needs the rights of lab.Enter.
func RunLive(ctx context.Context, catalogue *artifact.Catalogue, rows []Row) (results []Result, err error) {
	bundle, err := compileSet(catalogue)
	if err != nil {
		return nil, err
	}
	topology, err := lab.New()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, topology.Close()) }()
	wire, err := topology.NewWire(clients4, clients6)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, wire.Close()) }()
	r, err := newRouter(topology, bundle)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.close()) }()

	n := 0
	for _, row := range rows {
		for _, v := range row.variants {
			result := Result{Row: row.Number, Title: row.Title, Variant: v.name, Want: v.want}
			if d := differenceOf(row.Number, v.name); d != nil {
				result.Why = d.why
				if result.Skipped = d.skip; !d.skip {
					result.Want = d.want
				}
			}
			if !result.Skipped {
				if err := send(wire, v.build().frames, n); err != nil {
					return nil, fmt.Errorf("play row %d: %w", row.Number, err)
				}
			}
			results = append(results, result)
			n++
		}
	}
	outcomes, err := r.outcomes(ctx)
	if err != nil {
		return nil, err
	}
	for i := range results {
		results[i].Got = outcomes[i]
	}
	slices.SortStableFunc(results, func(a, b Result) int { return a.Row - b.Row })
	return results, nil
}

// packetGap lies between packets: their order is what many rows are about, and
// two links have none between them.
const packetGap = 200 * time.Microsecond

// send puts a variant's packets on the wire, as those of client n.
func send(wire *lab.Wire, frames []frame, n int) error {
	const etherLen = 14
	for _, f := range frames {
		ip := slices.Clone(f.data[etherLen:])
		fromClient := asClient(ip, n)
		if err := wire.Send(fromClient, ip); err != nil {
			return err
		}
		time.Sleep(packetGap)
	}
	return nil
}

// asClient gives the client's address in an IP packet another one, of client n,
// that has the same sum: so that checksums, the wrong ones as well, stay what they
// are even in fragments. Fragments are given an identification of n's, too. It says
// whether the packet is the client's.
func asClient(ip []byte, n int) (fromClient bool) {
	k := uint16(n + 1)
	shift := func(addr []byte, up, down int) {
		binary.BigEndian.PutUint16(addr[up:], binary.BigEndian.Uint16(addr[up:])+k)
		binary.BigEndian.PutUint16(addr[down:], binary.BigEndian.Uint16(addr[down:])-k)
	}
	if ip[0]>>4 == 4 {
		src, dst := ip[12:16], ip[16:20]
		if fromClient = addr(src) == client4; fromClient {
			shift(src, 0, 2)
		} else {
			shift(dst, 0, 2)
		}
		return fromClient
	}
	src, dst := ip[8:24], ip[24:40]
	at := dst
	if fromClient = addr(src) == client6; fromClient {
		at = src
	}
	binary.BigEndian.PutUint16(at[12:], ^k)
	binary.BigEndian.PutUint16(at[14:], binary.BigEndian.Uint16(at[14:])+k)
	return fromClient
}

// clientOf is the n behind an address of asClient.
func clientOf(a netip.Addr) int {
	b := a.AsSlice()
	if a.Is4() {
		return int(binary.BigEndian.Uint16(b)) - int(binary.BigEndian.Uint16(client4.AsSlice())) - 1
	}
	return int(^binary.BigEndian.Uint16(b[12:])) - 1
}

// router is the engine on the topology's router.
type router struct {
	bundle *artifact.Bundle
	source *capture.Live
	writer *ct.Writer
	client *ct.Client
	engine *enforcer.Engine
	cancel context.CancelFunc
	ended  chan error
	last   map[int]telemetry.Flow // by client; the engine's while it runs
}

func newRouter(t *lab.Topology, bundle *artifact.Bundle) (*router, error) {
	r := &router{bundle: bundle, ended: make(chan error, 1), last: make(map[int]telemetry.Flow)}
	err := t.Router.Do(func() (err error) {
		if err = nft.Apply(&bundle.Ruleset); err != nil {
			return err
		}
		if r.source, err = capture.OpenLive(capture.LiveConfig{Groups: []uint16{bundle.Settings.LogGroup}}); err != nil {
			return err
		}
		if r.writer, err = ct.NewWriter(); err != nil {
			return err
		}
		r.client, err = ct.Open()
		return err
	})
	if err != nil {
		return nil, errors.Join(err, r.release())
	}
	r.engine, err = enforcer.New(enforcer.Config{
		Source: r.source, Labels: r.writer, Resolver: r.client, Dissectors: all.Dissectors(), Bundle: bundle, Live: true,
		Recorder: recorder(func(f *telemetry.Flow) {
			n := clientOf(f.SrcIP)
			if was, ok := r.last[n]; !ok || !f.FirstSeen.Before(was.FirstSeen) {
				r.last[n] = *f // its lists are the engine's, and not looked at
			}
		}),
	})
	if err != nil {
		return nil, errors.Join(err, r.release())
	}
	ctx, cancel := context.WithCancel(context.Background())
	r.cancel = cancel
	go func() { r.ended <- r.engine.Run(ctx) }()
	return r, nil
}

// outcomes waits until every connection is decided, and gives those of the
// clients.
func (r *router) outcomes(ctx context.Context) (map[int]Outcome, error) {
	for deadline := time.Now().Add(settleLimit); time.Now().Before(deadline); {
		if s := r.engine.Stats(); s.Opening == 0 && s.Packets > 0 {
			break
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
	r.cancel()
	if err := <-r.ended; err != nil {
		return nil, err
	}
	r.ended <- nil
	outcomes := make(map[int]Outcome)
	for n, f := range r.last {
		outcomes[n] = Outcome{Host: f.Hostname, Protocol: f.Protocol}
	}
	return outcomes, r.labels(outcomes)
}

// labels has outcomes say what the kernel's connections carry.
func (r *router) labels(outcomes map[int]Outcome) error {
	bits := make(map[string]int)
	for _, l := range r.bundle.Labels {
		bits[l.Name] = l.Bit
	}
	err := r.client.Connections(0, 0, func(c *flow.Connection) error {
		has := func(label string) bool { bit := bits[label]; return c.Labels[bit/8]&(1<<(bit%8)) != 0 }
		n := clientOf(c.Orig.Src)
		o := outcomes[n]
		o.Evasive, o.ECH = o.Evasive || has("evasive"), o.ECH || has("ech")
		outcomes[n] = o
		return nil
	})
	if err != nil {
		return fmt.Errorf("list connections: %w", err)
	}
	return nil
}

// close ends the engine and gives the kernel's doors up.
func (r *router) close() error {
	r.cancel()
	return errors.Join(<-r.ended, r.release())
}

func (r *router) release() error {
	var errs []error
	if r.source != nil {
		errs = append(errs, r.source.Close())
	}
	if r.writer != nil {
		errs = append(errs, r.writer.Close())
	}
	if r.client != nil {
		errs = append(errs, r.client.Close())
	}
	return errors.Join(errs...)
}
