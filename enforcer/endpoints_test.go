package enforcer

import (
	"encoding/json"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/netpol/netpol/compiler/artifact"
)

// TestEndpoints says that a host is told of while the table has a flow of it, silent or not, and
// no longer.
func TestEndpoints(t *testing.T) {
	a, b, c := connect("192.168.1.2:40000", "198.51.100.1:443"), connect("192.168.1.3:40001", "198.51.100.2:443"), connect("192.168.1.4:40002", "198.51.100.2:443")
	inward := connect("198.51.100.9:40003", "192.168.1.5:22") // the host is the server
	for i, one := range []*conn{a, b, c} {
		one.macs[client] = [6]byte{2, 0, 0, 0, 0, byte(1 + i)}
	}
	inward.macs[server] = [6]byte{2, 0, 0, 0, 0, 3} // another address of the third one
	s := aligned().handshake(a).handshake(b).wait(70*time.Second).tcp(b, client, "A", 0, "").
		wait(time.Minute).handshake(c).handshake(inward).wait(time.Minute).tcp(c, client, "A", 0, "")
	o := &outlet{}
	play(t, s, withSinks(bundle(t, zoomPolicy()), artifact.Sink{Name: "all", Records: []string{"endpoints"}, Interval: time.Minute}), func(c *Config) { c.Outlets, c.MaxFlows = o, 3 })
	var got []string
	for _, line := range o.lines {
		_, body, _ := strings.Cut(line, " ")
		var members map[string]any
		if err := json.Unmarshal([]byte(body), &members); err != nil {
			t.Fatal(err)
		}
		var hosts []string
		for mac, list := range members {
			if strings.Contains(mac, ":") {
				for _, ip := range list.([]any) {
					hosts = append(hosts, mac[15:]+" "+ip.(string))
				}
			}
		}
		slices.Sort(hosts)
		got = append(got, strings.Join(hosts, ", "))
	}
	want := []string{
		"01 192.168.1.2, 02 192.168.1.3",
		"01 192.168.1.2, 02 192.168.1.3",
		// There is room for three flows: the first one had to go.
		"02 192.168.1.3, 03 192.168.1.4, 03 192.168.1.5",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestFirstAddresses holds the addresses that are told of a station with many against those
// that come first of all, while some come and go.
func TestFirstAddresses(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	h := &endpoints{}
	counts := map[endpoint]int{}
	for step := range 20_000 {
		one := endpoint{version: 4, ip: [16]byte{10: 255, 11: 255, 14: byte(r.IntN(2)), 15: byte(r.IntN(60))}}
		if grows := step/2_000%2 == 0; counts[one] > 0 && (!grows || r.IntN(3) == 0) {
			if counts[one]--; counts[one] == 0 {
				delete(counts, one)
			}
			h.drop(7, one)
		} else if grows {
			counts[one]++
			if !h.add(7, one) {
				t.Fatal("no room")
			}
		}
		if step%7 != 0 {
			continue
		}
		want := slices.SortedFunc(maps.Keys(counts), endpoint.compare)
		want = want[:min(len(want), maxAddresses)]
		var got []endpoint
		if at := h.hosts[7]; at != nil {
			got = at.addresses()
		}
		if !slices.Equal(got, want) || h.known != len(counts) {
			t.Fatalf("step %d: got %v of %d, want %v of %d", step, got, h.known, want, len(counts))
		}
	}
}

// TestEndpointIsWhoOpened: the host of a flow between two local ones is the one that opened it, also where
// another was taken for that at first.
func TestEndpointIsWhoOpened(t *testing.T) {
	a := connect("192.168.1.2:40000", "192.168.1.3:50000")
	a.macs = [2][6]byte{{2, 0, 0, 0, 0, 1}, {2, 0, 0, 0, 0, 2}}
	s := aligned().tcp(a, server, "A", 0, "").wait(1500*time.Millisecond).tcp(a, server, "A", 0, "").
		tcp(a, client, "S", 0, "").wait(1500*time.Millisecond).tcp(a, client, "A", 0, "")
	o := &outlet{}
	play(t, s, withSinks(bundle(t, zoomPolicy()), artifact.Sink{Name: "all", Records: []string{"endpoints"}, Interval: time.Second}), func(c *Config) { c.Outlets = o })
	var got []string
	for _, line := range o.lines {
		_, host, _ := strings.Cut(line, "02:00:00:00:00:0")
		got = append(got, strings.TrimSuffix(host, "}"))
	}
	want := []string{`2":["192.168.1.3"]`, `1":["192.168.1.2"]`, `1":["192.168.1.2"]`}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
