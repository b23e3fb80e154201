package daemon

import (
	"context"
	"maps"
	"os"
	"runtime"
	"slices"
	"sync"

	"github.com/netpol/netpol/enforcer"
	"github.com/netpol/netpol/enforcer/control"
	"github.com/netpol/netpol/enforcer/telemetry"
	"github.com/netpol/netpol/enforcer/telemetry/prom"
)

// maxPolicySeries bounds the policies that have a figure of their own.
const maxPolicySeries = 500

// measures says that somebody wants metrics.
func (c config) measures() bool { return c.metricsAddress != "" || c.metricsFile != "" }

// serveMetrics gives metrics to who wants them until ctx ends; wait waits for that.
func (d *daemon) serveMetrics(ctx context.Context) (wait func(), err error) {
	listening := func() {}
	if d.cfg.metricsAddress != "" {
		if listening, err = prom.Listen(ctx, d.cfg.metricsAddress, d.log, d.metrics); err != nil {
			return nil, err
		}
	}
	var writing sync.WaitGroup
	if d.cfg.metricsFile != "" {
		writing.Go(func() { prom.WriteFile(ctx, d.cfg.metricsFile, d.log, d.metrics) })
	}
	return func() { listening(); writing.Wait() }, nil
}

// metrics is how netpold is, as text. No label has an address or a host name in it,
// and each has a bound.
func (d *daemon) metrics() []byte {
	status := d.Status()
	var m enforcer.Metrics
	if e := d.current(); e != nil {
		m = e.engine.Metrics()
	}
	t := &prom.Text{}
	t.Family("netpol_build_info", prom.Gauge, "The program, by its version and that of Go.", one(
		prom.Label{Name: "version", Value: status.Version}, prom.Label{Name: "goversion", Value: runtime.Version()}))
	t.Family("netpol_start_time_seconds", prom.Gauge, "When netpold was started, since the Unix epoch.", value(float64(status.Started.UnixMilli())/1000))
	d.policyMetrics(t, &status)
	engineMetrics(t, status.Counters, &m)
	sinkMetrics(t, status.Sinks)
	degradedMetrics(t, status.Degraded)
	return t.Bytes()
}

func value(v float64) prom.Sample                         { return prom.Sample{Value: v} }
func one(labels ...prom.Label) prom.Sample                { return prom.Sample{Labels: labels, Value: 1} }
func counted64(c map[string]uint64, n string) prom.Sample { return value(float64(c[n])) }

// policyMetrics tell which policies are in force, and since when.
func (d *daemon) policyMetrics(t *prom.Text, s *control.Status) {
	if s.Waiting {
		return
	}
	t.Family("netpol_policy_revision_info", prom.Gauge, "The bundle of policies in force, by its digest.", one(prom.Label{Name: "digest", Value: s.Digest}))
	t.Family("netpol_policies", prom.Gauge, "Policies in force.", value(float64(s.Policies)))
	if info, err := os.Stat(d.cfg.bundlePath()); err == nil {
		t.Family("netpol_last_apply_timestamp_seconds", prom.Gauge, "When policies were applied last, since the Unix epoch.", value(float64(info.ModTime().UnixMilli())/1000))
	}
}

// engineMetrics are those of the packet path.
func engineMetrics(t *prom.Text, c map[string]uint64, m *enforcer.Metrics) {
	t.Family("netpol_flows_active", prom.Gauge, "Connections that netpold tracks.", counted64(c, "flows"))
	t.Family("netpol_flows_inspected", prom.Gauge, "Connections whose packets are looked at.", counted64(c, "opening"))
	t.Family("netpol_flows_seen_total", prom.Counter, "Connections that netpold has seen.", counted64(c, "flows_seen"))
	t.Family("netpol_flows_evicted_total", prom.Counter, "Connections that made room for others in a full table.", counted64(c, "flows_evicted"))
	t.Family("netpol_flows_shed_total", prom.Counter, "Connections that were given up without a name.", counted64(c, "shed"))
	t.By("netpol_flows_classified_total", prom.Counter, "Connections whose analysis is over, by what their name rests on.", "method", m.Classified)
	t.By("netpol_policy_matches_total", prom.Counter, "Connections that a policy matched when their analysis was over.", "policy", bounded(m.Matches, maxPolicySeries))
	t.By("netpol_ctlabel_writes_total", prom.Counter, "Verdicts written to conntrack, by what became of them.", "result", map[string]uint64{
		"ok": c["ct_updates"], "gone": c["ct_gone"], "no_room": c["unlabelable"], "denied": c["ct_denied"],
		"invalid": c["ct_invalid"], "failed": c["ct_failed"], "dropped": c["ct_dropped"],
	})
	t.Family("netpol_capture_packets_total", prom.Counter, "Packets that netpold has read.", counted64(c, "packets"))
	t.Family("netpol_capture_drops_total", prom.Counter, "Packets that the kernel copied and nobody read.", counted64(c, "capture_lost"))
	t.Histogram("netpol_classify_duration_seconds", "How long analysis took, from a connection's first packet on.",
		enforcer.NamingBounds[:], m.Naming[:], sum(m.Classified), m.NamingSeconds)
	appMetrics(t, m.Apps)
	if m.Health {
		healthMetrics(t, m.Apps)
	}
	t.Family("netpol_conntrack_entries", prom.Gauge, "Connections in the kernel's table.", counted64(c, "conntrack_entries"))
	t.Family("netpol_conntrack_limit", prom.Gauge, "Connections that the kernel's table has room for.", counted64(c, "conntrack_max"))
}

func appMetrics(t *prom.Text, apps map[string]enforcer.AppFigures) {
	var list []prom.Sample
	for _, app := range slices.Sorted(maps.Keys(apps)) {
		n := apps[app]
		for _, d := range []struct {
			dir   string
			bytes uint64
		}{{"up", n.Local}, {"down", n.Other}} {
			list = append(list, prom.Sample{Labels: []prom.Label{{Name: "app", Value: app}, {Name: "dir", Value: d.dir}}, Value: float64(d.bytes)})
		}
	}
	t.Family("netpol_app_bytes_total", prom.Counter, "Bytes of IP packets by application; up is what the local side sent.", list...)
}

// healthMetrics tell how applications fare, in those of their packets that were measured.
func healthMetrics(t *prom.Text, apps map[string]enforcer.AppFigures) {
	names := slices.Sorted(maps.Keys(apps))
	for _, c := range []struct {
		name, help string
		of         func(*enforcer.AppHealth) uint64
	}{
		{"netpol_app_tcp_packets_total", "Segments of TCP that were measured, by application.", func(h *enforcer.AppHealth) uint64 { return h.TCPPackets }},
		{"netpol_app_tcp_retransmissions_total", "Those of them that were sent again.", func(h *enforcer.AppHealth) uint64 { return h.Retransmissions }},
		{"netpol_app_tcp_resets_total", "Those of them with RST.", func(h *enforcer.AppHealth) uint64 { return h.Resets }},
		{"netpol_app_rtp_packets_total", "Packets of RTP that were measured, by application.", func(h *enforcer.AppHealth) uint64 { return h.RTPPackets }},
		{"netpol_app_rtp_lost_packets_total", "Packets of RTP that are missing.", func(h *enforcer.AppHealth) uint64 { return h.RTPLost }},
	} {
		var list []prom.Sample
		for _, app := range names {
			n := apps[app]
			list = append(list, prom.Sample{Labels: []prom.Label{{Name: "app", Value: app}}, Value: float64(c.of(&n.Health))})
		}
		t.Family(c.name, prom.Counter, c.help, list...)
	}
	var trips, responses []prom.Total
	for _, app := range names {
		h := apps[app].Health
		trips = append(trips, total(h.RTTServer, app, "server"), total(h.RTTClient, app, "client"))
		responses = append(responses, total(h.AppResponse, app, ""))
	}
	t.Summary("netpol_app_rtt_seconds", "Round trips of handshakes from the router to the server, and to the client, by application.", trips...)
	t.Summary("netpol_app_response_seconds", "From a TCP client's first byte to the server's answer, by application.", responses...)
}

func total(n enforcer.AppTimes, app, to string) prom.Total {
	out := prom.Total{Labels: []prom.Label{{Name: "app", Value: app}}, Count: n.Count, Sum: float64(n.Micros) / 1e6}
	if to != "" {
		out.Labels = append(out.Labels, prom.Label{Name: "to", Value: to})
	}
	return out
}

func sinkMetrics(t *prom.Text, sinks []telemetry.Sink) {
	taken, broken, spooled := map[string]uint64{}, map[string]uint64{}, map[string]uint64{}
	var dropped []prom.Sample
	for _, s := range sinks {
		taken[s.Name], broken[s.Name], spooled[s.Name] = s.Records, 0, s.SpoolRecords
		if s.Fault != "" {
			broken[s.Name] = 1
		}
		lost := map[string]uint64{"full": 0, "failed": 0, "shed": 0} // a rate needs a counter that has been 0
		maps.Copy(lost, s.Dropped)
		for _, why := range slices.Sorted(maps.Keys(lost)) {
			dropped = append(dropped, prom.Sample{Labels: []prom.Label{{Name: "sink", Value: s.Name}, {Name: "reason", Value: why}}, Value: float64(lost[why])})
		}
	}
	t.By("netpol_sink_records_total", prom.Counter, "Records that sinks took in.", "sink", taken)
	t.By("netpol_sink_broken", prom.Gauge, "Whether a sink cannot be written now.", "sink", broken)
	t.By("netpol_sink_spool_records", prom.Gauge, "Records that wait on disk.", "sink", spooled)
	t.Family("netpol_sink_dropped_records_total", prom.Counter, "Records that went nowhere, by why.", dropped...)
}

// degradedMetrics are the reasons that netpol show has, by their codes.
func degradedMetrics(t *prom.Text, reasons []control.Reason) {
	codes := map[string]uint64{}
	for _, r := range reasons {
		codes[r.Code]++
	}
	t.By("netpol_degraded", prom.Gauge, "What is not as it should be: how many times, by the reason's code.", "code", codes)
}

// bounded is the first figures by name, and the others together. Not the largest: which
// they are changes, and a counter must not.
func bounded(all map[string]uint64, most int) map[string]uint64 {
	if len(all) <= most {
		return all
	}
	names := slices.Sorted(maps.Keys(all))
	out := make(map[string]uint64, most+1)
	for i, name := range names {
		if i < most {
			out[name] = all[name]
			continue
		}
		out["other"] += all[name]
	}
	return out
}

func sum(all map[string]uint64) (n uint64) {
	for _, v := range all {
		n += v
	}
	return n
}
