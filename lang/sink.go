package lang

import (
	"time"

	"github.com/netpol/netpol/lang/diag"
)

// Sink is where records of what netpold sees go, with the defaults filled in.
type Sink struct {
	Name            string // with its module before it, "iot/events"
	Module          string // empty for the set itself
	Description     string
	Type            string // one of SinkTypes
	Path            string // of file, unix, unixgram and syslog
	Address         string // of tcp, udp, syslog and ipfix, "127.0.0.1:7171"
	Records         []string
	When            []Criteria // any of them; none for every flow
	Details         string     // always or once
	Interval        time.Duration
	Queue           int   // bytes
	RotateSize      int64 // bytes; 0 for never
	RotateAge       time.Duration
	Keep            int
	URL             string // of http, mqtt and otlp
	Headers         []SinkHeader
	HeadersFile     string       // of http and otlp: those that are secret
	Resource        []SinkHeader // of otlp: attributes
	TokenFile       string
	Compress        string // none or gzip
	CAFile          string
	CertFile        string // of netpold itself, with KeyFile
	KeyFile         string
	Topic           string // of mqtt; the subject of nats
	QoS             int    // of mqtt
	Batch           int    // of mqtt and nats: records in a message
	Retain          bool
	ClientID        string
	Username        string
	PasswordFile    string
	Servers         []string   // of nats: URLs
	Origins         []string   // of websocket: hosts of pages that may read it
	MaxClients      int        // of websocket
	SASL            string     // of kafka
	Key             string     // of kafka: digest or none
	Stream          string     // of nats; empty without JetStream
	Spool           string     // a directory; of those that acknowledge
	SpoolSize       int64      // bytes
	CredentialsFile string     // of nats
	Encoding        string     // json or msgpack
	Transport       string     // of syslog and ipfix: udp, tcp, tls or unix; of otlp: http or grpc
	Facility        int        // of syslog
	Addresses       string     // plain, hash or drop
	Names           string     // plain, domain or drop
	Range           diag.Range // of the block's header

	// Of ipfix.
	Domain, Enterprise uint32
	MessageSize        int // bytes
	TemplateInterval   time.Duration
	TemplateMessages   int
}

// SinkHeader is a header of requests, or an attribute.
type SinkHeader struct{ Name, Value string }

// SinkTypes are the words of a sink's type.
func SinkTypes() []string {
	return []string{"file", "http", "ipfix", "kafka", "mqtt", "nats", "otlp", "stdout", "syslog", "tcp", "udp", "unix", "unixgram", "websocket"}
}

// RecordTypes are the records that a sink may ask for. A policy_match comes of a
// policy's notify.
func RecordTypes() []string {
	return []string{"flow", "flow_update", "flow_stats", "flow_end", "agent_status", "interface_stats", "endpoints"}
}
