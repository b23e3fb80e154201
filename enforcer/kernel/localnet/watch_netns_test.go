//go:build linux

package localnet

import (
	"context"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/kernel/kerneltest"
)

// TestWatchFollowsTheKernel: what comes to a LAN or goes from it is told, whoever
// does it, and what is another interface's is not.
func TestWatchFollowsTheKernel(t *testing.T) {
	lab := kerneltest.NewLab(t)
	ctx, cancel := context.WithCancel(t.Context())
	told, ended := make(chan string, 100), make(chan error, 1)
	cfg := Config{
		Roles: map[string]string{kerneltest.ClientDevice: artifact.RoleLAN, kerneltest.ServerDevice: artifact.RoleWAN},
		Rest:  20 * time.Millisecond,
		Socket: func() (fd int, err error) {
			lab.Router.Do(func() { fd, err = openRouteSocket() })
			return fd, err
		},
	}
	go func() {
		ended <- Watch(ctx, cfg, func(list []netip.Prefix) {
			var words []string
			for _, p := range list {
				words = append(words, p.String())
			}
			told <- strings.Join(words, " ")
		})
	}()
	last := ""
	want := func(what, list string) {
		t.Helper()
		timeout := time.After(time.Minute)
		for last != list {
			select {
			case last = <-told:
			case err := <-ended:
				t.Fatalf("%s: ended: %v", what, err)
			case <-timeout:
				t.Fatalf("%s: told %q, want %q", what, last, list)
			}
		}
	}
	ip := func(args string) { t.Helper(); lab.Router.Run("ip", strings.Fields(args)...) }

	const wan = " 198.51.100.1/32"
	const wan6 = " 2001:db8::1/128"
	want("what there is", "192.168.77.0/24"+wan+" fd77::/64"+wan6)
	ip("address add 203.0.113.1/25 dev lan0")
	want("an address", "192.168.77.0/24 203.0.113.0/25"+wan+" fd77::/64"+wan6)
	ip("-6 address add 2001:db8:7::1/64 dev lan0 nodad")
	want("a prefix of IPv6", "192.168.77.0/24 203.0.113.0/25"+wan+" 2001:db8:7::/64 fd77::/64"+wan6)
	ip("-6 address del 2001:db8:7::1/64 dev lan0")
	ip("-6 address add 2001:db8:8::1/64 dev lan0 nodad")
	want("another prefix", "192.168.77.0/24 203.0.113.0/25"+wan+" 2001:db8:8::/64 fd77::/64"+wan6)
	ip("route add 100.99.0.0/16 via 192.168.77.2")
	want("a route", "100.99.0.0/16 192.168.77.0/24 203.0.113.0/25"+wan+" 2001:db8:8::/64 fd77::/64"+wan6)
	ip("route add default via 192.168.77.2") // is no network
	ip("route add 100.98.0.0/16 via 198.51.100.2")
	ip("route del 100.99.0.0/16")
	want("no route", "192.168.77.0/24 203.0.113.0/25"+wan+" 2001:db8:8::/64 fd77::/64"+wan6)
	ip("link set wan0 down")
	ip("link set wan0 name wan1")
	want("a renamed WAN", "192.168.77.0/24 203.0.113.0/25 2001:db8:8::/64 fd77::/64")
	ip("link del lan0")
	want("no LAN", "")
	ip("link add lan0 type veth peer name lan1")
	ip("address add 10.9.0.1/16 dev lan0")
	want("another LAN of the name", "10.9.0.0/16")
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
