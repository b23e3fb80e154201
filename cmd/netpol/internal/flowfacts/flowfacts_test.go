package flowfacts

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/netpol/netpol/compiler"
	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/lang"
	"github.com/netpol/netpol/lang/diag"
	"github.com/netpol/netpol/lang/fact"
	"github.com/netpol/netpol/policies"
)

func bundle(t *testing.T, text string) *artifact.Bundle {
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
	return b
}

// parse reads "name=value name=value".
func parse(t *testing.T, cat *artifact.Catalogue, text string) (*fact.Facts, map[string]bool) {
	t.Helper()
	f, given := new(fact.Facts), map[string]bool{}
	for _, word := range strings.Fields(text) {
		name, value, _ := strings.Cut(word, "=")
		a, ok := fact.Lookup(name)
		if !ok {
			t.Fatalf("no attribute %s", name)
		}
		if d := Set(f, a, value, cat); d != nil {
			t.Fatal(d)
		}
		given[a.Name] = true
	}
	return f, given
}

func TestCompleteFillsWhatFollows(t *testing.T) {
	b := bundle(t, "netpol {\n  local_networks = [\"203.0.113.0/24\"]\n}\n")
	w, err := NewWorld(b)
	if err != nil {
		t.Fatal(err)
	}
	cases := []struct{ name, in, want string }{
		{"outward", "src_ip=192.168.1.2 src_port=5 dst_ip=198.51.100.1 dst_port=443", "local_ip=192.168.1.2 other_ip=198.51.100.1 local_port=5 other_port=443 ip_version=4"},
		{"inward", "src_ip=198.51.100.1 dst_ip=203.0.113.4 dst_port=80", "local_ip=203.0.113.4 other_ip=198.51.100.1 local_port=80 other_port=0"},
		{"from the local side", "local_ip=fd00::1 local_port=9 other_ip=2001:db8::1", "src_ip=fd00::1 src_port=9 dst_ip=2001:db8::1 ip_version=6"},
		{"local is the destination", "src_ip=198.51.100.1 other_ip=198.51.100.1 local_ip=10.0.0.1 local_port=22", "dst_ip=10.0.0.1 dst_port=22"},
		{"named by host", "hostname=us04web.zoom.us protocol=tls", "application=zoom by=sni category=voip-conferencing detection_complete=true"},
		{"named by protocol", "protocol=zoom-media", "application=zoom by=payload"},
		{"a written application wins", "hostname=zoom.us app=netflix", "application=netflix category=streaming-media by="},
		{"no guess by port", "dst_port=443 ip_protocol=tcp", "application= protocol= detection_guessed=false"},
		{"category of the protocol", "protocol=bittorrent", "category=file-sharing application="},
		{"tunnel of subscribers", "protocol=gtp-u", "tunnel_type=tunnel_gtp risk_score=0"},
		{"risks as they are written", "protocol=gtp-u risks=tls_weak_cipher", "risks=tls_weak_cipher risk_score=100 risk_client=90 risk_server=10"},
		{"a written score stays", "risks=tls_weak_cipher risk_score=7", "risk_score=7 risk_client=90"},
		{"replies", "src_ip=192.168.1.2 dst_ip=198.51.100.1", "ct_reply_src_ip=198.51.100.1 ct_reply_dst_ip=192.168.1.2 origin=origin_local"},
		{"translated", "src_ip=192.168.1.2 dst_ip=198.51.100.1 ct_reply_dst_ip=203.0.113.9", "ct_reply_dst_ip=203.0.113.9"},
		{"between strangers", "src_ip=192.0.2.1 dst_ip=198.51.100.1", "origin=origin_unknown"},
		{"a written category stays", "category=web", "category=web application="},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			f, given := parse(t, w.Catalogue, c.in)
			w.Complete(f, given)
			for _, word := range strings.Fields(c.want) {
				name, want, _ := strings.Cut(word, "=")
				a, _ := fact.Lookup(name)
				if got := Text(f, a); got != want {
					t.Errorf("%s: got %q, want %q", name, got, want)
				}
			}
		})
	}
}

func TestSetRefusesWhatNoFlowHas(t *testing.T) {
	b := bundle(t, "")
	for in, code := range map[string]string{
		"app=zom": diag.UnknownApplication, "cat=vip": diag.UnknownCategory, "src_ip=10.0.0.0/8": diag.InvalidAddress,
		"dst_port=65536": diag.InvalidPort, "ip_version=7": diag.NumberOutOfRange, "vlan=-1": diag.NumberOutOfRange,
		"tls_cipher=TLS_NONE": diag.WrongConstant, "src_mac=02:00": diag.InvalidMAC, "origin=here": diag.WrongConstant,
		"risks=nosuch": diag.WrongConstant, "ip_nat=perhaps": diag.WrongConstant, "tls_version=2": diag.InvalidTLSVersion,
		"dst_port=99999999999999999999": diag.WrongConstant, "rtt_server=20000": diag.NotDecided,
	} {
		name, value, _ := strings.Cut(in, "=")
		a, ok := fact.Lookup(name)
		if !ok {
			t.Fatalf("no attribute %s", name)
		}
		if d := Set(new(fact.Facts), a, value, &b.Catalogue); d == nil || d.Code != code {
			t.Errorf("%s: got %v, want %s", in, d, code)
		}
	}
}

// What Text writes, Set and Restore read.
func TestTextAndBack(t *testing.T) {
	b := bundle(t, "")
	in := "app=zoom protocol=tls tls_version=1.2 src_ip=192.0.2.1 src_port=7 ip_protocol=udp detection_guessed=true alpn=h2,http/1.1 by=sni vlan=4 tls_cipher=TLS_AES_128_GCM_SHA256 src_mac=02:00:5E:10:00:01"
	f, _ := parse(t, &b.Catalogue, in)
	known := Known(f)
	if diff := cmp.Diff(*f, *Restore(known), cmp.Comparer(func(a, b fact.Facts) bool { return a == b })); diff != "" {
		t.Errorf("Restore (-want +got):\n%s", diff)
	}
	again := new(fact.Facts)
	for _, p := range known {
		a, _ := fact.Lookup(p.Name)
		if d := Set(again, a, p.Value, &b.Catalogue); d != nil {
			t.Error(d)
		}
	}
	if *again != *f {
		t.Errorf("Set of Text: got %v, want %v", *again, *f)
	}
	if f.TLSCipher != 0x1301 || f.SrcMAC != "02:00:5e:10:00:01" {
		t.Errorf("got cipher %#x, MAC %s", f.TLSCipher, f.SrcMAC)
	}
	f.TLSCipher, f.SrcMAC = 0, ""
	known = Known(f)
	want := "application = 'zoom', protocol = 'tls', by = 'sni', detection_guessed = true, src_ip = '192.0.2.1', src_port = 7, ip_protocol = 'udp', vlan_id = 4, tls_version = '1.2', alpn = 'h2,http/1.1'"
	if got := String(known); got != want {
		t.Errorf("String:\n got %s\nwant %s", got, want)
	}
}

func TestRestoreTakesWhatRecordsHold(t *testing.T) {
	f := Restore([]Pair{{"hostname", "_odd name"}, {"tls_version", "TLSv1.3"}, {"nosuch", "x"}, {"application", "gone"}})
	if f.Hostname != "_odd name" || f.TLSVersion != 0x0304 || f.Application != "gone" {
		t.Errorf("got %+v", f)
	}
}

// TestMeasuredIsRefused says why a flow of a test has no round trip.
func TestMeasuredIsRefused(t *testing.T) {
	a, _ := fact.Lookup("rtt_server")
	want := "rtt_server is measured of connections, and policies are decided before: a flow that they are tried on has none. Leave it out."
	if d := Set(new(fact.Facts), a, "20000", nil); d == nil || d.Detail != want {
		t.Errorf("got %v, want %s", d, want)
	}
}
