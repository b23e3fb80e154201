package resolve

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/compiler/ir"
	"github.com/netpol/netpol/lang"
	"github.com/netpol/netpol/lang/diag"
	"github.com/netpol/netpol/lang/fact"
)

// indexSinks are the sink blocks, by name in lower case. Two that write to one
// place would be in each other's way.
func (r *resolver) indexSinks() map[string]*lang.Sink {
	out := map[string]*lang.Sink{}
	places := map[string]*lang.Sink{}
	for _, s := range r.policy.Sinks {
		key := strings.ToLower(s.Name)
		if other := out[key]; other != nil {
			r.diags.Add(diag.New(diag.Duplicate, s.Range, fmt.Sprintf("The sink %q is %q at %s in other letters: names of sinks are compared without regard to case. Rename one of the two.", s.Name, other.Name, other.Range)))
			continue
		}
		out[key] = s
		r.checkPlace(s, s.Spool, places)
		r.checkPlace(s, ownPlace(s), places)
	}
	return out
}

// ownPlace is what a sink writes to or listens on alone, empty where it shares.
func ownPlace(s *lang.Sink) string {
	switch s.Type {
	case "file", "unix":
		return s.Path
	case "tcp", "websocket":
		return s.Address
	}
	return ""
}

// checkPlace reports two sinks that would have one place.
func (r *resolver) checkPlace(s *lang.Sink, place string, places map[string]*lang.Sink) {
	if place == "" {
		return
	}
	if other := places[place]; other != nil {
		r.diags.Add(diag.New(diag.Duplicate, s.Range, fmt.Sprintf("The sink %q at %s has %s already. Give one of the two another place.", other.Name, other.Range, place)))
	}
	places[place] = s
}

func (r *resolver) undefinedSink(t lang.Text) {
	var names []string
	for _, s := range r.policy.Sinks {
		names = append(names, s.Name)
	}
	d := diag.New(diag.UndefinedSink, t.Range, fmt.Sprintf("No sink block is named %q.", t.Value))
	switch d.Hint = r.hints.Hint(t.Value, names); {
	case len(names) == 0:
		d.Detail += " Write for example: sink \"events\" { type = \"file\", path = \"/var/log/netpol/events.jsonl\" }, an argument a line."
	case d.Hint == "" && len(names) <= 10:
		d.Detail += " There are " + strings.Join(names, ", ") + "."
	}
	r.addUnknown(d)
}

// checkNotFlows reports sinks that can be told of flows alone, among those that are to
// be told of something else.
func (r *resolver) checkNotFlows(module string, names []lang.Text, what string) {
	for _, t := range names {
		if _, s := inModule(r.sinks, strings.ToLower(module), strings.ToLower(t.Value)); s != nil && s.Type == "ipfix" {
			r.diags.Add(diag.New(diag.InvalidSink, t.Range, fmt.Sprintf("The sink %q is of type \"ipfix\", which has no records of %s: flow_end and flow_stats go there. Name a sink of another type.", t.Value, what)))
		}
	}
}

// resolveSinks are the sinks of all blocks, by name.
func (r *resolver) resolveSinks() []ir.Sink {
	var out []ir.Sink
	for _, s := range r.policy.Sinks {
		if r.sinks[strings.ToLower(s.Name)] != s {
			continue
		}
		one := ir.Sink{Range: s.Range, Sink: artifact.Sink{
			Name: strings.ToLower(s.Name), Kind: artifact.SinkKind(s.Type), Path: s.Path, Address: s.Address,
			Records: s.Records, Queue: s.Queue, RotateSize: s.RotateSize, RotateAge: s.RotateAge, Keep: s.Keep,
			Details: details(s.Details), Encoding: encoding(s.Encoding), Domain: s.Domain, Enterprise: s.Enterprise,
			MessageSize: s.MessageSize, TemplateInterval: s.TemplateInterval, TemplateMessages: s.TemplateMessages,
			Transport: transport(s), Facility: s.Facility,
			URL: s.URL, TokenFile: s.TokenFile, HeadersFile: s.HeadersFile, CAFile: s.CAFile,
			Topic: s.Topic, QoS: s.QoS, Retain: s.Retain, ClientID: s.ClientID, Username: s.Username, PasswordFile: s.PasswordFile,
			Origins: s.Origins, MaxClients: s.MaxClients,
			Batch: batched(s.Batch), SASL: s.SASL, Key: keyed(s.Key), Compress: compressed(s), Spool: s.Spool, SpoolSize: s.SpoolSize,
			Servers: s.Servers, Stream: s.Stream, CertFile: s.CertFile, KeyFile: s.KeyFile, CredentialsFile: s.CredentialsFile,
			Privacy: artifact.Privacy{Addresses: disclosure(s.Addresses), Names: disclosure(s.Names)},
		}}
		for _, h := range s.Headers {
			one.Sink.Headers = append(one.Sink.Headers, artifact.Header(h))
		}
		for _, a := range s.Resource {
			one.Sink.Resource = append(one.Sink.Resource, artifact.Header(a))
		}
		if one.Sink.Periodic() {
			one.Sink.Interval = max(s.Interval, time.Second)
		}
		if len(s.When) > 0 {
			one.Sink.When = joinCriteria(s.When)
			if one.Cond = r.anyOf(s.When); one.Cond == nil {
				continue // told
			}
			r.checkTold(one.Cond)
		}
		out = append(out, one)
	}
	slices.SortStableFunc(out, func(a, b ir.Sink) int { return strings.Compare(a.Sink.Name, b.Sink.Name) })
	return out
}

func details(word string) artifact.Details {
	if word == "always" {
		return artifact.DetailsAlways
	}
	return artifact.Details(word)
}

func encoding(word string) artifact.Encoding {
	if word == "json" {
		return artifact.EncodingJSON
	}
	return artifact.Encoding(word)
}

func keyed(word string) string {
	if word == "none" {
		return ""
	}
	return word
}

// batched is how many records go in a message, 0 for one.
func batched(n int) int {
	if n == 1 {
		return 0
	}
	return n
}

// compressed is what records are compressed by.
func compressed(s *lang.Sink) string {
	if s.Compress == "none" {
		return ""
	}
	return s.Compress
}

// transport is how a sink's protocol is carried; empty for OTLP's HTTP, which earlier bundles
// did not say.
func transport(s *lang.Sink) string {
	if s.Type == "otlp" && s.Transport == "http" {
		return ""
	}
	return s.Transport
}

func disclosure(word string) artifact.Disclosure {
	if word == "plain" {
		return artifact.DisclosePlain
	}
	return artifact.Disclosure(word)
}

// checkTold reports what a sink's condition asks for that the kernel alone
// knows.
func (r *resolver) checkTold(e ir.Expr) { eachAsked(e, r.mustBeTold) }

// eachAsked visits the attributes that a condition asks for.
func eachAsked(e ir.Expr, visit func(fact.Attribute, diag.Range)) {
	ir.Walk(e, func(e ir.Expr) {
		switch e := e.(type) {
		case *ir.Compare:
			visit(e.Attr, e.Range)
		case *ir.Residual:
			for _, a := range e.Reads {
				visit(a, e.Range)
			}
		case *ir.And, *ir.Or, *ir.Not, *ir.Const:
		}
	})
}

func (r *resolver) mustBeTold(a fact.Attribute, at diag.Range) {
	instead := ""
	switch a.Name {
	case "interface_out":
		instead = "Ask for interface or local_ip."
	case "schedule":
		instead = "Ask for time_of_day and weekday."
	default:
		return
	}
	r.diags.Add(diag.New(diag.NotTold, at, fmt.Sprintf("Only the kernel's rules know %s, and the conditions of sinks and aggregates are netpold's. %s", a.Name, instead)))
}
