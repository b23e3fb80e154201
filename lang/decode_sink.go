package lang

import (
	"cmp"
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/netpol/netpol/lang/diag"
	"github.com/netpol/netpol/lang/quantity"
	"github.com/netpol/netpol/lang/suggest"
)

// Bounds of sinks.
const (
	maxSinks = 32 // blocks; each has a goroutine and a queue in netpold
	// A queue holds more than the longest record, and not what a router's memory
	// is.
	minSinkQueue, maxSinkQueue = 128 << 10, 64 << 20
	defaultSinkQueue           = 1 << 20
	minSinkInterval            = 5 * time.Second
	maxSinkInterval            = 24 * time.Hour
	defaultSinkInterval        = time.Minute
	// A file is at least as large as a queue: what waited is written at once.
	minRotateSize, maxRotateSize = 1 << 20, 1 << 40
	defaultRotateSize            = 10_000_000
	minRotateAge                 = time.Minute
	maxKeep, defaultKeep         = 1000, 5
	maxSocketPath                = 107 // UNIX_PATH_MAX (linux/un.h), with a NUL
)

func sinkArguments() []string {
	return []string{
		"address", "addresses", "batch", "ca_file", "cert_file", "client_id", "compress", "credentials_file", "description", "details", "encoding", "enterprise",
		"facility", "headers", "headers_file", "interval", "keep", "key", "key_file", "max_clients", "message_size", "names", "observation_domain", "origins", "password_file", "path", "qos",
		"queue", "records", "resource", "retain", "rotate_age", "rotate_size", "sasl", "spool", "spool_size", "stream", "subject", "template_interval",
		"template_messages", "token_file", "topic", "transport", "type", "url", "username", "when",
	}
}

func (d *decoder) decodeSink(b *hclsyntax.Block) {
	s := &Sink{Name: d.qualify(b.Labels[0]), Module: d.module, Range: headerRange(b)}
	if !d.checkGroupName(b, "a sink") {
		return
	}
	before := len(d.diags)
	s.Description = d.text(b, "description", `"for the collector"`).Value
	if d.require(b, "type", `type = "file"`) == nil {
		return
	}
	if s.Type = d.sinkWord(b, "type", SinkTypes(), ""); s.Type == "" {
		return
	}
	d.sinkPlace(b, s)
	d.sinkFile(b, s)
	if s.Type != "kafka" {
		s.Compress = d.sinkWord(b, "compress", []string{"none", "gzip", "zstd"}, "none")
	}
	s.Encoding = d.sinkWord(b, "encoding", []string{"json", "msgpack"}, "json")
	s.Records = d.sinkRecords(b)
	d.ipfixRecords(b, s)
	d.sinkDetails(b, s)
	s.When = d.criteria(b.Body.Attributes["when"])
	s.Interval = d.sinkTime(b, "interval", `"1m"`, minSinkInterval, maxSinkInterval, defaultSinkInterval)
	s.Queue = int(d.sinkBytes(b, "queue", `"1MB"`, minSinkQueue, maxSinkQueue, defaultSinkQueue))
	s.Addresses = d.sinkWord(b, "addresses", []string{"plain", "hash", "drop"}, "plain")
	s.Names = d.sinkWord(b, "names", []string{"plain", "domain", "drop"}, "plain")
	if len(d.diags) > before || !d.define("sink "+b.Labels[0], fmt.Sprintf("sink %q", b.Labels[0]), s.Range) {
		return
	}
	if len(d.out.Sinks) == maxSinks {
		d.diags.Add(diag.New(diag.TooLarge, s.Range, fmt.Sprintf("A policy set has at most %d sinks. Several policies can notify one, and a unix or tcp sink serves several clients.", maxSinks)))
	}
	d.out.Sinks = append(d.out.Sinks, s)
}

// badSink reports an argument of a sink.
func (d *decoder) badSink(b *hclsyntax.Block, name, detail string) *diag.Diagnostic {
	return d.badArgument(diag.InvalidSink, b, name, detail)
}

// sinkWord reads an argument of a sink that is one of some words.
func (d *decoder) sinkWord(b *hclsyntax.Block, name string, words []string, otherwise string) string {
	return d.word(diag.InvalidSink, b, name, words, otherwise)
}

// sinkPlaces says which argument says where the records of a type of sink go.
func sinkPlaces() map[string]string {
	return map[string]string{"file": "path", "unix": "path", "tcp": "address", "websocket": "address", "syslog": "address", "ipfix": "address", "udp": "address", "unixgram": "path", "http": "url", "mqtt": "url", "nats": "url", "otlp": "url"}
}

// sinkOwn lists arguments that belong to some types of sinks alone.
func sinkOwn() map[string][]string {
	certified := []string{"http", "ipfix", "kafka", "mqtt", "nats", "otlp", "syslog", "websocket"}
	return map[string][]string{
		"path": {"file", "syslog", "unix", "unixgram", "websocket"}, "address": {"ipfix", "kafka", "syslog", "tcp", "udp", "websocket"},
		"origins": {"websocket"}, "max_clients": {"websocket"},
		"rotate_size": {"file"}, "rotate_age": {"file"}, "keep": {"file"},
		"transport": {"ipfix", "kafka", "otlp", "syslog"}, "facility": {"syslog"},
		"encoding": {"file", "http", "kafka", "mqtt", "nats", "stdout", "tcp", "udp", "unix", "unixgram", "websocket"},
		"details":  {"file", "http", "kafka", "mqtt", "nats", "stdout", "tcp", "unix", "websocket"},
		"url":      {"http", "mqtt", "nats", "otlp"},
		"ca_file":  certified, "cert_file": certified, "key_file": certified,
		"headers": {"http", "otlp"}, "headers_file": {"http", "otlp"}, "resource": {"otlp"}, "token_file": {"http", "nats", "otlp"}, "compress": {"file", "http", "kafka", "mqtt", "nats", "otlp", "stdout", "tcp", "unix"}, "batch": {"mqtt", "nats"},
		"topic": {"kafka", "mqtt"}, "qos": {"mqtt"}, "retain": {"mqtt"}, "client_id": {"kafka", "mqtt"},
		"username": {"kafka", "mqtt", "nats"}, "password_file": {"kafka", "mqtt", "nats"}, "sasl": {"kafka"}, "key": {"kafka"},
		"spool": {"http", "kafka", "mqtt", "nats", "otlp"}, "spool_size": {"http", "kafka", "mqtt", "nats", "otlp"},
		"subject": {"nats"}, "stream": {"nats"}, "credentials_file": {"nats"},
		"observation_domain": {"ipfix"}, "enterprise": {"ipfix"}, "message_size": {"ipfix"}, "template_interval": {"ipfix"}, "template_messages": {"ipfix"},
	}
}

// alone says why what makes records smaller, or fewer messages, is not for a type of sink
// that might be expected to have it; empty where nobody would ask.
func alone(name, kind string) string {
	switch {
	case name == "batch" && kind == "kafka":
		return " Kafka's client puts records of a partition into batches by itself, and compress is of these."
	case name == "batch" && (kind == "http" || kind == "otlp"):
		return " A request has the records of a second by itself."
	case name == "batch" && slices.Contains([]string{"file", "stdout", "tcp", "unix"}, kind):
		return " Its records are one stream, and what has come meanwhile is written at once."
	case name == "compress" && slices.Contains([]string{"udp", "unixgram"}, kind):
		return ` A datagram is one record, and one alone becomes half as long at most. Write encoding = "msgpack", which takes a fifth off, or a type whose records are one stream.`
	case name == "compress" && slices.Contains([]string{"ipfix", "syslog"}, kind):
		return fmt.Sprintf(" The protocol of %s has no way to say that a message is compressed.", kind)
	case name == "compress" && kind == "websocket":
		return " Each message is a record, and one alone becomes half as long at most."
	case name == "details" && slices.Contains([]string{"ipfix", "otlp"}, kind):
		return " Who reads records there takes each by itself, so each has all details."
	case name == "details":
		return " What is lost on the way there netpold does not learn, so each record has all details."
	}
	return ""
}

// sinkPlace reads where the records go.
func (d *decoder) sinkPlace(b *hclsyntax.Block, s *Sink) {
	own := sinkOwn()
	for _, a := range sortedAttributes(b.Body) {
		if types := own[a.Name]; types != nil && !slices.Contains(types, s.Type) {
			d.badSink(b, a.Name, fmt.Sprintf("A sink of type %q has no %s; that is for %s.", s.Type, a.Name, orList(types))+alone(a.Name, s.Type))
		}
	}
	needs := sinkPlaces()[s.Type]
	switch s.Type {
	case "syslog":
		needs = d.sinkSyslog(b, s)
	case "ipfix":
		d.sinkIPFIX(b, s)
	case "kafka":
		d.sinkKafka(b, s)
	case "websocket":
		d.sinkWebSocket(b, s)
	}
	switch needs {
	case "path":
		if d.require(b, "path", map[string]string{"file": `path = "/var/log/netpol/flows.jsonl"`, "unix": `path = "/run/netpol/flows.sock"`, "unixgram": `path = "/run/collector.sock"`, "syslog": `path = "/dev/log"`}[s.Type]) != nil {
			d.sinkPath(b, s)
		}
	case "address":
		if d.require(b, "address", map[string]string{"tcp": `address = "127.0.0.1:7171"`, "websocket": `address = "127.0.0.1:7171"`, "syslog": `address = "192.0.2.1:514"`, "ipfix": `address = "192.0.2.1:4739"`, "udp": `address = "192.0.2.1:7171"`}[s.Type]) != nil {
			d.sinkAddress(b, s)
		}
	case "url":
		d.sinkRemote(b, s)
	}
}

// facilities are those of syslog by number (RFC 5424, section 6.2.1).
var facilities = []string{
	"kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp",
	"ntp", "audit", "alert", "clock", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
}

// sinkSyslog reads how syslog is spoken, and says which argument says where.
func (d *decoder) sinkSyslog(b *hclsyntax.Block, s *Sink) string {
	s.Transport = d.sinkWord(b, "transport", []string{"udp", "tcp", "tls", "unix"}, "udp")
	d.sinkTransport(b, s)
	s.Facility = slices.Index(facilities, d.sinkWord(b, "facility", facilities, "daemon"))
	needs, other := "address", "path"
	if s.Transport == "unix" {
		needs, other = other, needs
	}
	if _, ok := b.Body.Attributes[other]; ok {
		d.badSink(b, other, fmt.Sprintf("Syslog by transport %q goes to %s, not %s.", s.Transport, needs, other))
	}
	return needs
}

func (d *decoder) sinkPath(b *hclsyntax.Block, s *Sink) {
	t := d.text(b, "path", `"/var/log/netpol/flows.jsonl"`)
	if t.Range.IsZero() {
		return
	}
	s.Path = t.Value
	switch {
	case !filepath.IsAbs(s.Path) || filepath.Clean(s.Path) != s.Path || strings.ContainsRune(s.Path, 0):
		d.badSink(b, "path", fmt.Sprintf("%q is not an absolute path, as netpold needs it: it runs in a directory of its own. Write it in full, without . and .. in it.", s.Path))
	case strings.HasPrefix(s.Type, "unix") && len(s.Path) > maxSocketPath:
		d.badSink(b, "path", fmt.Sprintf("The path of a socket has at most %d bytes in the kernel, and this has %d.", maxSocketPath, len(s.Path)))
	}
}

func (d *decoder) sinkAddress(b *hclsyntax.Block, s *Sink) {
	t := d.text(b, "address", `"127.0.0.1:7171"`)
	if t.Range.IsZero() {
		return
	}
	s.Address = t.Value
	host, port, err := net.SplitHostPort(s.Address)
	if err == nil && host == "" && s.Type != "tcp" && s.Type != "websocket" {
		d.badSink(b, "address", fmt.Sprintf("%q has no host to send to. It is written %q.", s.Address, map[string]string{"ipfix": "192.0.2.1:4739", "syslog": "192.0.2.1:514", "udp": "192.0.2.1:7171"}[s.Type]))
		return
	}
	if n, numberErr := strconv.ParseUint(port, 10, 16); err != nil || numberErr != nil || n == 0 {
		bad := d.badSink(b, "address", fmt.Sprintf("%q is not an address and port. It is written \"127.0.0.1:7171\"; to listen, \":7171\" is every address of the router.", s.Address))
		switch _, portErr := strconv.ParseUint(s.Address, 10, 16); {
		case err == nil || strings.Contains(s.Address, ":"):
		case portErr == nil:
			bad.Hint = fmt.Sprintf("write %q", ":"+s.Address)
		default:
			bad.Hint = fmt.Sprintf("write %q", s.Address+":7171")
		}
	}
}

// sinkFile reads how a file is rotated.
func (d *decoder) sinkFile(b *hclsyntax.Block, s *Sink) {
	if s.Type != "file" {
		return
	}
	s.RotateSize = d.sinkBytes(b, "rotate_size", `"10MB"`, minRotateSize, maxRotateSize, defaultRotateSize)
	s.RotateAge = d.sinkTime(b, "rotate_age", `"24h"`, minRotateAge, 366*24*time.Hour, 0)
	s.Keep = d.number(b, "keep", 0, maxKeep, defaultKeep)
}

// sinkRecords reads which records a sink takes.
func (d *decoder) sinkRecords(b *hclsyntax.Block) []string {
	var out []string
	for _, t := range d.someOf(b, "records", `"flow_end"`) {
		switch {
		case slices.Contains(out, t.Value):
			d.diags.Add(diag.New(diag.Duplicate, t.Range, fmt.Sprintf("The record %q stands in the list already.", t.Value)))
		case slices.Contains(RecordTypes(), t.Value):
			out = append(out, t.Value)
		default:
			bad := diag.New(diag.InvalidSink, t.Range, fmt.Sprintf("There are no records %q. The records are %s.", t.Value, strings.Join(RecordTypes(), ", ")))
			other := map[string]string{"flow_purge": "flow_end", "flow_dpi_update": "flow_update", "flow_dpi_complete": "flow_update"}[t.Value]
			switch {
			case t.Value == "aggregate":
				bad.Hint = "an aggregate says where its records go: write sink = " + strconv.Quote(b.Labels[0]) + " there"
			case t.Value == "policy_match":
				bad.Hint = "a policy says where its matches are told: write notify = " + strconv.Quote(b.Labels[0]) + " there"
			case other != "":
				bad.Hint = "Netify's " + t.Value + " is " + other
			default:
				bad.Hint = suggest.Hint(strings.ToLower(t.Value), RecordTypes())
			}
			d.diags.Add(bad)
		}
	}
	return out
}

// sinkBytes reads an amount of bytes.
func (d *decoder) sinkBytes(b *hclsyntax.Block, name, example string, low, high, def int64) int64 {
	t := d.text(b, name, example)
	if t.Range.IsZero() {
		return def
	}
	n, problem := quantity.Parse(t.Value, quantity.Bytes)
	switch {
	case problem != quantity.None && problem != quantity.TooLarge:
		bad := d.badSink(b, name, fmt.Sprintf("%q is not a number of bytes. It is written %s, with one of the units %s.", t.Value, example, quantity.Names(quantity.Bytes)))
		bad.Hint = quantity.Hint(t.Value, quantity.Bytes, `"`)
	case problem == quantity.TooLarge || int64(n) < low || int64(n) > high:
		d.badSink(b, name, fmt.Sprintf("%s is from %s to %s.", name, bytesText(low), bytesText(high)))
	}
	return cmp.Or(int64(n), def)
}

// bytesText is a power of two as people read it.
func bytesText(n int64) string {
	for _, unit := range []struct {
		name string
		size int64
	}{{"TiB", 1 << 40}, {"MiB", 1 << 20}} {
		if n >= unit.size {
			return fmt.Sprintf("%d %s", n/unit.size, unit.name)
		}
	}
	return fmt.Sprintf("%d KiB", n>>10)
}

func (d *decoder) sinkTime(b *hclsyntax.Block, name, example string, low, high, def time.Duration) time.Duration {
	return d.stretch(diag.InvalidSink, b, name, example, low, high, def)
}

// stretch reads a stretch of time; what cannot be one is reported by a code of the
// block's.
func (d *decoder) stretch(code string, b *hclsyntax.Block, name, example string, low, high, def time.Duration) time.Duration {
	t := d.text(b, name, example)
	if t.Range.IsZero() {
		return def
	}
	n, problem := quantity.Parse(t.Value, quantity.Seconds)
	out := time.Duration(min(n, int(high/time.Second)+1)) * time.Second
	switch {
	case problem != quantity.None && problem != quantity.TooLarge:
		bad := d.badArgument(code, b, name, fmt.Sprintf("%q is not a time. It is written %s, with one of the units %s.", t.Value, example, quantity.Names(quantity.Seconds)))
		bad.Hint = quantity.Hint(t.Value, quantity.Seconds, `"`)
	case problem == quantity.TooLarge || out < low || out > high:
		d.badArgument(code, b, name, fmt.Sprintf("%s is from %s to %s.", name, timeWords(low), timeWords(high)))
	}
	return out
}

// timeWords is a whole number of a unit as people read it.
func timeWords(t time.Duration) string {
	for _, unit := range []struct {
		name string
		size time.Duration
	}{{"day", 24 * time.Hour}, {"hour", time.Hour}, {"minute", time.Minute}} {
		switch n := t / unit.size; {
		case n == 1:
			return "a " + unit.name
		case n > 1:
			return fmt.Sprintf("%d %ss", n, unit.name)
		}
	}
	return fmt.Sprintf("%d seconds", t/time.Second)
}

// maxNotify bounds the sinks of one policy.
const maxNotify = 16

// notify reads the sinks that a policy tells of its matches.
func (d *decoder) notify(b *hclsyntax.Block) []Text {
	list := d.textOrList(b, "notify", `"events"`)
	if len(list) > maxNotify {
		d.diags.Add(diag.New(diag.TooLarge, toRange(b.Body.Attributes["notify"].Expr.Range()), fmt.Sprintf("notify may name %d sinks.", maxNotify)))
		return nil
	}
	seen := map[string]bool{}
	for _, t := range list {
		if seen[t.Value] {
			d.diags.Add(diag.New(diag.Duplicate, t.Range, fmt.Sprintf("The sink %q stands in the list already.", t.Value)))
		}
		seen[t.Value] = true
	}
	return list
}
