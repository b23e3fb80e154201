package cli

import (
	"fmt"
	"slices"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/control"
)

// warnSinks tells of sinks of a type that the running netpold was not built with. One that does
// not run is not asked, and one that does not answer is others' to tell of.
func (t *tool) warnSinks(b *artifact.Bundle) error {
	if !slices.ContainsFunc(b.Sinks, func(s artifact.Sink) bool { return s.Kind.BuildTag() != "" }) {
		return nil
	}
	client, err := t.dial()
	if err != nil {
		return nil
	}
	defer client.Close()
	status, err := client.Within(statusLimit).Status()
	if err != nil {
		return nil
	}
	for _, line := range absentSinks(b, status) {
		if err := t.progress("%s", line); err != nil {
			return err
		}
	}
	return nil
}

// absentSinks says of each sink whose type a netpold does not have where it is; nothing of a
// netpold that does not say what it has.
func absentSinks(b *artifact.Bundle, status control.Status) (out []string) {
	for _, s := range b.Sinks {
		if len(status.SinkKinds) > 0 && !slices.Contains(status.SinkKinds, string(s.Kind)) {
			out = append(out, fmt.Sprintf("The netpold that runs here has no sinks of type %q (sink %s), and what is told there is lost: install netpold-full, or one that was built with the tag %s", s.Kind, s.Name, s.Kind.BuildTag()))
		}
	}
	return out
}
