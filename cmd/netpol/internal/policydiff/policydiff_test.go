package policydiff

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/netpol/netpol/cmd/netpol/internal/flowfacts"
	"github.com/netpol/netpol/cmd/netpol/internal/outcome"
	"github.com/netpol/netpol/compiler"
	"github.com/netpol/netpol/lang"
	"github.com/netpol/netpol/lang/fact"
	"github.com/netpol/netpol/policies"
)

func compile(t *testing.T, text string) Source {
	t.Helper()
	cat, err := policies.Catalogue()
	if err != nil {
		t.Fatal(err)
	}
	p, diags := lang.Parse(map[string][]byte{"a.netpol.hcl": []byte(text)}, lang.Options{})
	b, more := compiler.Compile(p, compiler.Options{Catalogue: cat})
	if diags.Extend(more); diags.HasErrors() {
		t.Fatal(diags)
	}
	return Source{Policy: p, Bundle: b, Catalogue: cat}
}

// policy writes a policy block of one line each.
func policy(name, criteria, effect string) string {
	return fmt.Sprintf("policy %q {\n  criteria = %q\n  %s\n}\n", name, criteria, effect)
}

func label(name, criteria string) string { return policy(name, criteria, "label = \"l\"") }

func TestCompare(t *testing.T) {
	cases := []struct {
		name, before, after string
		result              Result
		complete            bool
		kinds               string // of the policies
		want                string // before -> after of each region
	}{
		{"nothing", label("a", "app == 'zoom'"), label("a", "app == 'zoom'"), Equivalent, true, "", ""},
		{"written otherwise", label("a", "app == 'zoom' || app == 'webex'"), label("a", "not (app not in ['webex', 'zoom'])"), Equivalent, true, "", ""},
		{"two ports for a range", label("a", "dst_port in [1, 2]"), label("a", "dst_port > 0 && not (dst_port > 2)"), Equivalent, true, "", ""},
		{"off by one", label("a", "dst_port in 80..443"), label("a", "dst_port in 80..444"), Changed, true, "changed", "dst_port = 444: left alone -> label l"},
		{"blocks that halve", label("a", "src_ip in '10.0.0.0/8'"), label("a", "src_ip in ['10.0.0.0/9', '10.128.0.0/9']"), Equivalent, true, "same meaning", ""},
		{"one address less", label("a", "src_ip in '10.0.0.0/30'"), label("a", "src_ip in ['10.0.0.0/31', '10.0.0.2']"), Changed, true, "changed", "src_ip = '10.0.0.3': label l -> left alone"},
		{"renamed", label("a", "app == 'zoom'"), label("b", "app == 'zoom'"), Equivalent, true, "removed added", ""},
		{"added in the shadow", label("a", "app in ['zoom', 'webex']"), label("a", "app in ['zoom', 'webex']") + label("b", "app == 'zoom'"), Equivalent, true, "added", ""},
		{"domains", label("a", "domain(hostname, 'a.org')"), label("a", "domain(hostname, 'a.org') && hostname != 'x.a.org'"), Changed, true, "changed", "hostname = 'x.a.org': label l -> left alone"},
		{"a domain and its suffix", label("a", "domain(hostname, 'a.org')"), label("a", "hostname endsWith 'a.org'"), Changed, true, "changed", "hostname = 'hosta.org': left alone -> label l"},
		{"regular expression", label("a", "hostname matches '^cdn[0-9]+[.]'"), label("a", "hostname matches '^cdn'"), Changed, false, "changed", "hostname = 'cdn': left alone -> label l"},
		{"arithmetic", label("a", "src_port == dst_port + 7"), label("a", "src_port == dst_port + 8"), Changed, false, "changed", "*"},
		{"category and its members", label("a", "app_category == 'voip-conferencing'"), label("a", "app_category == 'voip-conferencing' && app != 'webex'"), Changed, true, "changed", "application = 'webex': label l -> left alone"},
		{"local side", label("a", "local_port == 22"), label("a", "dst_port == 22"), Changed, true, "changed", "*"},
		{
			"order decides", policy("a", "app == 'zoom'", `dscp = "cs5"`) + policy("b", "dst_port == 9", `dscp = "cs1"`),
			policy("b", "dst_port == 9", `dscp = "cs1"`) + policy("a", "app == 'zoom'", `dscp = "cs5"`), Changed, true, "moved",
			"application = 'zoom', dst_port = 9: dscp cs5 -> dscp cs1",
		},
		{
			"order does not matter", label("a", "app == 'zoom'") + policy("b", "dst_port == 9", `dscp = "cs1"`),
			policy("b", "dst_port == 9", `dscp = "cs1"`) + label("a", "app == 'zoom'"), Equivalent, true, "moved", "",
		},
		{"effect", policy("a", "app == 'zoom'", `verdict = "drop"`), policy("a", "app == 'zoom'", `mark = "1/3"`), Changed, true, "changed", "application = 'zoom': verdict drop -> mark 0x1/0x3"},
		{
			"another rate", policy("a", "app == 'zoom'", `rate = "1Mbit/s"`), policy("a", "app == 'zoom'", `rate = "9Mbit/s"`), Changed, true, "changed",
			"application = 'zoom': rate 125000 bytes/second burst 64000 bytes per policy, of a -> rate 1125000 bytes/second burst 112500 bytes per policy, of a",
		},
		{
			"one rate of two, or two", policy("a", "app in ['zoom', 'webex']", `rate = "1Mbit/s"`),
			policy("a", "app == 'zoom'", `rate = "1Mbit/s"`) + policy("b", "app == 'webex'", `rate = "1Mbit/s"`), Changed, true, "changed added",
			"application = 'webex': rate 125000 bytes/second burst 64000 bytes per policy, of a -> rate 125000 bytes/second burst 64000 bytes per policy, of b",
		},
		{"another priority", policy("a", "app == 'zoom'", `priority = "1:10"`), policy("a", "app == 'zoom'", `priority = "1:20"`), Changed, true, "changed", "application = 'zoom': priority 1:10 -> priority 1:20"},
		{
			"a priority in the shadow", policy("a", "app in ['zoom', 'webex']", `priority = "1:10"`),
			policy("a", "app in ['zoom', 'webex']", `priority = "1:10"`) + policy("b", "app == 'zoom'", `priority = "1:20"`), Equivalent, true, "added", "",
		},
		{
			"the order of priorities", policy("a", "app == 'zoom'", `priority = "1:10"`) + policy("b", "app == 'zoom'", `priority = "1:20"`),
			policy("b", "app == 'zoom'", `priority = "1:20"`) + policy("a", "app == 'zoom'", `priority = "1:10"`), Changed, true, "moved", "application = 'zoom': priority 1:10 -> priority 1:20",
		},
		{"another route", policy("a", "dst_port == 22", "route = 100"), policy("a", "dst_port == 22", "route = 200"), Changed, true, "changed", "dst_port = 22: route by table 100 -> route by table 200"},
		{
			"an effect waits for a quota", policy("a", "app == 'zoom'", `dscp = "cs1"`), policy("a", "app == 'zoom'", "dscp = \"cs1\"\n  quota = \"5GB\""), Changed, true, "changed",
			"application = 'zoom': dscp cs1 -> after 5000000000 bytes per policy, of a: dscp cs1",
		},
		{
			"order where a quota decides", policy("a", "app == 'zoom'", "dscp = \"cs1\"\n  quota = \"5GB\"") + policy("b", "app == 'zoom'", `dscp = "ef"`),
			policy("b", "app == 'zoom'", `dscp = "ef"`) + policy("a", "app == 'zoom'", "dscp = \"cs1\"\n  quota = \"5GB\""), NotFound, false, "moved", "",
		},
		{"counted, or not", policy("a", "app == 'zoom'", `dscp = "cs1"`), policy("a", "app == 'zoom'", "dscp = \"cs1\"\n  count = true"), Changed, true, "changed", "application = 'zoom': dscp cs1 -> dscp cs1, count per policy, of a"},
		{
			"of what passes without conntrack nothing is counted", policy("a", "dst_port == 53", "count = true") + policy("b", "dst_port == 53", "notrack = true"),
			policy("b", "dst_port == 53", "notrack = true"), NotFound, false, "removed", "",
		},
		{"list", label("a", "alpn == 'h2'"), label("a", "alpn in ['h2', 'h3']"), Changed, true, "changed", "alpn = 'h3': left alone -> label l"},
		{
			"an application's domains", "application \"zoom\" {\n  domains = [\"a.example\"]\n}\n" + label("a", "app == 'zoom'"), label("a", "app == 'zoom'"),
			Changed, false, "", "protocol = 'tls', hostname = 'a.example', ip_protocol = 'tcp': label l -> left alone",
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r, err := Compare(t.Context(), compile(t, c.before), compile(t, c.after))
			if err != nil {
				t.Fatal(err)
			}
			if r.Result != c.result || r.Complete != c.complete {
				t.Errorf("got %s, complete %v; want %s, %v", r.Result, r.Complete, c.result, c.complete)
			}
			var kinds, regions []string
			for _, p := range r.Policies {
				kinds = append(kinds, string(p.Kind))
			}
			if got := strings.Join(kinds, " "); got != c.kinds {
				t.Errorf("policies: got %q, want %q", got, c.kinds)
			}
			for i := range r.Regions {
				x := &r.Regions[i]
				regions = append(regions, fmt.Sprintf("%s: %s -> %s", flowfacts.String(x.Witness), x.Before.Effect(), x.After.Effect()))
			}
			if got := strings.Join(regions, "\n"); c.want != "*" && got != c.want || c.want == "*" && got == "" {
				t.Errorf("regions:\n got %s\nwant %s", got, c.want)
			}
		})
	}
}

// Whatever is said to be equivalent must be so for flows that the comparison
// did not choose, and a region's witness must show the difference.
func TestEquivalenceHoldsForRandomFlows(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	atoms := []string{
		"app == 'zoom'", "app in ['zoom', 'webex']", "protocol == 'tls'", "category == 'voip-conferencing'", "dst_port in 1..100",
		"dst_port == 50", "src_ip in '10.0.0.0/8'", "local_ip in '10.1.0.0/16'", "domain(hostname, 'a.org')", "hostname == 'b.a.org'",
		"tls_version < '1.2'", "ip_version == 6", "detection_guessed", "alpn == 'h2'", "origin == 'origin_local'",
	}
	random := func() string {
		text := ""
		for i := range 3 {
			var parts []string
			for range 1 + rng.IntN(2) {
				atom := atoms[rng.IntN(len(atoms))]
				if rng.IntN(3) == 0 {
					atom = "not (" + atom + ")"
				}
				parts = append(parts, "("+atom+")")
			}
			text += policy(fmt.Sprint("p", i), strings.Join(parts, []string{" && ", " || "}[rng.IntN(2)]), []string{`label = "l"`, `dscp = "cs1"`, `dscp = "cs2"`}[rng.IntN(3)])
		}
		return text
	}
	equivalent := 0
	for range 15 {
		before, after := random(), ""
		if after = random(); rng.IntN(2) == 0 {
			after = strings.Replace(before, "dst_port in 1..100", "not (dst_port == 0 || dst_port > 100)", 1)
		}
		r, err := Compare(t.Context(), compile(t, before), compile(t, after))
		if err != nil {
			t.Fatal(err)
		}
		if r.Result == Equivalent {
			equivalent++
			holdsAtRandom(t, rng, before, after)
		}
	}
	if equivalent == 0 {
		t.Error("no pair of sets was equivalent: the test has tested nothing")
	}
}

var noon = time.Date(2026, 1, 12, 12, 0, 0, 0, time.UTC)

func holdsAtRandom(t *testing.T, rng *rand.Rand, before, after string) {
	t.Helper()
	b, err := newSide(compile(t, before))
	if err != nil {
		t.Fatal(err)
	}
	a, err := newSide(compile(t, after))
	if err != nil {
		t.Fatal(err)
	}
	words := func(list ...string) string { return list[rng.IntN(len(list))] }
	for range 3000 {
		f := &fact.Facts{Complete: true, DstPort: rng.IntN(120), TLSVersion: []int{0, 0x0301, 0x0303}[rng.IntN(3)], Guessed: rng.IntN(2) == 0}
		f.Application, f.Protocol = words("", "zoom", "webex", "netflix"), words("", "tls", "bittorrent")
		f.Hostname, f.ALPN = words("", "a.org", "b.a.org", "c.a.org", "xa.org"), words("", "h2", "h2,http/1.1")
		texts := [][2]string{{"10.1.2.3", "198.51.100.9"}, {"198.51.100.9", "10.1.2.3"}, {"10.2.0.1", "10.1.0.1"}, {"2001:db8::9", "fd00::1"}, {"9.9.9.9", "8.8.8.8"}}
		pair := texts[rng.IntN(len(texts))]
		for i, name := range []string{"src_ip", "dst_ip"} {
			attr, _ := fact.Lookup(name)
			if d := flowfacts.Set(f, attr, pair[i], nil); d != nil {
				t.Fatal(d)
			}
		}
		x, err := b.of(f, noon, outcome.Up)
		y, err2 := a.of(f, noon, outcome.Up)
		if err != nil || err2 != nil || !x.SameEffect(&y) {
			t.Fatalf("said to be equivalent:\n%s\nand\n%s\nbut for %s: %s, then %s (%v, %v)", before, after, flowfacts.String(flowfacts.Known(f)), x.Effect(), y.Effect(), err, err2)
		}
	}
}

func TestOutOfOrder(t *testing.T) {
	for _, c := range []struct{ in, want []int }{
		{nil, nil},
		{[]int{0, 1, 2}, nil},
		{[]int{1, 2, 0}, []int{2}},
		{[]int{2, 0, 1}, []int{0}},
		{[]int{3, 2, 1, 0}, []int{0, 1, 2}},
	} {
		if diff := cmp.Diff(c.want, outOfOrder(c.in)); diff != "" {
			t.Errorf("%v (-want +got):\n%s", c.in, diff)
		}
	}
}

func TestSamplesMatchTheirPattern(t *testing.T) {
	cases := map[string]string{
		"^cdn[0-9]+-":      "cdn1-",
		"(?i)ab|cd":        "ab cd",
		"x{2}y?":           "xx xxy",
		"[":                "",
		"(?i)^Foo[.]bar$":  "foo.bar",
		`^\d\.[^a]`:        "1.1",
		"a.*b":             "ab axb",
		`^[a-z]+\.example`: "a.example",
	}
	for pattern, want := range cases {
		if got := strings.Join(samples(pattern), " "); got != want {
			t.Errorf("%s: got %q, want %q", pattern, got, want)
		}
	}
}

func TestReplayCountsWhatChanges(t *testing.T) {
	before := compile(t, label("a", "app == 'zoom'"))
	after := compile(t, label("a", "app == 'zoom' && hostname != ''")+policy("b", "protocol == 'bittorrent'", `verdict = "drop"`))
	r, err := ReplayBoth(t.Context(), before, after, []string{"../../../../policies/examples/zoom/call.pcap"})
	if err != nil {
		t.Fatal(err)
	}
	changes := map[string]int{}
	flows, total := 0, uint64(0)
	for _, c := range r.Changes {
		changes[c.Before+" -> "+c.After] = c.Flows
		flows, total = flows+c.Flows, total+c.Bytes
	}
	if len(changes) != 2 || changes["label l -> left alone"] < 3 || changes["left alone -> verdict drop"] < 2 {
		t.Errorf("got %v", changes)
	}
	if r.Flows != 16 || r.ChangedFlows != flows || r.ChangedBytes != total || r.Bytes <= total {
		t.Errorf("sums: got %+v", r)
	}
}
