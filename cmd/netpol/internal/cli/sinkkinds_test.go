package cli

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/control"
)

func TestAbsentSinks(t *testing.T) {
	b := &artifact.Bundle{Sinks: []artifact.Sink{{Name: "flows", Kind: artifact.SinkFile}, {Name: "bus", Kind: artifact.SinkKafka}, {Name: "broker", Kind: artifact.SinkMQTT}}}
	for _, test := range []struct {
		name string
		has  []string
		want []string
	}{
		{"all", []string{"file", "kafka", "mqtt"}, nil},
		{"some", []string{"file", "mqtt"}, []string{`The netpold that runs here has no sinks of type "kafka" (sink bus), and what is told there is lost: install netpold-full, or one that was built with the tag sink_kafka`}},
		{"an old netpold, which does not say", nil, nil},
	} {
		if diff := cmp.Diff(test.want, absentSinks(b, control.Status{SinkKinds: test.has})); diff != "" {
			t.Errorf("%s: %s", test.name, diff)
		}
	}
}
