package lang

import (
	"slices"

	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// sinkDetails reads how often a sink is told the details of a connection. Once is
// for what arrives, or is known not to have.
func (d *decoder) sinkDetails(b *hclsyntax.Block, s *Sink) {
	if s.Details = d.sinkWord(b, "details", []string{"always", "once"}, "always"); s.Details != "once" || !slices.Contains(sinkOwn()["details"], s.Type) {
		return // of a type that has none sinkPlace has told
	}
	told := func(record string) bool { return slices.Contains(s.Records, record) }
	switch {
	case s.Type == "mqtt" && s.QoS == 0:
		d.badSink(b, "details", "A broker does not say of messages of QoS 0 that it has them, so netpold could not tell what was told. Write qos = 1.")
	case s.Type == "nats" && s.Stream == "":
		d.badSink(b, "details", `Without a stream nobody says of a record that it has arrived, so netpold could not tell what was told. Write stream = "NETPOL".`)
	case !told("flow") && !told("flow_update") || !told("flow_update") && !told("flow_end"):
		d.badSink(b, "details", `details = "once" leaves out of flow_update and flow_end what an earlier record of the connection has told, and this sink is not told two of them. Write records = ["flow", "flow_end"], or leave details out.`)
	}
}
