//go:build sink_mqtt

package sink

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/packets"
	"github.com/eclipse/paho.golang/paho"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/kernel/kerneltest"
)

// broker is a real mosquitto with a port for everybody and one with TLS, on which
// a user and a password are asked for.
type broker struct {
	t               *testing.T
	dir             string
	plain, secured  int
	ca, passwordsIn string
	cmd             *exec.Cmd
}

func newBroker(t *testing.T) *broker {
	t.Helper()
	kerneltest.Need(t, "mosquitto")
	b := &broker{t: t, dir: t.TempDir(), plain: freePort(t), secured: freePort(t)}
	b.ca, _ = certificate(t, b.dir)
	b.passwordsIn = filepath.Join(b.dir, "passwords")
	if out, err := exec.Command("mosquitto_passwd", "-b", "-c", b.passwordsIn, "router", "sesame").CombinedOutput(); err != nil {
		t.Fatalf("mosquitto_passwd: %v: %s", err, out)
	}
	config := fmt.Sprintf(`per_listener_settings true
user root
listener %d 127.0.0.1
allow_anonymous true
listener %d 127.0.0.1
allow_anonymous false
password_file %s
cafile %[4]s
certfile %[4]s
keyfile %[5]s
`, b.plain, b.secured, b.passwordsIn, b.ca, filepath.Join(b.dir, "key.pem"))
	if err := os.WriteFile(filepath.Join(b.dir, "conf"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	b.start()
	return b
}

func (b *broker) start() {
	b.t.Helper()
	b.cmd = exec.Command("mosquitto", "-c", filepath.Join(b.dir, "conf"))
	launch(b.t, b.cmd, fmt.Sprintf("127.0.0.1:%d", b.plain))
}

func (b *broker) stop() { kill(b.cmd) }

// inbox holds what a subscriber got.
type inbox struct {
	mu   sync.Mutex
	list []*paho.Publish
}

func (i *inbox) len() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return len(i.list)
}

// subscribe reads everything below netpol/.
func (b *broker) subscribe() *inbox {
	b.t.Helper()
	conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", b.plain))
	if err != nil {
		b.t.Fatal(err)
	}
	in := &inbox{}
	c := paho.NewClient(paho.ClientConfig{Conn: packets.NewThreadSafeConn(conn), OnPublishReceived: []func(paho.PublishReceived) (bool, error){
		func(p paho.PublishReceived) (bool, error) {
			in.mu.Lock()
			in.list = append(in.list, p.Packet)
			in.mu.Unlock()
			return true, nil
		},
	}})
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if _, err := c.Connect(ctx, &paho.Connect{ClientID: "test", KeepAlive: 30, CleanStart: true}); err != nil {
		b.t.Fatal(err)
	}
	if _, err := c.Subscribe(ctx, &paho.Subscribe{Subscriptions: []paho.SubscribeOptions{{Topic: "netpol/#", QoS: 2, RetainAsPublished: true}}}); err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() {
		_ = c.Disconnect(&paho.Disconnect{})
		<-c.Done()
	})
	return in
}

func (b *broker) sink(qos int) artifact.Sink {
	return artifact.Sink{
		Name: "m", Kind: artifact.SinkMQTT, URL: fmt.Sprintf("mqtt://127.0.0.1:%d", b.plain), Topic: "netpol/{type}/{application}",
		QoS: qos, ClientID: fmt.Sprint("netpold-test-", qos), Queue: 4 << 20, Records: []string{"flow"},
	}
}

// TestMQTT sends a thousand records of each quality of service, over TLS with a
// password as well, and a retained one.
func TestMQTT(t *testing.T) {
	b := newBroker(t)
	in := b.subscribe()
	want := 0
	for qos := range 3 {
		s := New(Config{})
		one := b.sink(qos)
		if qos == 2 {
			one.Retain = true
		}
		if qos == 1 {
			one.URL, one.CAFile = fmt.Sprintf("mqtts://127.0.0.1:%d", b.secured), b.ca
			one.Username, one.PasswordFile = "router", secretFile(t, "sesame")
		}
		s.Use([]artifact.Sink{one})
		for range 1000 {
			r := flowOf("a")
			r.Flow.ApplicationName = "zoom/+#"
			s.Offer(0, r)
		}
		want += 1000
		eventually(t, fmt.Sprintf("records of QoS %d", qos), func() bool { return in.len() == want })
		if st := s.Status()[0]; st.Fault != "" || len(st.Dropped) > 0 {
			t.Errorf("got %+v", st)
		}
		s.Close()
	}
	last := in.list[want-1]
	if last.Topic != "netpol/flow/zoom___" || last.QoS != 2 || !last.Retain || !strings.HasPrefix(string(last.Payload), `{"type":"flow"`) {
		t.Errorf("got topic %q, QoS %d, retain %v: %s", last.Topic, last.QoS, last.Retain, last.Payload)
	}
}

// TestMQTTBrokerGone kills the broker: what was offered meanwhile waits, the rest
// is counted, and all that was taken in arrives once there is a broker again.
func TestMQTTBrokerGone(t *testing.T) {
	b := newBroker(t)
	s := New(Config{})
	defer s.Close()
	one := b.sink(1)
	one.Queue = 20_000
	s.Use([]artifact.Sink{one})
	s.Offer(0, flowOf("before"))
	eventually(t, "the first record", func() bool { return s.Status()[0].Bytes > 0 })
	b.stop()
	start := time.Now()
	for range 10_000 {
		s.Offer(0, flowOf("meanwhile"))
	}
	if took := time.Since(start); took > 20*time.Second { // a busy machine is slow, an offer that waits would take forever
		t.Errorf("10,000 offers without a broker took %v", took)
	}
	eventually(t, "a fault", func() bool { return s.Status()[0].Fault != "" })
	st := s.Status()[0]
	if st.Records+st.Dropped["full"] != 10_001 || st.Dropped["full"] == 0 {
		t.Errorf("got %+v, want each record taken in or counted", st)
	}
	b.start()
	in := b.subscribe()
	eventually(t, "what waited", func() bool { return uint64(in.len()) >= st.Records-2 && s.Status()[0].Fault == "" })
}

func TestMQTTWrongPassword(t *testing.T) {
	b := newBroker(t)
	s := New(Config{})
	defer s.Close()
	one := b.sink(0)
	one.URL, one.CAFile, one.Username = fmt.Sprintf("mqtts://127.0.0.1:%d", b.secured), b.ca, "router"
	s.Use([]artifact.Sink{one})
	eventually(t, "a refusal", func() bool { return strings.Contains(s.Status()[0].Fault, "does not take the user name and password") })
	one.CAFile = ""
	s.Use([]artifact.Sink{one})
	eventually(t, "an unknown certificate", func() bool { return strings.Contains(s.Status()[0].Fault, "certificate") })
}
