package lang

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// Bounds of messages of IPFIX: enforcer/telemetry/ipfix has them, and says why.
const (
	minMessage, maxMessage, defaultMessage = 512, 8900, 1400
	minTemplateInterval                    = 10 * time.Second
	maxTemplateMessages                    = 1_000_000
	// documentationPEN is the enterprise number that is for documentation (RFC 5612).
	documentationPEN = 32473
)

// sinkIPFIX reads how IPFIX is spoken.
func (d *decoder) sinkIPFIX(b *hclsyntax.Block, s *Sink) {
	s.Transport = d.sinkWord(b, "transport", []string{"udp", "tcp", "tls"}, "udp")
	s.MessageSize = d.number(b, "message_size", minMessage, maxMessage, defaultMessage)
	s.Domain = uint32(d.number(b, "observation_domain", 0, math.MaxInt32, 0))
	s.Enterprise = uint32(d.number(b, "enterprise", 1, math.MaxInt32, documentationPEN))
	s.TemplateInterval = d.sinkTime(b, "template_interval", `"1m"`, minTemplateInterval, 24*time.Hour, time.Minute)
	s.TemplateMessages = d.number(b, "template_messages", 1, maxTemplateMessages, 1000)
	d.sinkTransport(b, s)
}

// sinkTransport reads the certificates of a transport, if that is TLS.
func (d *decoder) sinkTransport(b *hclsyntax.Block, s *Sink) {
	d.sinkTLS(b, s)
	for _, name := range []string{"ca_file", "cert_file", "key_file"} {
		if _, ok := b.Body.Attributes[name]; ok && s.Transport != "tls" {
			d.badSink(b, name, fmt.Sprintf("Certificates are those of TLS, and the transport is %q. Write transport = \"tls\", or leave %s out.", s.Transport, name))
		}
	}
}

// ipfixRecords checks what a sink of IPFIX is told: there are no templates for other
// records than those of what flows carried.
func (d *decoder) ipfixRecords(b *hclsyntax.Block, s *Sink) {
	if s.Type != "ipfix" {
		return
	}
	end := len(s.Records) == 0
	for _, name := range s.Records {
		end = end || name == "flow_end"
		if name != "flow_end" && name != "flow_stats" {
			d.badSink(b, "records", fmt.Sprintf("IPFIX has no records %q: flow_end and flow_stats go there.", name))
		}
	}
	if !end && strings.Join(s.Records, "") == "flow_stats" {
		d.badSink(b, "records", `What a connection carries after the last flow_stats is told by its flow_end. Write records = ["flow_stats", "flow_end"].`)
	}
	if len(s.Records) == 0 {
		s.Records = []string{"flow_end"}
	}
}
