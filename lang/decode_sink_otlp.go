package lang

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/netpol/netpol/lang/diag"
)

// otlpTransport reads how OTLP is carried; empty after a word that says nothing.
func (d *decoder) otlpTransport(b *hclsyntax.Block, s *Sink) {
	before := len(d.diags)
	if s.Transport = d.sinkWord(b, "transport", []string{"http", "grpc"}, "http"); len(d.diags) > before {
		s.Transport = ""
	}
}

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
func (d *decoder) checkEndpoint(t Text, u *url.URL, transport string) {
	bad := func(hint, detail string) {
		one := diag.New(diag.InvalidSink, t.Range, detail)
		one.Hint = hint
		d.diags.Add(one)
	}
	whole := *u
	base := strings.TrimRight(u.Path, "/")
	switch i := strings.LastIndex(base, "/v1/"); {
	case transport == "grpc" && base+u.RawQuery+u.Fragment != "":
		whole.Path, whole.RawPath, whole.RawQuery, whole.Fragment = "", "", "", ""
		bad(fmt.Sprintf("write %q", whole.String()), "gRPC has paths of its own: the URL of a collector ends with its host and port.")
	case i >= 0 && !strings.Contains(base[i+len("/v1/"):], "/"):
		whole.Path = base[:i]
		bad(fmt.Sprintf("write %q", whole.String()), "netpold appends v1/logs and v1/metrics itself, for the records that become the one or the other.")
	case u.RawQuery != "" || u.Fragment != "":
		bad("", fmt.Sprintf("%q is not what the URLs of OTLP begin with: after the host only a path comes.", t.Value))
	case u.Port() == "4317" && transport == "http":
		whole.Host = strings.TrimSuffix(u.Host, "4317") + "4318"
		bad(fmt.Sprintf("write transport = \"grpc\" beside it, or %q", whole.String()), "4317 is the port of OTLP over gRPC, and without transport the sink speaks OTLP over HTTP, for which collectors have port 4318.")
	case u.Port() == "4318" && transport == "grpc":
		whole.Host = strings.TrimSuffix(u.Host, "4318") + "4317"
		bad(fmt.Sprintf("write %q, or leave transport out", whole.String()), "4318 is the port of OTLP over HTTP, and by transport \"grpc\" the sink speaks OTLP over gRPC, for which collectors have port 4317.")
	}
}

// grpcURL reports a URL whose scheme is gRPC's; false if it is none.
func (d *decoder) grpcURL(t Text, u *url.URL) bool {
	scheme := map[string]string{"grpc": "http", "grpcs": "https"}[u.Scheme]
	if scheme == "" || u.Host == "" {
		return false
	}
	whole := *u
	whole.Scheme = scheme
	one := diag.New(diag.InvalidSink, t.Range, fmt.Sprintf("gRPC is no scheme of a URL but a transport: %s:// is %s.", scheme, map[string]string{"http": "without encryption", "https": "with TLS"}[scheme]))
	one.Hint = fmt.Sprintf("write url = %q and transport = \"grpc\"", whole.String())
	d.diags.Add(one)
	return true
}
