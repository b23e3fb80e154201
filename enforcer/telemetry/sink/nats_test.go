//go:build sink_nats

package sink

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nkeys"

	"github.com/netpol/netpol/compiler/artifact"
)

// natsServer is a real nats-server in a process of its own, that can be killed.
type natsServer struct {
	t    *testing.T
	dir  string
	port int
	cmd  *exec.Cmd
}

const natsConfigIn = "NETPOL_NATS_CONFIG"

// TestNATSServer is the server's process, and no test.
func TestNATSServer(t *testing.T) {
	config := os.Getenv(natsConfigIn)
	if config == "" {
		t.Skip("it is the server of other tests")
	}
	options, err := server.ProcessConfigFile(config)
	if err != nil {
		t.Fatal(err)
	}
	s, err := server.NewServer(options)
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	s.WaitForShutdown()
}

// newNATS starts a server with JetStream on disk, and what else is written in
// config.
func newNATS(t *testing.T, config string) *natsServer {
	t.Helper()
	n := &natsServer{t: t, dir: t.TempDir(), port: freePort(t)}
	text := fmt.Sprintf("listen: 127.0.0.1:%d\njetstream { store_dir: %q, sync_interval: always }\n%s", n.port, n.dir, config)
	if err := os.WriteFile(filepath.Join(n.dir, "conf"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	n.start()
	return n
}

func (n *natsServer) start() {
	n.t.Helper()
	n.cmd = exec.Command(os.Args[0], "-test.run=^TestNATSServer$", "-test.timeout=20m")
	n.cmd.Env = append(os.Environ(), natsConfigIn+"="+filepath.Join(n.dir, "conf"))
	launch(n.t, n.cmd, n.address())
}

func (n *natsServer) stop() { kill(n.cmd) }

func (n *natsServer) address() string { return fmt.Sprintf("127.0.0.1:%d", n.port) }

// client connects as a test does. It reads what arrives, and makes streams.
func (n *natsServer) client(options ...nats.Option) *nats.Conn {
	n.t.Helper()
	conn, err := nats.Connect("nats://"+n.address(), append(options, nats.NoReconnect())...)
	if err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(conn.Close)
	return conn
}

// stream makes the stream NETPOL.
func (n *natsServer) stream(config jetstream.StreamConfig, as ...nats.Option) {
	n.t.Helper()
	js, err := jetstream.New(n.client(as...))
	if err != nil {
		n.t.Fatal(err)
	}
	config.Name, config.Storage = "NETPOL", jetstream.FileStorage
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if _, err := js.CreateOrUpdateStream(ctx, config); err != nil {
		n.t.Fatal(err)
	}
}

// stored is what the stream NETPOL holds: all records, and the names in them
// counted.
func (n *natsServer) stored() (sum uint64, names map[string]int) {
	n.t.Helper()
	time.Sleep(100 * time.Millisecond) // who waits for records asks again and again
	names = map[string]int{}
	for _, name := range n.names() {
		names[name]++
		sum++
	}
	return sum, names
}

// names are those in the records of the stream NETPOL, in their order.
func (n *natsServer) names() (list []string) {
	n.t.Helper()
	conn, err := nats.Connect("nats://"+n.address(), nats.NoReconnect())
	if err != nil {
		return nil // it has been killed
	}
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err != nil {
		n.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	s, err := js.Stream(ctx, "NETPOL")
	if err != nil {
		return nil
	}
	sum := s.CachedInfo().State.Msgs
	c, err := s.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{})
	if err != nil {
		n.t.Fatal(err)
	}
	for left := int(sum); left > 0; {
		batch, err := c.Fetch(min(left, 1000), jetstream.FetchMaxWait(5*time.Second))
		if err != nil {
			n.t.Fatal(err)
		}
		got := 0
		for m := range batch.Messages() {
			got++
			list = append(list, hostIn(m.Data()))
		}
		if left -= got; got == 0 {
			n.t.Fatalf("%d of %d records cannot be read: %v", left, sum, batch.Error())
		}
	}
	return list
}

func (n *natsServer) sink() artifact.Sink {
	return artifact.Sink{
		Name: "n", Kind: artifact.SinkNATS, Servers: []string{"nats://" + n.address()}, Topic: "netpol.{type}.{application}",
		Queue: 4 << 20, Records: []string{"flow"},
	}
}

// TestNATS publishes without a stream, to the second of two servers: in order, a
// message each, the words of the subject clean.
func TestNATS(t *testing.T) {
	n := newNATS(t, "")
	got := make(chan *nats.Msg, 3000)
	reader := n.client()
	if _, err := reader.ChanSubscribe("netpol.>", got); err != nil {
		t.Fatal(err)
	}
	if err := reader.Flush(); err != nil { // or the server has records before it knows who listens
		t.Fatal(err)
	}
	s := New(Config{})
	defer s.Close()
	one := n.sink()
	one.Servers = []string{fmt.Sprintf("nats://127.0.0.1:%d", freePort(t)), "nats://" + n.address()}
	s.Use([]artifact.Sink{one})
	eventually(t, "a subscription", func() bool { return s.Status()[0].Fault == "" })
	for i := range 1000 {
		r := flowOf(fmt.Sprint("host", i))
		r.Flow.ApplicationName = "zoom.*>"
		s.Offer(0, r)
	}
	for i := range 1000 {
		select {
		case m := <-got:
			if m.Subject != "netpol.flow.zoom___" || hostIn(m.Data) != fmt.Sprint("host", i) || m.Data[len(m.Data)-1] != '}' {
				t.Fatalf("record %d: got %s %s", i, m.Subject, m.Data)
			}
		case <-time.After(20 * time.Second):
			t.Fatalf("%d of 1000 records came: %+v", i, s.Status()[0])
		}
	}
	if st := s.Status()[0]; st.Fault != "" || len(st.Dropped) > 0 {
		t.Errorf("got %+v", st)
	}
}

// TestJetStreamServerKilled kills the server four times under load: every record
// that was taken in is in the stream once, because the server knows again those
// that are sent again.
func TestJetStreamServerKilled(t *testing.T) {
	n := newNATS(t, "")
	n.stream(jetstream.StreamConfig{Subjects: []string{"netpol.>"}})
	s := New(Config{})
	defer s.Close()
	one := n.sink()
	one.Stream, one.Queue = "NETPOL", 16<<20
	s.Use([]artifact.Sink{one})
	offered := underLoad(t, s, 4, func() {
		n.stop()
		n.start()
	})
	st := s.Status()[0]
	if int(st.Records) != offered {
		t.Fatalf("%d of %d records were taken in: %+v", st.Records, offered, st)
	}
	eventually(t, "the queue to be empty", func() bool { return len(s.slot(0).queue.waitingNow()) == 0 && s.Status()[0].Fault == "" })
	var sum uint64
	var names map[string]int
	eventually(t, "all records", func() bool { sum, names = n.stored(); return len(names) == offered })
	if sum != uint64(offered) {
		t.Errorf("%d records are stored of %d", sum, offered)
	}
	t.Logf("%d records, each stored once", sum)
}

// TestNATSFaults says what is wrong in a way that the operator can act on, and
// gets over it.
func TestNATSFaults(t *testing.T) {
	n := newNATS(t, "")
	s := New(Config{})
	defer s.Close()
	one := n.sink()
	one.Stream = "NETPOL"
	s.Use([]artifact.Sink{one})
	fault := func(what, want string) {
		t.Helper()
		eventually(t, what, func() bool { return strings.Contains(s.Status()[0].Fault, want) })
	}
	fault("no stream", fmt.Sprintf(`there is no stream "NETPOL" at nats://%s: create it, with the subjects of "netpol.{type}.{application}"`, n.address()))
	s.Offer(0, flowOf("waits"))
	n.stream(jetstream.StreamConfig{Subjects: []string{"other.>"}})
	fault("no subject", `no stream takes the subject "netpol.flow.unknown"`)
	n.stream(jetstream.StreamConfig{Subjects: []string{"netpol.>"}, MaxMsgSize: 2000})
	eventually(t, "the record that waited", func() bool { sum, _ := n.stored(); return sum == 1 && s.Status()[0].Fault == "" })
	s.Offer(0, flowOf(strings.Repeat("long", 1000)))
	eventually(t, "a record that is too long", func() bool { return s.Status()[0].Dropped["failed"] == 1 })

	n.stop()
	s.Offer(0, flowOf("nobody"))
	fault("no server", "no server answers: dial tcp 127.0.0.1:")
}

// TestNATSIdentity connects with TLS and each kind of secret, and with a wrong one.
func TestNATSIdentity(t *testing.T) {
	dir := t.TempDir()
	ca, key := certificate(t, dir)
	user, err := nkeys.CreateUser()
	if err != nil {
		t.Fatal(err)
	}
	seed, err := user.Seed()
	if err != nil {
		t.Fatal(err)
	}
	public, err := user.PublicKey()
	if err != nil {
		t.Fatal(err)
	}
	tls := fmt.Sprintf("tls { cert_file: %q, key_file: %q, ca_file: %[1]q, verify: true }\n", ca, key)
	password := newNATS(t, tls+`authorization { users: [ {user: router, password: sesame, permissions: {publish: "netpol.flow.>"}}, {nkey: `+public+`} ] }`)
	token := newNATS(t, "authorization { token: sesame }")
	s := New(Config{})
	defer s.Close()
	secured := password.sink()
	secured.Servers = []string{"tls://" + password.address()}
	secured.CAFile, secured.CertFile, secured.KeyFile = ca, ca, key
	for _, c := range []struct {
		name  string
		from  artifact.Sink
		edit  func(*artifact.Sink)
		fault string
	}{
		{"password", secured, func(one *artifact.Sink) { one.Username, one.PasswordFile = "router", secretFile(t, "sesame") }, ""},
		{"nkey", secured, func(one *artifact.Sink) { one.CredentialsFile = secretFile(t, string(seed)) }, ""},
		{"token", token.sink(), func(one *artifact.Sink) { one.TokenFile = secretFile(t, "sesame") }, ""},
		{"wrong password", secured, func(one *artifact.Sink) { one.Username, one.PasswordFile = "router", secretFile(t, "x") }, "the server does not take the user"},
		{"no password", secured, func(*artifact.Sink) {}, "the server does not take the user"},
		{"wrong token", token.sink(), func(one *artifact.Sink) { one.TokenFile = secretFile(t, "x") }, "the server does not take the user"},
		{"no seed", secured, func(one *artifact.Sink) { one.CredentialsFile = secretFile(t, "x") }, "holds neither credentials nor the seed of an nkey"},
		{"no file", secured, func(one *artifact.Sink) { one.CredentialsFile = "/nowhere/x" }, "/nowhere/x: no such file"},
		{"wrong certificate", secured, func(one *artifact.Sink) { one.CAFile, _ = certificate(t, t.TempDir()) }, "certificate"},
		{"no certificate", secured, func(one *artifact.Sink) { one.CertFile, one.KeyFile = "", "" }, "certificate"},
	} {
		one := c.from
		c.edit(&one)
		s.Use([]artifact.Sink{one})
		s.Offer(0, flowOf(c.name))
		if c.fault == "" {
			eventually(t, c.name, func() bool { st := s.Status()[0]; return st.Bytes > 0 && st.Fault == "" })
			continue
		}
		eventually(t, c.name+": "+c.fault, func() bool { return strings.Contains(s.Status()[0].Fault, c.fault) })
	}

	// A user who may publish some subjects and no other: the others are given up.
	secured.Username, secured.PasswordFile = "router", secretFile(t, "sesame")
	secured.Topic = "other.{type}"
	s.Use([]artifact.Sink{secured})
	s.Offer(0, flowOf("denied"))
	eventually(t, "a refusal", func() bool { return s.Status()[0].Dropped["failed"] == 1 })
	password.stream(jetstream.StreamConfig{Subjects: []string{"other.>"}}, nats.RootCAs(ca), nats.ClientCert(ca, key), nats.Nkey(public, user.Sign))
	secured.Stream = "NETPOL"
	s.Use([]artifact.Sink{secured})
	s.Offer(0, flowOf("denied"))
	eventually(t, "a fault", func() bool { return strings.Contains(s.Status()[0].Fault, `permissions violation`) })
}

func TestSubjectToken(t *testing.T) {
	for in, want := range map[string]string{"zoom": "zoom", "r1.example": "r1_example", "a b\t>*": "a_b___", "café": "café"} {
		if got := subjectToken(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}
