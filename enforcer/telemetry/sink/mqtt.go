//go:build sink_mqtt

package sink

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"sync"

	"github.com/eclipse/paho.golang/packets"
	"github.com/eclipse/paho.golang/paho"

	"github.com/netpol/netpol/compiler/artifact"
)

func kindsMQTT() []opener {
	return []opener{{kind: artifact.SinkMQTT, open: openMQTT}}
}

const (
	mqttKeepAlive = 30 // seconds
	// mqttWindow is how many messages of QoS 1 and 2 are under way at once.
	mqttWindow = 32
	// maxTopic is room for what a packet has beside its payload: the language has topics
	// of at most 1024 bytes.
	maxTopic = 2048
)

// publisher sends each record as a message of MQTT 5, or several in one. Records that were not
// acknowledged when a connection broke are sent again on the next one.
type publisher struct {
	runner *runner
	client *paho.Client
	mail   *letters
	most   int        // bytes that the broker takes in a packet
	errs   chan error // of the connection; holds the first
}

func openMQTT(r *runner) (target, error) {
	password, err := secret(r.sink.PasswordFile)
	if err != nil {
		return nil, err
	}
	mail, err := newLetters(r, topicLevel)
	if err != nil {
		return nil, err
	}
	conn, err := dialMQTT(&r.sink)
	if err != nil {
		return nil, err
	}
	p := &publisher{runner: r, mail: mail, most: batchMost, errs: make(chan error, 1)}
	p.client = paho.NewClient(paho.ClientConfig{
		Conn: packets.NewThreadSafeConn(conn), PacketTimeout: writeLimit,
		OnClientError:      p.broken,
		OnServerDisconnect: func(d *paho.Disconnect) { p.broken(fmt.Errorf("the broker hangs up, reason %d", d.ReasonCode)) },
	})
	ctx, cancel := context.WithTimeout(context.Background(), dialLimit)
	defer cancel()
	id := r.sink.ClientID
	if id == "" {
		id = "netpold-" + mail.topics.router
	}
	connect := &paho.Connect{ClientID: id, KeepAlive: mqttKeepAlive, CleanStart: true}
	if r.sink.Username != "" {
		connect.Username, connect.UsernameFlag = r.sink.Username, true
		connect.Password, connect.PasswordFlag = []byte(password), password != ""
	}
	ack, err := p.client.Connect(ctx, connect)
	if err != nil {
		conn.Close()
		return nil, refusal(ack, err)
	}
	if ack.Properties != nil && ack.Properties.MaximumPacketSize != nil {
		p.most = int(min(*ack.Properties.MaximumPacketSize, batchMost))
	}
	return p, nil
}

// refusal says why a broker does not take a client (MQTT 5, 3.2.2.2).
func refusal(ack *paho.Connack, err error) error {
	switch {
	case ack == nil && errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("the broker does not answer within %v", dialLimit)
	case ack == nil:
		return err
	}
	switch ack.ReasonCode {
	case packets.ConnackBadUsernameOrPassword, packets.ConnackNotAuthorized:
		return fmt.Errorf("the broker does not take the user name and password (reason %#x)", ack.ReasonCode)
	case packets.ConnackUnsupportedProtocolVersion:
		return errors.New("the broker does not speak MQTT 5")
	}
	return fmt.Errorf("the broker does not take the connection (reason %#x)", ack.ReasonCode)
}

// broken notes that the connection is lost.
func (p *publisher) broken(err error) {
	select {
	case p.errs <- err:
	default:
	}
}

func dialMQTT(s *artifact.Sink) (net.Conn, error) {
	u, err := url.Parse(s.URL)
	if err != nil {
		return nil, err
	}
	port := u.Port()
	d := net.Dialer{Timeout: dialLimit}
	if u.Scheme == "mqtt" {
		if port == "" {
			port = "1883"
		}
		return d.Dial("tcp", net.JoinHostPort(u.Hostname(), port))
	}
	if port == "" {
		port = "8883"
	}
	config, err := tlsConfig(s)
	if err != nil {
		return nil, err
	}
	return tls.DialWithDialer(&d, "tcp", net.JoinHostPort(u.Hostname(), port), config)
}

// write publishes lines, a window of them at a time.
func (p *publisher) write(lines []byte) (int, error) {
	select {
	case err := <-p.errs:
		return 0, err
	default:
	}
	most := mqttWindow
	if p.runner.sink.QoS == 0 {
		most = 1 // without acknowledgements, so that they keep their order
	}
	sent := 0
	for sent < len(lines) {
		list, n, err := p.mail.next(lines[sent:], most, p.most-maxTopic)
		if err == nil {
			n, err = p.publish(list, n)
		}
		if sent += n; err != nil {
			return sent, err
		}
	}
	return sent, nil
}

// publish sends messages of n bytes of records and waits for their acknowledgements;
// it says how many bytes need not be sent again. What the broker does not want is given up.
func (p *publisher) publish(list []letter, n int) (int, error) {
	ctx, cancel := context.WithTimeout(context.Background(), writeLimit)
	defer cancel()
	errs := make([]error, len(list))
	var all sync.WaitGroup
	for i, one := range list {
		all.Go(func() {
			answer, err := p.client.Publish(ctx, p.message(one))
			if err != nil && (answer != nil || errors.Is(err, paho.ErrInvalidArguments)) {
				p.runner.lost(one.records)
				p.runner.config.Log.Warn("record refused", "sink", *p.runner.name.Load(), "place", p.runner.sink.Place(), "error", err)
				err = nil
			}
			if errors.Is(err, context.DeadlineExceeded) {
				err = fmt.Errorf("the broker acknowledges nothing within %v", writeLimit)
			}
			errs[i] = err
		})
	}
	all.Wait()
	return p.mail.done(list, n, errs)
}

// message is one of MQTT 5, which has no place for how it is compressed but the properties
// of users; their name is HTTP's.
func (p *publisher) message(one letter) *paho.Publish {
	media, encoding := p.mail.content()
	properties := &paho.PublishProperties{ContentType: media}
	if encoding != "" {
		properties.User = paho.UserProperties{{Key: "content-encoding", Value: encoding}}
	}
	return &paho.Publish{Topic: one.topic, QoS: byte(p.runner.sink.QoS), Retain: p.runner.sink.Retain, Payload: one.payload, Properties: properties}
}

// topicLevel makes a word fit for one level of a topic (MQTT 5, 4.7).
func topicLevel(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '/' || r == '+' || r == '#' || r < ' ' {
			return '_'
		}
		return r
	}, s)
}

func (p *publisher) close() error {
	err := p.client.Disconnect(&paho.Disconnect{})
	<-p.client.Done()
	return err
}
