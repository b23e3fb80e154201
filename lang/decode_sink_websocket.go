package lang

import (
	"fmt"
	"net/url"
	"path"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/netpol/netpol/lang/diag"
)

const (
	maxOrigins = 32
	// A client of a WebSocket has a queue, like one of a socket.
	mostClients, defaultClients = 1024, 64
)

// sinkWebSocket reads who may connect, and by which URL.
func (d *decoder) sinkWebSocket(b *hclsyntax.Block, s *Sink) {
	d.sinkTLS(b, s)
	d.belongs(b, "ca_file", "cert_file", `says who signs the certificates of clients. Write cert_file and key_file for a server that has one itself, or leave ca_file out`)
	s.MaxClients = d.number(b, "max_clients", 1, mostClients, defaultClients)
	s.Path = "/"
	if t := d.text(b, "path", `"/flows"`); !t.Range.IsZero() {
		s.Path = t.Value
		if u, err := url.Parse(s.Path); err != nil || u.Path != s.Path || !strings.HasPrefix(s.Path, "/") || path.Clean(s.Path) != s.Path {
			d.badSink(b, "path", fmt.Sprintf("%q is not a path of a URL. It is written \"/flows\", with nothing escaped in it.", s.Path))
		}
	}
	list := d.textOrList(b, "origins", `"https://dashboard.example"`)
	for _, t := range list {
		if detail := badOrigin(t.Value); detail != "" {
			d.diags.Add(diag.New(diag.InvalidSink, t.Range, detail))
		}
		s.Origins = append(s.Origins, t.Value)
	}
	if len(list) > maxOrigins {
		d.badSink(b, "origins", fmt.Sprintf("A sink has at most %d origins.", maxOrigins))
	}
}

// badOrigin says what is wrong with an origin: a host, or a scheme and a host
// (RFC 6454, 6.2), with * for a part of it.
func badOrigin(origin string) string {
	host := origin
	if scheme, rest, ok := strings.Cut(origin, "://"); ok {
		if host = rest; scheme != "https" && scheme != "http" {
			host = ""
		}
	}
	switch {
	case strings.Trim(host, "*.:") == "" && host != "":
		return fmt.Sprintf("%q lets every page that somebody behind the router opens read the records. Name the hosts of the pages that may.", origin)
	case host == "" || strings.ContainsAny(host, "/?#@[]\\ \t"):
		return fmt.Sprintf("%q is not an origin of a page. It is written \"https://dashboard.example\" or \"dashboard.example:8080\".", origin)
	}
	return ""
}
