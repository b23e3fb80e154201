package lang

import (
	"cmp"
	"fmt"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/netpol/netpol/lang/diag"
)

const (
	maxHeaders = 32
	// maxTopic is far below what MQTT has room for (65,535 bytes, MQTT 5, 1.5.4),
	// and above what anybody reads.
	maxTopic     = 1024
	defaultTopic = "netpol/{type}"
)

// sinkRemote reads a sink that is a server's.
func (d *decoder) sinkRemote(b *hclsyntax.Block, s *Sink) {
	examples := map[string]string{
		"http": `url = "https://collector.example/flows"`, "mqtt": `url = "mqtts://broker.example"`, "nats": `url = "tls://broker.example"`,
		"otlp": `url = "https://collector.example:4318"`,
	}
	if d.require(b, "url", examples[s.Type]) == nil {
		return
	}
	if s.Type == "otlp" {
		d.otlpTransport(b, s)
	}
	d.sinkURL(b, s)
	d.sinkTLS(b, s)
	switch s.Type {
	case "http":
		s.TokenFile, s.HeadersFile = d.sinkSecret(b, "token_file"), d.sinkSecret(b, "headers_file")
		s.Headers = d.sinkHeaders(b)
	case "otlp":
		d.sinkOTLP(b, s)
	case "mqtt":
		d.sinkMQTT(b, s)
	case "nats":
		d.sinkNATS(b, s)
	}
	d.sinkBatch(b, s)
	d.sinkSpool(b, s)
}

// maxBatch is above what a message of 256 KiB has room for.
const maxBatch = 10_000

// sinkBatch reads how many records go in a message.
func (d *decoder) sinkBatch(b *hclsyntax.Block, s *Sink) {
	if s.Type != "mqtt" && s.Type != "nats" {
		return
	}
	s.Batch = d.number(b, "batch", 1, maxBatch, 1)
	d.belongs(b, "compress", "batch", "would make half of a record that goes alone, and a tenth of many. Write batch = 100 for as many in a message, or leave compress out")
}

// sinkTLS reads who is trusted, and as whom netpold shows itself.
func (d *decoder) sinkTLS(b *hclsyntax.Block, s *Sink) {
	s.CAFile, s.CertFile, s.KeyFile = d.sinkSecret(b, "ca_file"), d.sinkSecret(b, "cert_file"), d.sinkSecret(b, "key_file")
	d.belongs(b, "cert_file", "key_file", `holds a certificate. Write key_file = "/etc/netpol/secrets/key" for its private key, or leave cert_file out`)
	d.belongs(b, "key_file", "cert_file", `holds the private key of a certificate. Write cert_file = "/etc/netpol/secrets/cert", or leave key_file out`)
}

// sinkUser reads as which user a sink speaks to a broker.
func (d *decoder) sinkUser(b *hclsyntax.Block, s *Sink) {
	s.PasswordFile = d.sinkSecret(b, "password_file")
	s.Username = d.text(b, "username", `"router"`).Value
	d.belongs(b, "password_file", "username", `holds the password of a user. Write username = "router", or leave password_file out`)
}

func (d *decoder) sinkMQTT(b *hclsyntax.Block, s *Sink) {
	d.sinkUser(b, s)
	s.ClientID = d.text(b, "client_id", `"netpol-router7"`).Value
	s.QoS = d.number(b, "qos", 0, 2, 0)
	s.Retain = d.flag(b, "retain", false)
	s.Topic = defaultTopic
	if t := d.text(b, "topic", `"netpol/{type}"`); !t.Range.IsZero() {
		s.Topic = t.Value
		d.checkTopic(b, s.Topic)
	}
}

// maxServers bounds the servers of a cluster that a sink may begin with.
const maxServers = 16

// sinkURL reads where the server is; of nats there may be several.
func (d *decoder) sinkURL(b *hclsyntax.Block, s *Sink) {
	if s.Type == "nats" {
		list := d.someOf(b, "url", `"tls://broker.example"`)
		for _, t := range list {
			d.checkURL(s, t)
			s.Servers = append(s.Servers, t.Value)
		}
		if len(list) > maxServers {
			d.badSink(b, "url", fmt.Sprintf("A sink begins with one of %d servers at most, and learns of the cluster's others from it.", maxServers))
		}
		return
	}
	if t := d.text(b, "url", `"https://collector.example/flows"`); !t.Range.IsZero() {
		s.URL = t.Value
		d.checkURL(s, t)
	}
}

func (d *decoder) checkURL(s *Sink, t Text) {
	kind := s.Type
	schemes := map[string][]string{"http": {"https", "http"}, "mqtt": {"mqtts", "mqtt"}, "nats": {"tls", "nats"}, "otlp": {"https", "http"}}[kind]
	bad := func(detail string) { d.diags.Add(diag.New(diag.InvalidSink, t.Range, detail)) }
	u, err := url.Parse(t.Value)
	switch {
	case err == nil && kind == "otlp" && d.grpcURL(t, u):
	case err != nil || u.Host == "" || !slices.Contains(schemes, u.Scheme):
		bad(fmt.Sprintf("%q is not a URL of %s: it begins with %s:// or %s://, and a host comes next.", t.Value, kind, schemes[0], schemes[1]))
	case u.User != nil:
		bad("A password in a URL is read by everybody who reads the policies. Put it into a file that only netpold can read, and name that as " +
			map[string]string{"http": "token_file", "otlp": "token_file", "mqtt": "password_file, with username beside it", "nats": "token_file or credentials_file, or as password_file with username beside it"}[kind] + ".")
	case kind == "otlp":
		d.checkEndpoint(t, u, s.Transport)
	case kind != "http" && strings.Trim(u.Path+u.RawQuery, "/") != "":
		bad(fmt.Sprintf("The URL of a broker is its host and port alone; the %s is an argument of its own.", map[string]string{"mqtt": "topic", "nats": "subject"}[kind]))
	}
}

// sinkSecret reads the path of a file that netpold reads on the router.
func (d *decoder) sinkSecret(b *hclsyntax.Block, name string) string {
	t := d.text(b, name, `"/etc/netpol/secrets/`+strings.TrimSuffix(name, "_file")+`"`)
	if !t.Range.IsZero() && !filepath.IsAbs(t.Value) {
		d.badSink(b, name, fmt.Sprintf("%q is not an absolute path. netpold reads the file on the router, where it runs in a directory of its own.", t.Value))
	}
	return t.Value
}

// headerName is a name of a header (RFC 9110, 5.6.2).
var headerName = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")

func (d *decoder) sinkHeaders(b *hclsyntax.Block) []SinkHeader {
	out := d.sinkPairs(b, "headers", `{ X-Site = "7" }`)
	for _, h := range out {
		if !headerName.MatchString(h.Name) || strings.ContainsAny(h.Value, "\r\n\x00") {
			d.badSink(b, "headers", fmt.Sprintf("%q: %q is not a header: its name holds letters, digits and -, and its value is one line.", h.Name, h.Value))
		}
		if strings.EqualFold(h.Name, "Authorization") {
			d.badSink(b, "headers", "A token in a header is read by everybody who reads the policies. Put it into a file that only netpold can read, and name that as token_file; other headers that are secret go into headers_file.")
		}
	}
	return out
}

// sinkPairs reads names with their values, by name.
func (d *decoder) sinkPairs(b *hclsyntax.Block, name, example string) []SinkHeader {
	a, ok := b.Body.Attributes[name]
	if !ok {
		return nil
	}
	v, ok := d.argument(a.Expr, cty.Map(cty.String), example)
	if !ok {
		return nil
	}
	var out []SinkHeader
	for name, value := range v.AsValueMap() {
		out = append(out, SinkHeader{name, value.AsString()})
	}
	slices.SortFunc(out, func(a, b SinkHeader) int { return strings.Compare(a.Name, b.Name) })
	if len(out) > maxHeaders {
		what := map[string]string{"resource": "attributes of its resource"}[name]
		d.diags.Add(diag.New(diag.TooLarge, toRange(a.Expr.Range()), fmt.Sprintf("A sink has at most %d %s.", maxHeaders, cmp.Or(what, name))))
	}
	return out
}

// placeholders are what a topic may hold in braces.
var placeholders = regexp.MustCompile(`\{(type|application|router)\}`)

func (d *decoder) checkTopic(b *hclsyntax.Block, topic string) {
	if rest := placeholders.ReplaceAllString(topic, ""); topic == "" || len(topic) > maxTopic || strings.ContainsAny(rest, "+#{}\x00") {
		d.badSink(b, "topic", fmt.Sprintf("%q is not a topic to publish to: it has no + or #, and in braces {type}, {application} or {router}.", topic))
	}
}
