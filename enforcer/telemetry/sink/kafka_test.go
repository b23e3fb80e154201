//go:build sink_kafka

package sink

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/netpol/netpol/compiler/artifact"
)

// kafkaCluster is franz-go's broker (kfake) in a process of its own, that keeps
// its log on disk and can be killed. It speaks Kafka's protocol, sequence numbers of
// idempotent producers included, and is not Apache's.
type kafkaCluster struct {
	t    *testing.T
	plan kafkaPlan
	cmd  *exec.Cmd
}

type kafkaPlan struct {
	Port      int
	Dir       string
	Cert, Key string // with TLS
	SASL      string // the mechanism of user router, password sesame
	Topics    []string
	Auto      bool // makes topics that are asked for
}

const kafkaPlanIn = "NETPOL_KAFKA_PLAN"

// TestKafkaCluster is the cluster's process, and no test.
func TestKafkaCluster(t *testing.T) {
	text := os.Getenv(kafkaPlanIn)
	if text == "" {
		t.Skip("it is the cluster of other tests")
	}
	var plan kafkaPlan
	if err := json.Unmarshal([]byte(text), &plan); err != nil {
		t.Fatal(err)
	}
	options := []kfake.Opt{kfake.NumBrokers(1), kfake.Ports(plan.Port), kfake.DataDir(plan.Dir), kfake.SyncWrites(), kfake.SeedTopics(3, plan.Topics...)}
	if plan.Auto {
		options = append(options, kfake.AllowAutoTopicCreation())
	}
	if plan.SASL != "" {
		options = append(options, kfake.EnableSASL(), kfake.Superuser(plan.SASL, "router", "sesame"))
	}
	if plan.Cert != "" {
		pair, err := tls.LoadX509KeyPair(plan.Cert, plan.Key)
		if err != nil {
			t.Fatal(err)
		}
		options = append(options, kfake.TLS(&tls.Config{Certificates: []tls.Certificate{pair}}))
	}
	c, err := kfake.NewCluster(options...)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	select {} // until it is killed
}

func newKafka(t *testing.T, plan kafkaPlan) *kafkaCluster {
	t.Helper()
	plan.Port, plan.Dir = freePort(t), filepath.Join(t.TempDir(), "log")
	k := &kafkaCluster{t: t, plan: plan}
	k.start()
	return k
}

func (k *kafkaCluster) start() {
	k.t.Helper()
	plan, err := json.Marshal(k.plan)
	if err != nil {
		k.t.Fatal(err)
	}
	k.cmd = exec.Command(os.Args[0], "-test.run=^TestKafkaCluster$", "-test.timeout=20m")
	k.cmd.Env = append(os.Environ(), kafkaPlanIn+"="+string(plan))
	launch(k.t, k.cmd, k.address())
}

func (k *kafkaCluster) stop() { kill(k.cmd) }

func (k *kafkaCluster) address() string { return fmt.Sprintf("127.0.0.1:%d", k.plan.Port) }

func (k *kafkaCluster) sink() artifact.Sink {
	return artifact.Sink{
		Name: "k", Kind: artifact.SinkKafka, Servers: []string{k.address()}, Transport: "tcp", Topic: "netpol.{type}", Key: "digest",
		ClientID: "netpold", Queue: 4 << 20, Records: []string{"flow"},
	}
}

// consume reads a topic from its beginning until enough says so.
func (k *kafkaCluster) consume(topic string, enough func(*kgo.Record) bool) {
	k.t.Helper()
	c, err := kgo.NewClient(kgo.SeedBrokers(k.address()), kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		k.t.Fatal(err)
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	for {
		list := c.PollFetches(ctx)
		if ctx.Err() != nil {
			k.t.Fatalf("topic %s: not enough is there: %v", topic, list.Err())
		}
		for _, r := range list.Records() {
			if enough(r) {
				return
			}
		}
	}
}

// TestKafka produces with each compression, keyed by flow: those of one are in one
// partition and in order.
func TestKafka(t *testing.T) {
	k := newKafka(t, kafkaPlan{Auto: true})
	for _, compress := range []string{"", "gzip", "snappy", "lz4", "zstd"} {
		s := New(Config{})
		one := k.sink()
		one.Compress, one.Topic = compress, "netpol.{type}.{application}."+compress+"x"
		s.Use([]artifact.Sink{one})
		for i := range 1000 {
			r := flowOf(fmt.Sprint(i / 10))
			r.Flow.ApplicationName, r.Flow.Digest = "café", [20]byte{byte(i % 10)}
			s.Offer(0, r)
		}
		last, partitions, n := map[string]int{}, map[string]int32{}, 0
		k.consume("netpol.flow.caf_."+compress+"x", func(r *kgo.Record) bool {
			i, key := 0, string(r.Key)
			_, _ = fmt.Sscan(hostIn(r.Value), &i)
			if at, known := partitions[key]; known && (at != r.Partition || i != last[key]+1) {
				t.Fatalf("flow %s: record %d in partition %d after %d in %d", key, i, r.Partition, last[key], at)
			}
			last[key], partitions[key] = i, r.Partition
			n++
			return n == 1000
		})
		if len(last) != 10 {
			t.Errorf("got the keys %v", partitions)
		}
		eventually(t, "no fault", func() bool { st := s.Status()[0]; return st.Fault == "" && len(st.Dropped) == 0 })
		s.Close()
	}
}

// TestKafkaKilled kills the broker under load: all that was taken in is in the log.
func TestKafkaKilled(t *testing.T) {
	k := newKafka(t, kafkaPlan{Topics: []string{"netpol.flow"}})
	s := New(Config{})
	defer s.Close()
	one := k.sink()
	one.Spool, one.SpoolSize = t.TempDir(), 64<<20
	use(t, s, one)
	offered := underLoad(t, s, 3, func() {
		k.stop()
		time.Sleep(300 * time.Millisecond)
		k.start()
	})
	if st := s.Status()[0]; int(st.Records) != offered {
		t.Fatalf("%d of %d records were taken in: %+v", st.Records, offered, st)
	}
	names, sum := map[string]bool{}, 0
	k.consume("netpol.flow", func(r *kgo.Record) bool {
		names[hostIn(r.Value)] = true
		sum++
		return len(names) == offered
	})
	t.Logf("%d records, %d in the log by then", offered, sum)
}

// TestKafkaFaults says what is wrong in a way that the operator can act on.
func TestKafkaFaults(t *testing.T) {
	ca, key := certificate(t, t.TempDir())
	open := newKafka(t, kafkaPlan{})
	secured := newKafka(t, kafkaPlan{Cert: ca, Key: key, SASL: "SCRAM-SHA-256", Auto: true})
	plain := newKafka(t, kafkaPlan{SASL: "PLAIN", Auto: true})
	gone := newKafka(t, kafkaPlan{})
	gone.stop()
	s := New(Config{})
	defer s.Close()
	user := func(one *artifact.Sink, mechanism, password string) {
		one.Username, one.SASL, one.PasswordFile = "router", mechanism, secretFile(t, password)
	}
	for _, c := range []struct {
		name  string
		from  *kafkaCluster
		edit  func(*artifact.Sink)
		fault string
	}{
		{"no topic", open, func(*artifact.Sink) {}, `there is no topic "netpol.flow": create it, or let the brokers do so (auto.create.topics.enable)`},
		{"tls and scram", secured, func(one *artifact.Sink) {
			one.Transport, one.CAFile = "tls", ca
			user(one, "scram-sha-256", "sesame")
		}, ""},
		{"wrong password", secured, func(one *artifact.Sink) {
			one.Transport, one.CAFile = "tls", ca
			user(one, "scram-sha-256", "x")
		}, "the broker does not take the user"},
		{"wrong mechanism", secured, func(one *artifact.Sink) {
			one.Transport, one.CAFile = "tls", ca
			user(one, "plain", "sesame")
		}, "the broker does not take the user"},
		{"unknown certificate", secured, func(one *artifact.Sink) { one.Transport = "tls" }, "certificate"},
		{"plain", plain, func(one *artifact.Sink) { user(one, "plain", "sesame") }, ""},
		{"wrong plain", plain, func(one *artifact.Sink) { user(one, "plain", "x") }, "the broker does not take the user"},
		{"nobody", gone, func(*artifact.Sink) {}, "connection refused"},
	} {
		one := c.from.sink()
		c.edit(&one)
		s.Use([]artifact.Sink{one})
		s.Offer(0, flowOf(c.name))
		if c.fault == "" {
			eventually(t, c.name, func() bool { st := s.Status()[0]; return st.Bytes > 0 && st.Fault == "" })
			continue
		}
		got := ""
		for end := time.Now().Add(25 * time.Second); !strings.Contains(got, c.fault); time.Sleep(10 * time.Millisecond) {
			if got = s.Status()[0].Fault; time.Now().After(end) {
				t.Errorf("%s: got %q, want %q", c.name, got, c.fault)
				break
			}
		}
	}
}
