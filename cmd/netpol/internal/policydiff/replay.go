package policydiff

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/netpol/netpol/cmd/netpol/internal/outcome"
	"github.com/netpol/netpol/cmd/netpol/internal/policytest"
	"github.com/netpol/netpol/enforcer/telemetry"
)

// Replay is what changes for recorded traffic.
type Replay struct {
	Flows        int            `json:"flows"`
	Bytes        uint64         `json:"bytes"`
	ChangedFlows int            `json:"changed_flows"`
	ChangedBytes uint64         `json:"changed_bytes"`
	Changes      []ReplayChange `json:"changes"` // most bytes first
}

// ReplayChange is one way in which recorded flows are treated otherwise.
type ReplayChange struct {
	Before  string         `json:"before"` // effects, in words
	After   string         `json:"after"`
	Flows   int            `json:"flows"`
	Bytes   uint64         `json:"bytes"`
	Example telemetry.Flow `json:"example"` // the one with the most bytes
}

// flowKey is what tells the flows of captures apart.
type flowKey struct {
	pcap, ends string
	began      int64
}

func keyOf(f *telemetry.Flow) flowKey {
	return flowKey{f.PCAP, fmt.Sprint(f.IPProtocol, f.SrcIP, f.SrcPort, f.DstIP, f.DstPort, f.VLANID), f.FirstSeen.UnixNano()}
}

// ReplayBoth runs captures through the enforcer's engine under both bundles
// and compares what becomes of each flow.
func ReplayBoth(ctx context.Context, before, after Source, files []string) (*Replay, error) {
	old, err := replay(ctx, before, files)
	if err != nil {
		return nil, err
	}
	now, err := replay(ctx, after, files)
	if err != nil {
		return nil, err
	}
	outcomes := make(map[flowKey]*policytest.Seen, len(old))
	for i := range old {
		outcomes[keyOf(&old[i].Record)] = &old[i]
	}
	out := &Replay{Changes: []ReplayChange{}}
	index := map[[2]string]int{}
	for i := range now {
		f := &now[i]
		out.Flows++
		out.Bytes += f.Record.Bytes
		was, ok := outcomes[keyOf(&f.Record)]
		if !ok || was.Outcome.SameEffect(&f.Outcome) {
			continue
		}
		out.ChangedFlows++
		out.ChangedBytes += f.Record.Bytes
		out.count(index, was, f)
	}
	slices.SortStableFunc(out.Changes, func(a, b ReplayChange) int { return cmp.Compare(b.Bytes, a.Bytes) })
	return out, nil
}

func (r *Replay) count(index map[[2]string]int, was, now *policytest.Seen) {
	key := [2]string{was.Outcome.Effect(), now.Outcome.Effect()}
	i, ok := index[key]
	if !ok {
		i = len(r.Changes)
		index[key] = i
		r.Changes = append(r.Changes, ReplayChange{Before: key[0], After: key[1]})
	}
	c := &r.Changes[i]
	c.Flows++
	c.Bytes += now.Record.Bytes
	if now.Record.Bytes > c.Example.Bytes || c.Flows == 1 {
		c.Example = now.Record
	}
}

func replay(ctx context.Context, s Source, files []string) ([]policytest.Seen, error) {
	e, err := outcome.New(s.Bundle, outcome.Lower(s.Policy, s.Catalogue))
	if err != nil {
		return nil, err
	}
	return policytest.Replay(ctx, e, files...)
}
