// Package otlp turns records into requests of OpenTelemetry's protocol (OTLP 1.9):
// what is told of connections and hosts becomes log records, counters of netpold,
// interfaces and aggregates become metrics.
//
// It reads records as the lines of JSON that wait in a sink's queue or spool, so the
// packet path pays for them what it pays for any sink, and a member that is new in
// a record is an attribute without a change here. Members that OpenTelemetry's
// semantic conventions have a name for have that name; the others have their path,
// netpol.flow.digest. The messages are those that the project publishes
// (go.opentelemetry.io/proto); its exporters are not used, because they bring queues
// and retries of their own, behind which a spool would not know what has arrived.
//
// Called by telemetry/sink in a netpold that was built with sink_otlp.
package otlp
