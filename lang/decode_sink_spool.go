package lang

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// Bounds of spools. The least has room for some writes of a queue's size.
const (
	minSpool, maxSpool = 1 << 20, 1 << 40
	defaultSpool       = 16 << 20
)

// sinkSpool reads where records wait on disk. What was sent is taken off it, so
// somebody must say that it has arrived.
func (d *decoder) sinkSpool(b *hclsyntax.Block, s *Sink) {
	t := d.text(b, "spool", `"/var/lib/netpol/spool/flows"`)
	size := d.sinkBytes(b, "spool_size", `"16MB"`, minSpool, maxSpool, defaultSpool)
	d.belongs(b, "spool_size", "spool", `bounds what waits on disk. Write spool = "/var/lib/netpol/spool/flows", or leave spool_size out`)
	if t.Range.IsZero() {
		return
	}
	s.Spool, s.SpoolSize = t.Value, size
	switch {
	case !filepath.IsAbs(s.Spool) || filepath.Clean(s.Spool) != s.Spool || strings.ContainsRune(s.Spool, 0):
		d.badSink(b, "spool", fmt.Sprintf("%q is not the absolute path of a directory. Write it in full, without . and .. in it; netpold makes it.", s.Spool))
	case s.Type == "mqtt" && s.QoS == 0:
		d.badSink(b, "spool", "A broker does not say of messages of QoS 0 that it has them, so netpold could not take them off the spool. Write qos = 1.")
	case s.Type == "nats" && s.Stream == "":
		d.badSink(b, "spool", `Without a stream nobody says of a record that it has arrived, so netpold could not take it off the spool. Write stream = "NETPOL".`)
	}
}
