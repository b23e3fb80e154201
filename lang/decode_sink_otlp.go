package lang

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/netpol/netpol/lang/diag"
)

// sinkOTLP reads as whom netpold speaks to a collector, and what it says of itself.
func (d *decoder) sinkOTLP(b *hclsyntax.Block, s *Sink) {
	s.TokenFile, s.HeadersFile = d.sinkSecret(b, "token_file"), d.sinkSecret(b, "headers_file")
	s.Headers = d.sinkHeaders(b)
	s.Resource = d.sinkPairs(b, "resource", `{ "deployment.environment.name" = "branch" }`)
	for _, a := range s.Resource {
		if a.Name == "" || a.Value == "" {
			d.badSink(b, "resource", fmt.Sprintf("%q: %q says nothing: an attribute of a resource has a name and a value.", a.Name, a.Value))
		}
	}
}

// checkEndpoint reports a URL of OTLP that is not the one that those of the signals
// begin with (OTEL_EXPORTER_OTLP_ENDPOINT), and the port of the protocol's other half.
func (d *decoder) checkEndpoint(t Text, u *url.URL) {
	bad := func(hint, detail string) {
		one := diag.New(diag.InvalidSink, t.Range, detail)
		one.Hint = hint
		d.diags.Add(one)
	}
	base := strings.TrimRight(u.Path, "/")
	switch i := strings.LastIndex(base, "/v1/"); {
	case i >= 0 && !strings.Contains(base[i+len("/v1/"):], "/"):
		whole := *u
		whole.Path = base[:i]
		bad(fmt.Sprintf("write %q", whole.String()), "netpold appends v1/logs and v1/metrics itself, for the records that become the one or the other.")
	case u.RawQuery != "" || u.Fragment != "":
		bad("", fmt.Sprintf("%q is not what the URLs of OTLP begin with: after the host only a path comes.", t.Value))
	case u.Port() == "4317":
		whole := *u
		whole.Host = strings.TrimSuffix(u.Host, "4317") + "4318"
		bad(fmt.Sprintf("write %q", whole.String()), "4317 is the port of OTLP over gRPC. netpold speaks OTLP over HTTP, for which collectors have port 4318.")
	}
}
