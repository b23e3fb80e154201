package source

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/policies"
)

// write puts files into a new directory.
func write(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// text writes what was read in a form that a test can hold.
func text(l *List) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", l.Format)
	for _, a := range l.Applications {
		fmt.Fprintf(&b, "%s: %s\n", a.Tag, strings.Join(policies.Rows(&a), " "))
	}
	for _, s := range l.Skipped {
		fmt.Fprintf(&b, "skip %s:%d %s: %s\n", filepath.Base(s.File), s.Line, s.Text, s.Why)
	}
	return b.String()
}

func TestRead(t *testing.T) {
	tests := []struct {
		name  string
		files map[string]string
		path  string // empty is the directory
		opts  Options
		want  string
	}{
		{
			"domains",
			map[string]string{"shops.txt": "# ours\nShop.example\n*.cdn.shop.example ; with a comment\n\nlocal\nb\u00fccher.example\n192.0.2.1\n"},
			"shops.txt",
			Options{Application: "our-shop"},
			"domains\nour-shop: cdn.shop.example shop.example\nskip shops.txt:5 local: bad suffix \"local\"\nskip shops.txt:6 b\u00fccher.example: bad label \"b\u00fccher\" in suffix \"b\u00fccher.example\"\nskip shops.txt:7 192.0.2.1: bad suffix \"192.0.2.1\": it ends in a number\n",
		},
		{
			"hosts file",
			map[string]string{"Ad Block.hosts": "127.0.0.1 localhost\n0.0.0.0 ads.example tracker.example # two\n||banner.example^\n"},
			"Ad Block.hosts",
			Options{},
			"domains\nad-block: ads.example banner.example tracker.example\n",
		},
		{
			"networks",
			map[string]string{"office.txt": "192.0.2.7/24\n198.51.100.9\n2001:db8::/32 site\n0.0.0.0/0\n::ffff:192.0.2.0/120\nnonsense\n"},
			"office.txt",
			Options{},
			"networks\noffice: 192.0.2.0/24 198.51.100.9/32 2001:db8::/32\nskip office.txt:4 0.0.0.0/0: all addresses belong to nobody\nskip office.txt:5 ::ffff:192.0.2.0/120: an IPv4 network written as IPv6\nskip office.txt:6 nonsense: neither a network nor an address\n",
		},
		{
			"Netify's signatures",
			map[string]string{"netify-apps.conf": "# header\ndom:10:example.net\napp:10:netify.video-site\napp:11:netify.other\nnet:10:2001:db8::/32\nnet:10:192.0.2.0/24\ndom:12:lost.example\nnsd:10:5:port == 5;\n"},
			"netify-apps.conf",
			Options{},
			"netify\nvideo-site: example.net 192.0.2.0/24 2001:db8::/32\nskip netify-apps.conf:7 dom:12:lost.example: no application has this number\nskip netify-apps.conf:8 nsd:10:5:port == 5: neither an application, a domain nor a network\n",
		},
		{
			"v2fly list with includes",
			map[string]string{
				"video":     "include:video-ads @ads\ndomain:video.example\nfull:www.video.example @cn\nkeyword:video\nregexp:^v[0-9]+$\nplain.example\ninclude:../secret\ninclude:video\n",
				"video-ads": "ads.video.example @ads\nnot-ads.example\n",
			},
			"video",
			Options{},
			"v2fly\nvideo: ads.video.example plain.example video.example www.video.example\nskip video:4 keyword:video: a catalogue has no keywords and patterns\nskip video:5 regexp:^v[0-9]+$: a catalogue has no keywords and patterns\nskip video:7 include:../secret: a list is included by its name alone\n",
		},
		{
			"v2fly directory",
			map[string]string{"all": "include:one\n", "one": "one.example\n", "two!x": "domain:two.example\n"},
			"",
			Options{Format: V2Fly},
			"v2fly\none: one.example\ntwo-x: two.example\n",
		},
		{
			"tables",
			map[string]string{
				"categories.txt": "web\tWeb\n", "applications.txt": "shop\tweb\tShop\tA shop\n", "protocols.txt": "", "domains.txt": "shop\tshop.example\n",
				"networks.txt": "shop\t192.0.2.0/24\n", "ports.txt": "shop\ttcp/8443\tnetwork\tadmin\nshop\tudp/9000-9001\tanywhere\t-\n",
			},
			"",
			Options{},
			"tables\nshop: shop.example 192.0.2.0/24 tcp/8443 in its networks udp/9000-9001\n",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			list, err := Read(filepath.Join(write(t, tt.files), tt.path), tt.opts)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, text(list)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestReadMistakes(t *testing.T) {
	dir := write(t, map[string]string{"a": "a.example\n", "binary": "a\x00b", "loose": "include:gone\n"})
	tests := []struct {
		name, path string
		opts       Options
		want       string
	}{
		{"no file", "gone", Options{}, "no such file"},
		{"no text", "binary", Options{}, "no text file"},
		{"unknown format", "a", Options{Format: "yaml"}, `unknown format "yaml"`},
		{"a file for tables", "a", Options{Format: Tables}, "this is a file"},
		{"a directory for domains", "", Options{Format: Domains}, "this is a directory"},
		{"include of nothing", "loose", Options{Format: V2Fly}, "loose:1: include gone"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Read(filepath.Join(dir, tt.path), tt.opts)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want an error with %q", err, tt.want)
			}
		})
	}
}

func TestAdd(t *testing.T) {
	cat := &artifact.Catalogue{Applications: []artifact.Application{
		{Tag: "shop", Domains: []string{"shop.example"}, Networks: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}},
		{Tag: "video", Domains: []string{"video.example"}},
	}}
	list := &List{Applications: []artifact.Application{
		{Tag: "new", Name: "A \"new\" ${one}", Domains: []string{"new.example"}, Ports: []artifact.PortRange{{Transport: "tcp", Low: 9000, High: 9000}}},
		{Tag: "shop", Domains: []string{"cdn.shop.example", "pay.shop-pay.example", "shop-pay.example", "video.example"}, Networks: []netip.Prefix{netip.MustParsePrefix("192.0.2.128/25"), netip.MustParsePrefix("198.51.100.0/24")}},
	}}
	known := func(tag string) bool { return tag == "shop" }
	got := Add(cat, list, false)
	want := `# from a test

application "new" {
  name = "A \"new\" $${one}"
  category = "web"
  domains = [
    "new.example",
  ]
  ports = [
    "tcp/9000",
  ]
}

application "shop" {
  domains = [
    "pay.shop-pay.example",
    "shop-pay.example",
  ]
  networks = [
    "198.51.100.0/24",
  ]
}
`
	if diff := cmp.Diff(want, string(HCL(got.Applications, known, "web", "from a test"))); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if diff := cmp.Diff([]Other{{"video.example", "shop", "video"}}, got.Others); diff != "" || got.Known != 2 {
		t.Errorf("%d known, others -want +got:\n%s", got.Known, diff)
	}
	if taken := Add(cat, list, true); len(taken.Others) != 0 || len(taken.Applications[1].Domains) != 3 {
		t.Errorf("with take: got %+v", taken)
	}
}

func TestTag(t *testing.T) {
	for in, want := range map[string]string{"Ad Block": "ad-block", "geolocation-!cn": "geolocation-cn", "--x--": "x", "\u00fc": "", strings.Repeat("a", 80): strings.Repeat("a", 63)} {
		if got := Tag(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

// FuzzRead holds every format to its promise: what comes out is what a
// catalogue may hold, in canonical form.
func FuzzRead(f *testing.F) {
	for _, s := range []string{"a.example\n", "0.0.0.0 b.example", "192.0.2.0/24", "app:1:netify.x\ndom:1:x.example\nnet:1:192.0.2.0/24", "domain:x.example @a\ninclude:y\nfull:z.example", "||x.example^\n\ufeff#"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, format := range []Format{Auto, Domains, Networks, Netify} {
			r := &reader{format: format, tag: "x", apps: make(map[string]*gathered)}
			if format == Auto {
				r.format = detect(text)
			}
			switch r.format {
			case Domains:
				r.domainsFile("f", text)
			case Networks:
				r.networksFile("f", text)
			case Netify:
				r.netify("f", text)
			case V2Fly:
				if err := r.v2fly("f", text, "x", nil); err != nil {
					t.Fatal(err)
				}
			case Auto, Tables:
			}
			for _, a := range r.list().Applications {
				for _, d := range a.Domains {
					if got, err := policies.ParseSuffix(d); err != nil || got != d {
						t.Errorf("domain %q: %q, %v", d, got, err)
					}
				}
				for _, p := range a.Networks {
					if p != p.Masked() || !p.IsValid() {
						t.Errorf("network %s is not canonical", p)
					}
				}
			}
		}
	})
}
