//go:build !sink_kafka

package sink

import (
	"testing"

	"github.com/netpol/netpol/compiler/artifact"
)

// TestAbsentKind has a policy ask for a sink that this netpold was not built with: its fault says where
// there is one.
func TestAbsentKind(t *testing.T) {
	s := New(Config{})
	defer s.Close()
	s.Use([]artifact.Sink{{Name: "k", Kind: artifact.SinkKafka, Servers: []string{"192.0.2.1:9092"}, Queue: 1 << 20}})
	const want = `this netpold has no sinks of type "kafka": they are in netpold-full, and in one that was built with the tag sink_kafka`
	eventually(t, "a fault", func() bool { return s.Status()[0].Fault == want })
}
