package lang

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/netpol/netpol/lang/diag"
)

const (
	defaultSubject = "netpol.{type}"
	// maxStream is the server's bound on names (JSMaxNameLen of nats-server).
	maxStream = 255
)

// sinkNATS reads what is published and as whom.
func (d *decoder) sinkNATS(b *hclsyntax.Block, s *Sink) {
	d.sinkUser(b, s)
	s.TokenFile = d.sinkSecret(b, "token_file")
	s.CredentialsFile = d.sinkSecret(b, "credentials_file")
	d.oneIdentity(b)
	s.Topic = defaultSubject
	if t := d.text(b, "subject", `"netpol.{type}"`); !t.Range.IsZero() {
		s.Topic = t.Value
		d.checkSubject(b, s.Topic)
	}
	if t := d.text(b, "stream", `"NETPOL"`); !t.Range.IsZero() {
		s.Stream = t.Value
		if s.Stream == "" || len(s.Stream) > maxStream || strings.ContainsAny(s.Stream, " \t\r\n.*>/\\\x00") {
			d.badSink(b, "stream", fmt.Sprintf("%q is not a name of a stream: it has no space, period, *, > or slash.", s.Stream))
		}
	}
}

// oneIdentity reports two ways of saying who netpold is.
func (d *decoder) oneIdentity(b *hclsyntax.Block) {
	var written []string
	for _, name := range []string{"username", "token_file", "credentials_file"} {
		if a, ok := b.Body.Attributes[name]; ok {
			if written = append(written, name); len(written) == 2 {
				d.diags.Add(diag.New(diag.ConflictingArguments, toRange(a.NameRange), fmt.Sprintf("A sink is one user: by %s or by %s, not by both.", written[0], name)))
			}
		}
	}
}

// checkSubject reports what is no subject to publish to: words between periods,
// without wildcards.
func (d *decoder) checkSubject(b *hclsyntax.Block, subject string) {
	rest := placeholders.ReplaceAllString(subject, "x")
	if len(subject) > maxTopic || strings.ContainsAny(rest, "*>{} \t\r\n\x00") || slices.Contains(strings.Split(rest, "."), "") {
		d.badSink(b, "subject", fmt.Sprintf("%q is not a subject to publish to: it is words with a period between, without * or >, and in braces {type}, {application} or {router}.", subject))
	}
}
