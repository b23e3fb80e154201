package otlp

import (
	"cmp"
	"net"
	"strconv"
	"strings"
	"time"

	logs "go.opentelemetry.io/proto/slim/otlp/logs/v1"
)

// eventPrefix is the namespace of everything here that the semantic conventions have
// no name for.
const eventPrefix = "netpol."

// log is a record as a log record. The time is that of the record, also as that at
// which it was observed: sent again, it is the same to the byte.
func log(kind string, at uint64, members object) *logs.LogRecord {
	out := &logs.LogRecord{
		TimeUnixNano: at, ObservedTimeUnixNano: at, EventName: eventPrefix + kind,
		SeverityNumber: logs.SeverityNumber_SEVERITY_NUMBER_INFO, SeverityText: "INFO",
	}
	if kind == "policy_match" { // syslog's notice, in the data model's table of severities
		out.SeverityNumber, out.SeverityText = logs.SeverityNumber_SEVERITY_NUMBER_INFO2, "NOTICE"
	}
	flow, policy := inner(members, "flow"), inner(members, "policy")
	out.Body = text(summary(kind, members, flow, policy))
	var a attributes
	a.network(flow)
	a.encryption(inner(flow, "ssl"))
	a.text("http.request.method", take(inner(flow, "http"), "method"))
	a.text("user_agent.original", take(inner(flow, "http"), "user_agent"))
	a.text("network.interface.name", take(members, "interface"))
	a.text("security_rule.name", take(policy, "name"))
	a.rest(strings.TrimSuffix(eventPrefix, "."), members)
	out.Attributes = a
	return out
}

// summary is what a list of log records shows: "flow_end zoom 192.168.10.7:51000 >
// 170.114.52.2:443, closed".
func summary(kind string, members, flow, policy object) string {
	word := func(of object, name string) string { s, _ := of[name].(string); return s }
	parts := []string{kind, word(policy, "name"), cmp.Or(word(flow, "detected_application_name"), word(flow, "detected_protocol_name"))}
	source, destination := endOf(flow, "local"), endOf(flow, "other")
	if opened, ok := flow["local_origin"].(bool); ok && !opened {
		source, destination = destination, source
	}
	if source+destination != "" {
		parts = append(parts, source, ">", destination)
	}
	parts = append(parts, word(flow, "host_server_name"))
	line := strings.Join(strings.Fields(strings.Join(parts, " ")), " ")
	if reason := word(members, "reason"); reason != "" {
		line += ", " + reason
	}
	return line
}

func endOf(flow object, side string) string {
	address, _ := flow[side+"_ip"].(string)
	port := numberIn(flow, side+"_port")
	if address == "" || port == 0 {
		return address
	}
	return net.JoinHostPort(address, strconv.FormatInt(port, 10))
}

// hosts are the log records of endpoints, whose members are hardware addresses: one
// for each host.
func hosts(at uint64, members object) []*logs.LogRecord {
	var out []*logs.LogRecord
	for _, mac := range sorted(members) {
		addresses, ok := members[mac].([]any)
		if !ok {
			continue
		}
		out = append(out, log("endpoints", at, object{"local_mac": mac, "addresses": addresses}))
	}
	return out
}

// nanoseconds is a time of records, milliseconds since the Unix epoch, as OTLP has it.
func nanoseconds(milliseconds int64) uint64 {
	return uint64(milliseconds) * uint64(time.Millisecond)
}
