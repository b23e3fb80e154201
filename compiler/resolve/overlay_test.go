package resolve

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/lang"
)

func resolveText(t *testing.T, src string, cat *artifact.Catalogue) *artifact.Catalogue {
	t.Helper()
	p, diags := lang.Parse(map[string][]byte{"a.netpol.hcl": []byte(src)}, lang.Options{})
	set, more := Resolve(p, cat)
	if diags = append(diags, more...); len(diags) > 0 {
		t.Fatalf("resolve: %v", diags)
	}
	return set.Catalogue
}

func find(t *testing.T, cat *artifact.Catalogue, tag string) artifact.Application {
	t.Helper()
	i := slices.IndexFunc(cat.Applications, func(a artifact.Application) bool { return a.Tag == tag })
	if i < 0 {
		t.Fatalf("no application %q", tag)
	}
	return cat.Applications[i]
}

func TestOverlayLeavesTheBaseCatalogueAlone(t *testing.T) {
	base := catalogue()
	before, err := json.Marshal(base)
	if err != nil {
		t.Fatal(err)
	}
	resolveText(t, `
application "mine" {
  category = "web"
  domains  = ["zoom.us"]
  networks = ["3.7.35.0/25"]
}
application "zoom" {
  domains = ["zoom.example"]
}
category "a" {}
`, base)
	after, err := json.Marshal(base)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(before), string(after)); diff != "" {
		t.Errorf("base catalogue changed:\n%s", diff)
	}
}

func TestOverlay(t *testing.T) {
	tests := []struct {
		name, src string
		domains   []string // of zoom
		title     string
	}{
		{"nothing", "", []string{"zoom.com", "zoom.us"}, "Zoom"},
		{"adds", `application "zoom" { domains = ["a.example"] }`, []string{"a.example", "zoom.com", "zoom.us"}, "Zoom"},
		{"replaces", "application \"zoom\" {\n override = true\n name = \"Z\"\n domains = [\"a.example\"]\n}", []string{"a.example"}, "Z"},
		{"takes away", "application \"mine\" {\n category = \"web\"\n domains = [\"zoom.us\"]\n}", []string{"zoom.com"}, "Zoom"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cat := resolveText(t, tt.src, catalogue())
			zoom := find(t, cat, "zoom")
			if diff := cmp.Diff(tt.domains, zoom.Domains); diff != "" {
				t.Errorf("domains (-want +got):\n%s", diff)
			}
			if zoom.Name != tt.title || zoom.Category != "voip" {
				t.Errorf("got %s, %s, want %s, voip", zoom.Name, zoom.Category, tt.title)
			}
			if changed := cat.Digest != "base"; changed != (tt.src != "") {
				t.Errorf("digest changed: got %v", changed)
			}
			if !slices.IsSortedFunc(cat.Applications, func(a, b artifact.Application) int {
				return cmpTags(a.Tag, b.Tag)
			}) {
				t.Error("applications are not sorted")
			}
		})
	}
}

func cmpTags(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func TestDisabledPolicyIsCheckedAndLeftOut(t *testing.T) {
	const src = "policy \"p\" {\n enabled = false\n label = \"a\"\n criteria = \"app == 'zom'\"\n}"
	p, _ := lang.Parse(map[string][]byte{"a.netpol.hcl": []byte(src)}, lang.Options{})
	set, diags := Resolve(p, catalogue())
	if len(set.Policies) != 0 || !diags.HasErrors() {
		t.Errorf("got %d policies and %v, want none and an error", len(set.Policies), diags)
	}
}

// What a block says of a signature counts more than what the catalogue says, in
// capitals or not.
func TestOverlayTakesSignatures(t *testing.T) {
	base := catalogue()
	i := slices.IndexFunc(base.Applications, func(a artifact.Application) bool { return a.Tag == "zoom" })
	base.Applications[i].Signatures = []artifact.Signature{
		{Where: artifact.CertSubject, Value: "O=Zoom Video"},
		{Where: artifact.HTTPAgent, Value: "Room/", Prefix: true},
	}
	cat := resolveText(t, `
application "mine" {
  category   = "web"
  signatures = ["http-agent room/*", "cert-issuer CN=House Root"]
}
`, base)
	if diff := cmp.Diff([]artifact.Signature{{Where: artifact.CertSubject, Value: "O=Zoom Video"}}, find(t, cat, "zoom").Signatures); diff != "" {
		t.Errorf("zoom (-want +got):\n%s", diff)
	}
	want := []artifact.Signature{{Where: artifact.CertIssuer, Value: "CN=House Root"}, {Where: artifact.HTTPAgent, Value: "room/", Prefix: true}}
	if diff := cmp.Diff(want, find(t, cat, "mine").Signatures); diff != "" {
		t.Errorf("mine (-want +got):\n%s", diff)
	}
}
