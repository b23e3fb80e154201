package lang

import (
	"fmt"
	"net"
	"regexp"
	"strconv"

	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/netpol/netpol/lang/diag"
)

const (
	defaultKafkaTopic = "netpol.{type}"
	defaultClientID   = "netpold"
	// maxKafkaTopic is Kafka's bound on names of topics (Topic.java), less room for
	// what stands for the braces.
	maxKafkaTopic = 200
)

// kafkaTopic is what the names of Kafka's topics are made of.
var kafkaTopic = regexp.MustCompile(`^[a-zA-Z0-9._-]+$`)

// sinkKafka reads what is produced, and as whom.
func (d *decoder) sinkKafka(b *hclsyntax.Block, s *Sink) {
	if d.require(b, "address", `address = ["one.example:9092", "two.example:9092"]`) != nil {
		d.kafkaBrokers(b, s)
	}
	s.Transport = d.sinkWord(b, "transport", []string{"tcp", "tls"}, "tcp")
	d.sinkTransport(b, s)
	d.sinkUser(b, s)
	s.SASL = d.sinkWord(b, "sasl", []string{"scram-sha-512", "scram-sha-256", "plain"}, "")
	d.belongs(b, "sasl", "username", `says how a user is known. Write username = "router", or leave sasl out`)
	if s.Username != "" && s.SASL == "" {
		s.SASL = "scram-sha-512"
	}
	s.ClientID = defaultClientID
	if t := d.text(b, "client_id", `"netpold"`); !t.Range.IsZero() {
		s.ClientID = t.Value
	}
	s.Key = d.sinkWord(b, "key", []string{"digest", "none"}, "digest")
	s.Compress = d.sinkWord(b, "compress", []string{"none", "gzip", "snappy", "lz4", "zstd"}, "none")
	s.Topic = defaultKafkaTopic
	if t := d.text(b, "topic", `"netpol.{type}"`); !t.Range.IsZero() {
		s.Topic = t.Value
		if rest := placeholders.ReplaceAllString(s.Topic, "x"); len(rest) > maxKafkaTopic || !kafkaTopic.MatchString(rest) || rest == "." || rest == ".." {
			d.badSink(b, "topic", fmt.Sprintf("%q is not a topic of Kafka: it has letters, digits, period, _ and -, at most %d, and in braces {type}, {application} or {router}.", s.Topic, maxKafkaTopic))
		}
	}
	d.sinkSpool(b, s)
}

// kafkaBrokers reads the brokers to begin with.
func (d *decoder) kafkaBrokers(b *hclsyntax.Block, s *Sink) {
	list := d.someOf(b, "address", `"one.example:9092"`)
	for _, t := range list {
		host, port, err := net.SplitHostPort(t.Value)
		if n, numberErr := strconv.ParseUint(port, 10, 16); err != nil || numberErr != nil || host == "" || n == 0 {
			d.diags.Add(diag.New(diag.InvalidSink, t.Range, fmt.Sprintf("%q is not a host and port of a broker. It is written \"one.example:9092\".", t.Value)))
		}
		s.Servers = append(s.Servers, t.Value)
	}
	if len(list) > maxServers {
		d.badSink(b, "address", fmt.Sprintf("A sink begins with one of %d servers at most, and learns of the cluster's others from it.", maxServers))
	}
}
