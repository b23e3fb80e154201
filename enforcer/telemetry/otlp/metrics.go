package otlp

import (
	"encoding/json"
	"strconv"
	"time"

	metrics "go.opentelemetry.io/proto/slim/otlp/metrics/v1"
)

// Instruments of metrics. A counter that goes up since it began is a cumulative
// sum; what an interval of an aggregate carried is a delta, because its rows come
// and go.
type instrument uint8

const (
	counter instrument = iota
	delta
	upDown // a sum that may go down
	gauge
	histogram // of an interval, as a delta
)

// metric is what a member of a record is as a metric.
type metric struct {
	name, unit string
	instrument instrument
	scale      int64  // the member counts so many units; 0 for 1
	attribute  string // that tells apart what members with this name are of
	value      string
}

// ofInterface are the members of interface_stats that the semantic conventions have a name for.
var ofInterface = map[string]metric{
	"rx_bytes":   {name: "system.network.io", unit: "By", attribute: "network.io.direction", value: "receive"},
	"tx_bytes":   {name: "system.network.io", unit: "By", attribute: "network.io.direction", value: "transmit"},
	"rx_packets": {name: "system.network.packet.count", unit: "{packet}", attribute: "network.io.direction", value: "receive"},
	"tx_packets": {name: "system.network.packet.count", unit: "{packet}", attribute: "network.io.direction", value: "transmit"},
	"rx_errors":  {name: "system.network.errors", unit: "{error}", attribute: "network.io.direction", value: "receive"},
	"tx_errors":  {name: "system.network.errors", unit: "{error}", attribute: "network.io.direction", value: "transmit"},
	"rx_dropped": {name: "system.network.packet.dropped", unit: "{packet}", attribute: "network.io.direction", value: "receive"},
	"tx_dropped": {name: "system.network.packet.dropped", unit: "{packet}", attribute: "network.io.direction", value: "transmit"},

	"largest_bytes": {name: "netpol.interface.largest_bytes", unit: "By", instrument: gauge},
	"ip_bytes":      {name: "netpol.interface.ip_bytes", unit: "By"},
	"wire_bytes":    {name: "netpol.interface.wire_bytes", unit: "By"},
}

// ofAgent are those of agent_status.
var ofAgent = map[string]metric{
	"uptime":          {name: "process.uptime", unit: "s", instrument: gauge},
	"cpu_user":        {name: "process.cpu.time", unit: "s", attribute: "cpu.mode", value: "user"},
	"cpu_system":      {name: "process.cpu.time", unit: "s", attribute: "cpu.mode", value: "system"},
	"memrss_kb":       {name: "process.memory.usage", unit: "By", instrument: upDown, scale: 1024},
	"maxrss_kb":       {name: "netpol.agent.memory_max", unit: "By", instrument: gauge, scale: 1024},
	"cpu_cores":       {name: "netpol.agent.cpu_cores", unit: "{cpu}", instrument: gauge},
	"update_interval": {name: "netpol.agent.update_interval", unit: "s", instrument: gauge},
	"flow_count":      {name: "netpol.agent.flow_count", unit: "{flow}", instrument: upDown},
	"flows_active":    {name: "netpol.agent.flows_active", unit: "{flow}", instrument: upDown},
}

// ofSum are what flows have carried, in aggregates.
var ofSum = map[string]metric{
	"local_bytes":   {name: "netpol.aggregate.io", unit: "By", instrument: delta, attribute: "network.io.direction", value: "transmit"},
	"other_bytes":   {name: "netpol.aggregate.io", unit: "By", instrument: delta, attribute: "network.io.direction", value: "receive"},
	"local_packets": {name: "netpol.aggregate.packets", unit: "{packet}", instrument: delta, attribute: "network.io.direction", value: "transmit"},
	"other_packets": {name: "netpol.aggregate.packets", unit: "{packet}", instrument: delta, attribute: "network.io.direction", value: "receive"},
	"flow_count":    {name: "netpol.aggregate.flows", unit: "{flow}", instrument: delta},
}

// meter collects the data points of a request by their metrics.
type meter struct {
	list   []*metrics.Metric
	byName map[string]*metrics.Metric
	points int
}

// span is the time that a data point is of, in nanoseconds since the Unix epoch; a
// start of 0 is not known.
type span struct{ start, end uint64 }

func (m *meter) add(what metric, n json.Number, when span, labels attributes) {
	point := &metrics.NumberDataPoint{StartTimeUnixNano: when.start, TimeUnixNano: when.end}
	point.Attributes = append(point.Attributes, labels...)
	if what.attribute != "" {
		(*attributes)(&point.Attributes).text(what.attribute, what.value)
	}
	if i, err := n.Int64(); err == nil {
		point.Value = &metrics.NumberDataPoint_AsInt{AsInt: i * max(what.scale, 1)}
	} else {
		f, _ := n.Float64()
		point.Value = &metrics.NumberDataPoint_AsDouble{AsDouble: f * float64(max(what.scale, 1))}
	}
	one := m.metric(what)
	if sum := one.GetSum(); sum != nil {
		sum.DataPoints = append(sum.DataPoints, point)
	} else {
		one.GetGauge().DataPoints = append(one.GetGauge().DataPoints, point)
	}
	m.points++
}

func (m *meter) metric(what metric) *metrics.Metric {
	if one := m.byName[what.name]; one != nil {
		return one
	}
	one := &metrics.Metric{Name: what.name, Unit: what.unit}
	switch what.instrument {
	case counter, upDown:
		one.Data = &metrics.Metric_Sum{Sum: &metrics.Sum{AggregationTemporality: metrics.AggregationTemporality_AGGREGATION_TEMPORALITY_CUMULATIVE, IsMonotonic: what.instrument == counter}}
	case delta:
		one.Data = &metrics.Metric_Sum{Sum: &metrics.Sum{AggregationTemporality: metrics.AggregationTemporality_AGGREGATION_TEMPORALITY_DELTA, IsMonotonic: true}}
	case histogram:
		one.Data = &metrics.Metric_ExponentialHistogram{ExponentialHistogram: &metrics.ExponentialHistogram{AggregationTemporality: metrics.AggregationTemporality_AGGREGATION_TEMPORALITY_DELTA}}
	case gauge:
		one.Data = &metrics.Metric_Gauge{Gauge: &metrics.Gauge{}}
	}
	if m.byName == nil {
		m.byName = map[string]*metrics.Metric{}
	}
	m.byName[what.name], m.list = one, append(m.list, one)
	return one
}

// counters adds all numbers of a record: those that table has as it says, the
// others as counters with a name of netpol's.
func (m *meter) counters(members object, table map[string]metric, prefix string, when span, labels attributes) {
	for _, name := range sorted(members) {
		n, ok := members[name].(json.Number)
		if !ok {
			continue
		}
		what, known := table[name]
		if !known {
			what = metric{name: prefix + name, unit: "1"}
		}
		m.add(what, n, when, labels)
	}
}

// interfaces adds the counters of an interface. When they began is not known: the
// kernel's with the interface, the others with netpold.
func (m *meter) interfaces(at uint64, members object) {
	var labels attributes
	labels.text("network.interface.name", take(members, "interface"))
	if input := take(members, "input"); input != "" {
		labels.text("netpol.input", input)
		for name, what := range ofInterface { // the kernel's, which the interface's own record has
			if what.attribute != "" {
				delete(members, name)
			}
		}
	}
	m.counters(members, ofInterface, "netpol.interface.", span{end: at}, labels)
}

// sameStart is how far a start that is worked out from whole seconds may lie from the
// true one.
const sameStart = uint64(2 * time.Second)

// agent adds the figures of netpold, which began when it was started: this one, as its
// encoder has it to the nanosecond, or the one before, whose records waited on disk. A
// start that moved would be a counter that began anew.
func (m *meter) agent(at, started uint64, members object) {
	computed := at - nanoseconds(numberIn(members, "uptime")*1000)
	if max(computed, started)-min(computed, started) > sameStart {
		started = computed
	}
	m.counters(members, ofAgent, "netpol.agent.", span{started, at}, nil)
	var labels attributes
	labels.text("netpol.bundle_digest", take(members, "bundle_digest"))
	m.add(metric{name: "netpol.agent.policies_in_force", unit: "1", instrument: gauge}, "1", span{end: at}, labels)
}

// aggregate adds what an interval carried: its rows, and with the first of its records
// what no row has, so that the sum of all is the interval's.
func (m *meter) aggregate(members object) {
	when := span{nanoseconds(numberIn(members, "interval_start_at")), nanoseconds(numberIn(members, "interval_end_at"))}
	var labels attributes
	for _, name := range []string{"aggregate", "input", "pcap"} {
		labels.text(eventPrefix+name, take(members, name))
	}
	rows, _ := members["rows"].([]any)
	for _, one := range rows {
		if row, ok := one.(object); ok {
			m.sums(row, when, append(labels[:len(labels):len(labels)], keysOf(row)...))
		}
	}
	if numberIn(members, "part") != 1 {
		return
	}
	if other := inner(members, "other"); numberIn(other, "flow_count") > 0 || numberIn(other, "local_bytes")+numberIn(other, "other_bytes") > 0 || other["health"] != nil {
		rest := append(attributes{}, labels...)
		rest.text("netpol.row", "other")
		m.sums(other, when, rest)
	}
	m.add(metric{name: "netpol.aggregate.error_bytes", unit: "By", instrument: gauge}, json.Number(strconv.FormatInt(numberIn(members, "error_bytes"), 10)), when, labels)
}

func (m *meter) sums(row object, when span, labels attributes) {
	for _, name := range []string{"local_bytes", "other_bytes", "local_packets", "other_packets", "flow_count"} {
		if n, ok := row[name].(json.Number); ok {
			m.add(ofSum[name], n, when, labels)
		}
	}
	m.health(row, when, labels)
}

// keysOf are the dimensions of a row.
func keysOf(row object) attributes {
	dimensions := object{}
	for name, v := range row {
		if _, sum := ofSum[name]; !sum && name != "error_bytes" && name != "health" {
			dimensions[name] = v
		}
	}
	var a attributes
	for _, side := range [][2]string{{"local", "network.local"}, {"other", "network.peer"}} {
		a.text(side[1]+".address", take(dimensions, side[0]+"_ip"))
		if n := takeNumber(dimensions, side[0]+"_port"); n != 0 {
			a.add(side[1]+".port", whole(n))
		}
	}
	a.protocols(dimensions)
	a.text("network.interface.name", take(dimensions, "interface"))
	a.text("security_rule.name", take(dimensions, "policy"))
	a.rest("netpol", dimensions)
	return a
}
