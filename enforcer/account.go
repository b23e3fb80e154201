package enforcer

import (
	"net/netip"
	"reflect"
	"strconv"
	"time"

	"github.com/netpol/netpol/enforcer/classify"
	"github.com/netpol/netpol/enforcer/flow"
	"github.com/netpol/netpol/enforcer/telemetry"
	"github.com/netpol/netpol/enforcer/telemetry/record"
	"github.com/netpol/netpol/lang/fact"
)

// conclude ends a flow's life in the table: it is decided if it is not yet,
// told of and freed. The caller removes it. A live flow that never said
// anything, one of a SYN flood's or a connection made in advance, stays
// undecided: should it speak after all, the kernel shows it to us again.
func (w *worker) conclude(r *flow.Record, why record.Reason) {
	if !w.config.Live || r.Inspected > 0 {
		w.complete(r)
	}
	loaded := w.charge(r, w.clock.now)
	w.report(r)
	w.tellEnd(r, why, loaded)
	if w.config.Explain != nil {
		w.config.Explain(w.why(r, telemetry.Ended))
	}
	w.release(r)
}

// release frees what the engine holds for a record.
func (w *worker) release(r *flow.Record) {
	w.forgetEndpoint(r)
	w.shut(r)
	w.store.release(r.State)
	if r.Tally != 0 {
		t := w.tallies.At(r.Tally)
		w.kpis.Release(t.kpi)
		if t.health != 0 {
			w.healths.Release(t.health)
		}
		w.tallies.Release(r.Tally)
	}
	delete(w.audited, r)
	delete(w.notified, r)
	delete(w.earlier, r)
	w.leave(r)
	w.traits.release(r.Traits)
	r.State, r.Tally, r.Traits = 0, 0, 0
}

// report tells the recorder of a flow that is over.
func (w *worker) report(r *flow.Record) {
	if w.config.Recorder == nil {
		return
	}
	w.load(r, &w.facts)
	w.fill(&w.record, r, &w.facts, telemetry.Ended)
	w.config.Recorder.Record(&w.record)
}

// fill makes a row, reusing to's lists.
func (w *worker) fill(to *telemetry.Flow, r *flow.Record, f *fact.Facts, event telemetry.Event) {
	labels, policies := to.Labels[:0], to.Policies[:0]
	for _, id := range w.eval(r, f).Policies {
		policies = append(policies, w.policy.bundle.Policies[id].Name)
	}
	application, by := w.application(f)
	*to = telemetry.Flow{
		Event: event, PCAP: w.file,
		IPProtocol: f.IPProtocol, VLANID: f.VLANID,
		SrcIP: f.SrcIP, SrcPort: f.SrcPort, DstIP: f.DstIP, DstPort: f.DstPort,
		Protocol: f.Protocol, Application: application, Brand: w.policy.classifier.Brand(application), Category: f.Category,
		Hostname: hostname(f), TLSVersion: tlsVersion(f), JA4: f.JA4, ALPN: f.ALPN,
		DetectionPackets: int(r.NamedAt),
		InspectedPackets: int(r.Inspected),
		Labels:           w.policy.labelNames(labels, &w.traitsOf(r).labels), Policies: policies,
		By: by, DNSHostname: f.DNSHostname, Interface: f.Interface, Input: w.config.Input, Guessed: f.Guessed,
		FirstSeen: time.Unix(0, w.clock.wall(r.FirstSeen)).UTC(), LastSeen: time.Unix(0, w.clock.wall(r.LastSeen)).UTC(),
	}
	to.Packets, to.Bytes = w.totals(r)
	if event == telemetry.Live {
		to.LocalIP, to.LocalMAC, to.Now = f.LocalIP, f.LocalMAC, w.now(r, f)
	}
}

// totals are a flow's packets and bytes: what was seen of it, or what conntrack
// last counted where that is more.
func (w *worker) totals(r *flow.Record) (packets, bytes uint64) {
	packets, bytes = uint64(r.Packets), r.Bytes
	if w.config.Live && r.Tally != 0 {
		t := w.tallies.At(r.Tally)
		both := t.counts[0].Plus(t.counts[1])
		packets, bytes = max(packets, both.Packets), max(bytes, both.Bytes)
	}
	return packets, bytes
}

// byQuery is the evidence of a look-up's application in records. No criterion
// can ask for it: in the facts a look-up has no application.
const byQuery = "query"

// application is what a record calls a flow and what that rests on: the
// application, or in a name service the one whose name was asked for. The facts
// keep the two apart, as they do for the host name, so that app == 'x' means
// traffic with x alone.
func (w *worker) application(f *fact.Facts) (tag, by string) {
	if f.Application == "" {
		if tag, ok := w.policy.classifier.Asked(f); ok {
			return tag, byQuery
		}
	}
	return f.Application, f.By
}

// hostname is the name a record gives a flow: what its client asked of the
// server or, in a name service, the name that it asked for. The facts keep
// the two apart, so that hostname == 'x' means traffic with x alone.
func hostname(f *fact.Facts) string {
	switch f.Protocol {
	case "dns", "dns-tunnel", "mdns", "llmnr":
		if f.Hostname == "" {
			return f.DNSHostname
		}
	}
	return f.Hostname
}

// tlsVersion names the version as its protocol does. The facts have DTLS as
// the TLS that it is made from, so that one criterion covers both.
func tlsVersion(f *fact.Facts) string {
	if f.Protocol == "dtls" {
		return telemetry.DTLSVersionName(f.TLSVersion)
	}
	return telemetry.TLSVersionName(f.TLSVersion)
}

// snapshot is a copy of at most limit flows.
func (w *worker) snapshot(limit int) []telemetry.Flow {
	list := make([]telemetry.Flow, 0, min(limit, w.table.Len()))
	w.table.Each(func(_ flow.ID, r *flow.Record) bool {
		if len(list) >= limit {
			return false
		}
		var f fact.Facts
		w.load(r, &f)
		list = append(list, telemetry.Flow{})
		w.fill(&list[len(list)-1], r, &f, telemetry.Live)
		return true
	})
	return list
}

// why accounts for one flow.
func (w *worker) why(r *flow.Record, event telemetry.Event) telemetry.Why {
	var f fact.Facts
	w.load(r, &f)
	out := telemetry.Why{Complete: f.Complete, Evidence: evidence(&f)}
	w.fill(&out.Flow, r, &f, event)
	for _, e := range w.machine.Explain(&f) {
		p := w.policy.bundle.Policies[e.Policy]
		account := telemetry.PolicyWhy{
			Name: p.Name, File: p.File, Line: p.Line, Criteria: p.Criteria,
			Matched: e.Matched, Terms: make([]telemetry.Term, 0, len(e.Terms)),
		}
		for _, t := range e.Terms {
			account.Terms = append(account.Terms, telemetry.Term{Text: t.Text, Value: t.Value, Holds: t.Holds})
		}
		out.Policies = append(out.Policies, account)
	}
	return out
}

// evidence lists the facts that are known, in the order of the documentation.
// It is for people: reflection costs nothing that matters here.
func evidence(f *fact.Facts) []telemetry.Evidence {
	var list []telemetry.Evidence
	fields := reflect.ValueOf(f).Elem()
	for _, a := range fact.Attributes {
		field := fields.FieldByName(a.Field)
		if !field.IsValid() || field.IsZero() || !classify.Telling(f, a.Name) {
			continue
		}
		value := factText(field)
		if a.Type == fact.TLSVersion {
			value = tlsVersion(f)
		}
		if a.Name == "tls_cipher" {
			value = fact.CipherName(f.TLSCipher)
		}
		list = append(list, telemetry.Evidence{Attribute: a.Name, Value: value})
	}
	return list
}

func factText(v reflect.Value) string {
	switch x := v.Interface().(type) {
	case string:
		return x
	case bool:
		return strconv.FormatBool(x)
	case int:
		return strconv.Itoa(x)
	case netip.Addr:
		return x.String()
	}
	return ""
}
