package artifact

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Sink is where the enforcer sends records of what it sees. Equal sinks are the
// same one: a new bundle leaves them open.
type Sink struct {
	Name string   `json:"name"`
	Kind SinkKind `json:"kind"`
	// Path is the file of a file, the socket of unix and of syslog by Transport
	// unix; Address the host and port of tcp and syslog; URL that of http, mqtt and otlp;
	// Servers are the URLs of nats, and hosts and ports of kafka, of which it takes the
	// first that answers.
	Path    string   `json:"path,omitempty"`
	Address string   `json:"address,omitempty"`
	URL     string   `json:"url,omitempty"`
	Servers []string `json:"servers,omitempty"`
	// Records are the kinds of records that it takes, by their names on the wire.
	// Policies may notify any sink.
	Records []string `json:"records,omitempty"`
	// When is the condition that a flow must meet for records of it to go there,
	// as written; Bundle.SinkProgram decides it. Empty is every flow.
	When string `json:"when,omitempty"`
	// Interval is how far records lie apart that come at intervals.
	Interval time.Duration `json:"interval,omitempty"`
	// Details says how often it is told the details of a flow.
	Details Details `json:"details,omitempty"`
	// Encoding is how its records are written.
	Encoding Encoding `json:"encoding,omitempty"`
	// Queue bounds the bytes that wait for the sink.
	Queue int `json:"queue"`
	// A file is begun anew when it has RotateSize bytes or is RotateAge old, 0 for
	// never; of the earlier ones Keep stay.
	RotateSize int64         `json:"rotate_size,omitempty"`
	RotateAge  time.Duration `json:"rotate_age,omitempty"`
	Keep       int           `json:"keep,omitempty"`
	Privacy    Privacy       `json:"privacy,omitzero"`
	// Headers are those of requests of http and otlp, by name; TokenFile holds a token for
	// them or for nats. Gzip compresses their bodies,
	// in bundles from before Compress.
	Headers   []Header `json:"headers,omitempty"`
	TokenFile string   `json:"token_file,omitempty"`
	// HeadersFile holds more headers, a line each, that are secret.
	HeadersFile string `json:"headers_file,omitempty"`
	Gzip        bool   `json:"gzip,omitempty"`
	// Resource is what otlp says of the router besides what netpold knows, by name.
	Resource []Header `json:"resource,omitempty"`
	// CAFile holds the certificates that sign the server's, instead of the system's.
	CAFile string `json:"ca_file,omitempty"`
	// CertFile and KeyFile hold the certificate and private key that netpold shows.
	CertFile string `json:"cert_file,omitempty"`
	KeyFile  string `json:"key_file,omitempty"`
	// Topic, in which {type}, {application} and {router} stand for a record's, is
	// that of mqtt and kafka and the subject of nats; QoS, Retain and ClientID are those of
	// mqtt.
	Topic        string `json:"topic,omitempty"`
	QoS          int    `json:"qos,omitempty"`
	Retain       bool   `json:"retain,omitempty"`
	ClientID     string `json:"client_id,omitempty"`
	Username     string `json:"username,omitempty"`
	PasswordFile string `json:"password_file,omitempty"`
	// Batch is how many records go in a message of mqtt or nats at most; 0 is each by itself.
	Batch int `json:"batch,omitempty"`
	// CredentialsFile holds the user's JWT and seed, or the seed of an nkey alone,
	// for nats. Stream is the one of JetStream that acknowledges; empty is none.
	CredentialsFile string `json:"credentials_file,omitempty"`
	Stream          string `json:"stream,omitempty"`
	// Origins are the hosts whose pages may read a websocket, and MaxClients bounds how
	// many connect to it; its Path is that of its URL.
	Origins    []string `json:"origins,omitempty"`
	MaxClients int      `json:"max_clients,omitempty"`
	// SASL is how Username and its password are shown to kafka: plain, scram-sha-256 or
	// scram-sha-512. Key says what its records are keyed by, digest or nothing;
	// Compress is what records are compressed by that are written at a time.
	SASL     string `json:"sasl,omitempty"`
	Key      string `json:"key,omitempty"`
	Compress string `json:"compress,omitempty"`
	// Spool is the directory where records wait while the place does not take them,
	// at most SpoolSize bytes; empty is none.
	Spool     string `json:"spool,omitempty"`
	SpoolSize int64  `json:"spool_size,omitempty"`
	// Transport (udp, tcp, tls or unix) is that of syslog, ipfix and kafka, and of otlp (grpc,
	// empty for HTTP); Facility that of syslog.
	Transport string `json:"transport,omitempty"`
	Facility  int    `json:"facility,omitempty"`
	// Messages of ipfix have at most MessageSize bytes and come of an observation
	// Domain; netpol's own elements have Enterprise's numbers. On udp templates are sent
	// every so often, by time and by messages.
	Domain           uint32        `json:"domain,omitempty"`
	Enterprise       uint32        `json:"enterprise,omitempty"`
	MessageSize      int           `json:"message_size,omitempty"`
	TemplateInterval time.Duration `json:"template_interval,omitempty"`
	TemplateMessages int           `json:"template_messages,omitempty"`
}

// Watches says that the sink takes records of flows, so that netpold must see
// them.
func (s *Sink) Watches() bool {
	return slices.ContainsFunc(s.Records, func(r string) bool { return strings.HasPrefix(r, "flow") || r == "endpoints" })
}

// Periodic says that the sink takes records that come at intervals.
func (s *Sink) Periodic() bool {
	return slices.ContainsFunc(s.Records, func(r string) bool {
		return r == "flow_stats" || r == "agent_status" || r == "interface_stats" || r == "endpoints"
	})
}

// SinkKind says what a sink is.
type SinkKind string

// Kinds of Sink.
const (
	SinkFile      SinkKind = "file"
	SinkStdout    SinkKind = "stdout"
	SinkUnix      SinkKind = "unix" // a listening socket
	SinkTCP       SinkKind = "tcp"  // a listening socket
	SinkUDP       SinkKind = "udp"
	SinkUnixgram  SinkKind = "unixgram"
	SinkSyslog    SinkKind = "syslog"
	SinkIPFIX     SinkKind = "ipfix"
	SinkHTTP      SinkKind = "http"
	SinkMQTT      SinkKind = "mqtt"
	SinkNATS      SinkKind = "nats"
	SinkKafka     SinkKind = "kafka"
	SinkOTLP      SinkKind = "otlp"
	SinkWebSocket SinkKind = "websocket" // a listening server
)

// Details says how often a sink is told the details of a flow.
type Details string

// Each record has all of them, or those that the sink was not told before.
const (
	DetailsAlways Details = ""
	DetailsOnce   Details = "once"
)

// BuildTag is that of a netpold that has sinks of this kind, besides netpold-full, which has
// all; empty where every netpold has them.
func (k SinkKind) BuildTag() string {
	switch k {
	case SinkHTTP, SinkKafka, SinkMQTT, SinkNATS, SinkOTLP, SinkWebSocket:
		return "sink_" + string(k)
	case SinkFile, SinkStdout, SinkUnix, SinkTCP, SinkUDP, SinkUnixgram, SinkSyslog, SinkIPFIX:
	}
	return ""
}

// Encoding is a way to write records.
type Encoding string

// Encodings. Both say the same.
const (
	EncodingJSON    Encoding = ""
	EncodingMsgpack Encoding = "msgpack"
)

// Header is a header of a request, or an attribute.
type Header struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Privacy says what of people a sink is told.
type Privacy struct {
	Addresses Disclosure `json:"addresses,omitempty"` // of hosts on the local side, hardware addresses too
	Names     Disclosure `json:"names,omitempty"`     // host names and what else says who was asked for
}

// Disclosure says how much of something is told.
type Disclosure string

// Disclosures. Hash is for addresses, Domain for names.
const (
	DisclosePlain  Disclosure = ""
	DiscloseHash   Disclosure = "hash"   // the same pseudonym each time
	DiscloseDomain Disclosure = "domain" // the last two labels of a name
	DiscloseNone   Disclosure = "drop"
)

// Place is where the records go: "file /var/log/netpol/flows.jsonl".
func (s *Sink) Place() string {
	var words []string
	for _, w := range []string{string(s.Kind), s.Transport, s.Path, s.Address, s.URL, strings.Join(s.Servers, ",")} {
		if w != "" {
			words = append(words, w)
		}
	}
	return strings.Join(words, " ")
}

// Takes is what the sink takes, in one line: "flow_end when app == 'zoom', local
// addresses hashed".
func (s *Sink) Takes() string {
	text := strings.Join(s.Records, ", ")
	if text == "" {
		text = "what policies notify"
	}
	if s.When != "" {
		text += " when " + s.When
	}
	if s.Details == DetailsOnce {
		text += ", details once"
	}
	if s.Encoding != EncodingJSON {
		text += ", as " + string(s.Encoding)
	}
	if s.Batch > 1 {
		text += fmt.Sprintf(", up to %d in a message", s.Batch)
	}
	if c := s.Compression(); c != "" {
		text += ", compressed by " + c
	}
	if s.Interval > 0 {
		text += fmt.Sprintf(", every %d s", int(s.Interval.Seconds()))
	}
	switch s.Privacy.Addresses {
	case DisclosePlain, DiscloseDomain:
	case DiscloseHash:
		text += ", local addresses hashed"
	case DiscloseNone:
		text += ", without local addresses"
	}
	switch s.Privacy.Names {
	case DisclosePlain, DiscloseHash:
	case DiscloseDomain:
		text += ", domains instead of host names"
	case DiscloseNone:
		text += ", without host names"
	}
	return text
}

// String is the sink in one line, with its name.
func (s Sink) String() string { return s.Name + ": " + s.Place() + " takes " + s.Takes() }

// Compression is what records are compressed by that are written at a time, as HTTP's
// Content-Encoding has it; empty is nothing.
func (s *Sink) Compression() string {
	if s.Gzip {
		return "gzip"
	}
	return s.Compress
}
