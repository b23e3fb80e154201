//go:build sink_kafka

package sink

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"github.com/netpol/netpol/compiler/artifact"
)

func kindsKafka() []opener {
	return []opener{{kind: artifact.SinkKafka, open: openKafka}}
}

const (
	// kafkaWindow is how many records may be under way at once.
	kafkaWindow = 4096
	// kafkaLinger is how long a batch waits for more of the same partition, which
	// makes them large enough for compression to be worth it.
	kafkaLinger = 5 * time.Millisecond
)

// producer sends each record as one of Kafka's, acknowledged by all replicas that
// are in sync. The library's own attempts do not store a record twice (it is an
// idempotent producer); what was under way when a client is given up is sent again
// by the next one, and may then be there twice.
type producer struct {
	runner *runner
	client *kgo.Client
	topics templater
	dialed atomic.Pointer[error] // why a broker was not reached last
}

func openKafka(r *runner) (target, error) {
	p := &producer{runner: r, topics: templater{encoding: &r.encoding, text: r.sink.Topic, router: kafkaTopic(routerName()), clean: kafkaTopic}}
	options, err := p.options()
	if err != nil {
		return nil, err
	}
	if p.client, err = kgo.NewClient(options...); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), dialLimit)
	defer cancel()
	if err := p.client.Ping(ctx); err != nil {
		p.client.Close()
		return nil, p.fault(err)
	}
	return p, nil
}

func (p *producer) options() ([]kgo.Opt, error) {
	s := &p.runner.sink
	out := []kgo.Opt{
		kgo.SeedBrokers(s.Servers...), kgo.ClientID(s.ClientID), kgo.WithHooks(p), kgo.DisableClientMetrics(),
		kgo.RequiredAcks(kgo.AllISRAcks()), kgo.ProducerLinger(kafkaLinger), kgo.AllowAutoTopicCreation(),
		kgo.MaxBufferedRecords(kafkaWindow), kgo.ProducerBatchCompression(compression(s.Compress)),
		kgo.DialTimeout(dialLimit), kgo.RequestRetries(1), kgo.MetadataMinAge(retryLeast),
	}
	if s.Transport == "tls" {
		config, err := tlsConfig(s)
		if err != nil {
			return nil, err
		}
		out = append(out, kgo.DialTLSConfig(config))
	}
	if s.Username == "" {
		return out, nil
	}
	password, err := secret(s.PasswordFile)
	return append(out, kgo.SASL(mechanism(s, password))), err
}

func compression(word string) kgo.CompressionCodec {
	switch word {
	case "gzip":
		return kgo.GzipCompression()
	case "snappy":
		return kgo.SnappyCompression()
	case "lz4":
		return kgo.Lz4Compression()
	case "zstd":
		return kgo.ZstdCompression()
	}
	return kgo.NoCompression()
}

func mechanism(s *artifact.Sink, password string) sasl.Mechanism {
	switch s.SASL {
	case "plain":
		return plain.Auth{User: s.Username, Pass: password}.AsMechanism()
	case "scram-sha-256":
		return scram.Auth{User: s.Username, Pass: password}.AsSha256Mechanism()
	}
	return scram.Auth{User: s.Username, Pass: password}.AsSha512Mechanism()
}

// OnBrokerConnect notes why a broker cannot be reached, which the library keeps to
// itself while it tries again.
func (p *producer) OnBrokerConnect(_ kgo.BrokerMetadata, _ time.Duration, _ net.Conn, err error) {
	p.dialed.Store(&err)
}

// fault words why the brokers do not take records.
func (p *producer) fault(err error) error {
	switch {
	case errors.Is(err, kerr.SaslAuthenticationFailed), errors.Is(err, kerr.UnsupportedSaslMechanism):
		return fmt.Errorf("the broker does not take the user: %w", err)
	case p.runner.sink.Username != "" && errors.Is(err, io.EOF):
		return fmt.Errorf("the broker does not take the user, or hangs up for another reason: %w", err)
	case errors.Is(err, context.DeadlineExceeded):
		if dialed := p.dialed.Load(); dialed != nil && *dialed != nil {
			return fmt.Errorf("no broker answers: %w", *dialed)
		}
		return errors.New("the brokers do not answer in time")
	}
	return err
}

// write sends lines, a window of them at a time.
func (p *producer) write(lines []byte) (int, error) {
	sent := 0
	for sent < len(lines) {
		n, err := p.produce(windowOf(&p.runner.encoding, lines[sent:], kafkaWindow))
		if sent += n; err != nil {
			return sent, err
		}
	}
	return sent, nil
}

// produce sends a window and waits for its acknowledgements; n is how many bytes
// need not be sent again. What no broker would ever take is given up.
func (p *producer) produce(window [][]byte) (n int, _ error) {
	ctx, cancel := context.WithTimeout(context.Background(), writeLimit)
	defer cancel()
	results := make(chan int, len(window)) // places of those that were decided
	errs := make([]error, len(window))
	for i, line := range window {
		p.client.Produce(ctx, p.record(line), func(_ *kgo.Record, err error) {
			errs[i] = err
			results <- i
		})
	}
	decided := make([]bool, len(window))
	for range window {
		select {
		case i := <-results:
			decided[i] = true
		case <-ctx.Done():
			return p.before(window, decided, errs), p.fault(ctx.Err())
		}
	}
	n = p.before(window, decided, errs)
	for i, err := range errs {
		if err != nil && !hopeless(err) {
			return n, p.recordFault(window[i], err)
		}
	}
	return n, nil
}

// before is how many bytes at the beginning of a window are done with.
func (p *producer) before(window [][]byte, decided []bool, errs []error) (n int) {
	for i, line := range window {
		if !decided[i] || errs[i] != nil && !hopeless(errs[i]) {
			return n
		}
		if errs[i] != nil {
			p.runner.lost(line)
			p.runner.config.Log.Warn("record refused", "sink", *p.runner.name.Load(), "place", p.runner.sink.Place(), "error", errs[i])
		}
		n += len(line)
	}
	return n
}

// hopeless says that a record will not be taken however often it is sent.
func hopeless(err error) bool {
	return errors.Is(err, kerr.MessageTooLarge) || errors.Is(err, kerr.InvalidRecord) || errors.Is(err, kerr.InvalidTopicException)
}

func (p *producer) recordFault(line []byte, err error) error {
	topic := p.topics.of(line)
	if errors.Is(err, kerr.UnknownTopicOrPartition) {
		return fmt.Errorf("there is no topic %q: create it, or let the brokers do so (auto.create.topics.enable)", topic)
	}
	return fmt.Errorf("topic %q: %w", topic, p.fault(err))
}

func (p *producer) record(line []byte) *kgo.Record {
	out := &kgo.Record{Topic: p.topics.of(line), Value: p.runner.bare(line)}
	if p.runner.sink.Key == "digest" {
		if digest := p.runner.digest(line); digest != "" {
			out.Key = []byte(digest)
		}
	}
	return out
}

// kafkaTopic makes a word fit for a topic: letters, digits, period, _ and - (Kafka's
// Topic.java).
func kafkaTopic(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '.', r == '_', r == '-':
			return r
		}
		return '_'
	}, s)
}

func (p *producer) close() error {
	p.client.Close()
	return nil
}
