package daemon

import (
	"context"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/kernel/localnet"
)

// surroundings are the networks that inputs' roles make local, as the kernel has them
// now; guarded by inputs.mu. They hold for all inputs, and not for what the router's
// own rules show: those are compiled, and know the local networks that are declared.
type surroundings struct {
	roles  map[string]string // by interface, those that are followed
	stop   context.CancelFunc
	found  []netip.Prefix
	failed error // why they are not known
}

// follow finds the networks of a bundle's roles from now on; the caller holds mu.
func (s *inputs) follow(b *artifact.Bundle) {
	roles := map[string]string{}
	for _, in := range b.Inputs {
		if in.Role != "" {
			roles[in.Interface] = in.Role
		}
	}
	if maps.Equal(roles, s.around.roles) {
		return
	}
	if s.around.stop != nil {
		s.around.stop()
	}
	s.around = surroundings{roles: roles, found: s.around.found}
	if len(roles) == 0 {
		s.around.found = nil
		return
	}
	var ctx context.Context
	ctx, s.around.stop = context.WithCancel(context.Background())
	s.finished.Go(func() { s.watchNetworks(ctx, roles) })
}

// watchNetworks has the inputs go by the networks of roles until ctx ends.
func (s *inputs) watchNetworks(ctx context.Context, roles map[string]string) {
	for ctx.Err() == nil {
		err := localnet.Watch(ctx, localnet.Config{Roles: roles, Socket: s.netlink}, func(found []netip.Prefix) {
			s.surround(ctx, found, nil)
		})
		if err != nil {
			s.surround(ctx, nil, err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(inputRetry):
		}
	}
}

// surround has all flows judged by other networks; those that were known stay where
// they cannot be found out any more.
func (s *inputs) surround(ctx context.Context, found []netip.Prefix, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if ctx.Err() != nil { // others are followed by now
		return
	}
	if s.around.failed = err; err != nil || slices.Equal(found, s.around.found) {
		return
	}
	s.around.found = found
	s.log.Info("local networks of inputs", "networks", words(found))
	b := s.judged(s.bundle)
	for _, r := range s.readers {
		r.use(b, s.log)
	}
}

// judged is a bundle that knows the networks that were found; the caller holds mu.
func (s *inputs) judged(b *artifact.Bundle) *artifact.Bundle {
	if len(s.around.found) == 0 {
		return b
	}
	own := *b
	own.Settings.LocalNetworks = slices.Concat(b.Settings.LocalNetworks, s.around.found)
	return &own
}

func words(list []netip.Prefix) string {
	var out []string
	for _, p := range list {
		out = append(out, p.String())
	}
	return strings.Join(out, " ")
}
