package otlp

import (
	"bytes"
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"time"

	collectlogs "go.opentelemetry.io/proto/slim/otlp/collector/logs/v1"
	collectmetrics "go.opentelemetry.io/proto/slim/otlp/collector/metrics/v1"
	common "go.opentelemetry.io/proto/slim/otlp/common/v1"
	logs "go.opentelemetry.io/proto/slim/otlp/logs/v1"
	metrics "go.opentelemetry.io/proto/slim/otlp/metrics/v1"
	resource "go.opentelemetry.io/proto/slim/otlp/resource/v1"
	"google.golang.org/protobuf/proto"
)

// ContentType is the media type of requests (OTLP 1.9, "Binary Protobuf Encoding").
const ContentType = "application/x-protobuf"

// scopeName says which part of the program tells.
const scopeName = "github.com/netpol/netpol/enforcer/telemetry"

// Signal is one of OpenTelemetry's kinds of telemetry.
type Signal uint8

// Signals that records become.
const (
	Logs Signal = iota
	Metrics
)

// SignalOf is what records of a kind become, by its word on the wire.
func SignalOf(kind string) Signal {
	switch kind {
	case "agent_status", "interface_stats", "aggregate":
		return Metrics
	}
	return Logs
}

// Path is where requests of a signal go, below the URL of the collector.
func (s Signal) Path() string {
	if s == Metrics {
		return "v1/metrics"
	}
	return "v1/logs"
}

// Method is what requests of a signal call by gRPC (opentelemetry-proto,
// collector/*/v1/*_service.proto).
func (s Signal) Method() string {
	if s == Metrics {
		return "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export"
	}
	return "/opentelemetry.proto.collector.logs.v1.LogsService/Export"
}

// String is what the signal's items are called.
func (s Signal) String() string {
	if s == Metrics {
		return "data points"
	}
	return "log records"
}

// Attribute is a name and its value.
type Attribute struct{ Name, Value string }

// Encoder makes requests. Safe for concurrent use once it is made.
type Encoder struct {
	resource *resource.Resource
	scope    *common.InstrumentationScope
	started  uint64 // nanoseconds since the Unix epoch
}

// Source is the netpold that tells.
type Source struct {
	Version string
	Host    string    // what the machine is called
	Started time.Time // the process
	// Resource are attributes of the operator's, which stand in place of those of the
	// same name that are known by themselves.
	Resource []Attribute
}

// NewEncoder makes one.
func NewEncoder(s Source) *Encoder {
	var a attributes
	known := []Attribute{{"service.name", "netpol"}, {"service.version", s.Version}, {"host.name", s.Host}, {"os.type", "linux"}}
	for _, one := range known {
		if !slices.ContainsFunc(s.Resource, func(own Attribute) bool { return own.Name == one.Name }) {
			a.text(one.Name, one.Value)
		}
	}
	for _, one := range s.Resource {
		a.text(one.Name, one.Value)
	}
	return &Encoder{
		resource: &resource.Resource{Attributes: a},
		scope:    &common.InstrumentationScope{Name: scopeName, Version: s.Version},
		started:  uint64(s.Started.UnixNano()),
	}
}

// Request is a request for records of one signal, lines of JSON. bad is how many lines
// are no records. A request without items need not be sent.
func (e *Encoder) Request(s Signal, lines iter.Seq[[]byte]) (body []byte, items, bad int, _ error) {
	var message proto.Message
	switch s {
	case Metrics:
		var m meter
		bad = e.metrics(&m, lines)
		items = m.points
		message = &collectmetrics.ExportMetricsServiceRequest{ResourceMetrics: []*metrics.ResourceMetrics{{
			Resource: e.resource, SchemaUrl: schemaURL, ScopeMetrics: []*metrics.ScopeMetrics{{Scope: e.scope, Metrics: m.list, SchemaUrl: schemaURL}},
		}}}
	case Logs:
		var list []*logs.LogRecord
		list, bad = readLogs(lines)
		items = len(list)
		message = &collectlogs.ExportLogsServiceRequest{ResourceLogs: []*logs.ResourceLogs{{
			Resource: e.resource, SchemaUrl: schemaURL, ScopeLogs: []*logs.ScopeLogs{{Scope: e.scope, LogRecords: list, SchemaUrl: schemaURL}},
		}}}
	}
	body, err := proto.Marshal(message)
	return body, items, bad, err
}

func readLogs(lines iter.Seq[[]byte]) (list []*logs.LogRecord, bad int) {
	for line := range lines {
		members, kind, at, ok := read(line)
		switch {
		case !ok:
			bad++
		case kind == "endpoints":
			list = append(list, hosts(at, members)...)
		default:
			list = append(list, log(kind, at, members))
		}
	}
	return list, bad
}

func (e *Encoder) metrics(m *meter, lines iter.Seq[[]byte]) (bad int) {
	for line := range lines {
		members, kind, at, ok := read(line)
		if !ok {
			bad++
			continue
		}
		switch kind {
		case "agent_status":
			m.agent(at, e.started, members)
		case "interface_stats":
			m.interfaces(at, members)
		case "aggregate":
			m.aggregate(members)
		}
	}
	return bad
}

// read takes a record apart: what all records begin with, and the rest.
func read(line []byte) (members object, kind string, at uint64, ok bool) {
	d := json.NewDecoder(bytes.NewReader(line))
	d.UseNumber()
	if d.Decode(&members) != nil {
		return nil, "", 0, false
	}
	kind, at = take(members, "type"), nanoseconds(takeNumber(members, "timestamp"))
	delete(members, "schema_version")
	return members, kind, at, kind != ""
}

// Refused is what a collector says that it did not take of a request that it answered
// with success, and why.
func Refused(s Signal, answer []byte) (items int64, why string, _ error) {
	switch s {
	case Metrics:
		var r collectmetrics.ExportMetricsServiceResponse
		err := proto.Unmarshal(answer, &r)
		return r.GetPartialSuccess().GetRejectedDataPoints(), r.GetPartialSuccess().GetErrorMessage(), wrap(err)
	case Logs:
	}
	var r collectlogs.ExportLogsServiceResponse
	err := proto.Unmarshal(answer, &r)
	return r.GetPartialSuccess().GetRejectedLogRecords(), r.GetPartialSuccess().GetErrorMessage(), wrap(err)
}

func wrap(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("read answer: %w", err)
}
