package artifact

import (
	"bytes"
	"encoding/json"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func catalogueBundle() *Bundle {
	return &Bundle{
		Format: FormatVersion,
		Policies: []Policy{
			{Name: "a", Criteria: `hostname == ',"catalogue":{'`},
		},
		Catalogue: Catalogue{
			Digest:     "d",
			Categories: []Category{{Tag: "web", Description: "Web sites"}, {Tag: "mail"}},
			Protocols: []Protocol{
				{Tag: "smtp", Name: "SMTP", Category: "mail", Ports: []PortRange{{Transport: "tcp", Low: 25, High: 25}, {Transport: "tcp", High: 65535, NeedsNetwork: true}}},
				{Tag: "x", Name: "Xé", Category: "web", Application: "x"},
			},
			Applications: []Application{
				{Tag: "x", Name: "X [y], {z}", Category: "web", Domains: []string{"x.example", "y.example"}},
				{
					Tag: "z", Name: "Z", Category: "web", Brand: "x", Ports: []PortRange{{Transport: "udp", Low: 1, High: 2, NeedsBrand: true}},
					Signatures: []Signature{{Where: CertSubject, Value: "O=Z, Inc", Prefix: true}, {Where: HTTPPath, Value: "/z"}},
					Networks:   []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("2001:db8::/32")},
				},
			},
		},
		Sinks: []Sink{{Name: "s"}},
	}
}

func body(t testing.TB, b *Bundle) []byte {
	t.Helper()
	body, err := payload(b)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// plainly decodes a payload by encoding/json alone.
func plainly(body []byte) (*Bundle, error) {
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	b := new(Bundle)
	return b, dec.Decode(b)
}

func TestCutCatalogue(t *testing.T) {
	b := catalogueBundle()
	got, rest, ok := cutCatalogue(body(t, b))
	if !ok {
		t.Fatal("the canonical form is not read")
	}
	if diff := cmp.Diff(b.Catalogue, got, cmpopts.EquateComparable(netip.Prefix{})); diff != "" {
		t.Errorf("catalogue (-want +got):\n%s", diff)
	}
	b.Catalogue = Catalogue{}
	left, err := plainly(rest)
	if diff := cmp.Diff(b, left, cmpopts.EquateComparable(netip.Prefix{}), cmpopts.EquateEmpty()); diff != "" || err != nil {
		t.Errorf("the rest, %v (-want +got):\n%s", err, diff)
	}
}

// TestCutCatalogueLeavesToJSON lists what is read by encoding/json, which may accept it.
func TestCutCatalogueLeavesToJSON(t *testing.T) {
	whole := string(body(t, catalogueBundle()))
	for name, change := range map[string][2]string{
		"a space":                {`,"categories":[`, `, "categories":[`},
		"no list":                {`"categories":[{"tag":"web","description":"Web sites"},{"tag":"mail"}]`, `"categories":null`},
		"an escape":              {`"Web sites"`, `"Web\u0020sites"`},
		"an unknown field":       {`{"tag":"mail"}`, `{"tag":"mail","new":1}`},
		"another order":          {`"name":"SMTP","category":"mail"`, `"category":"mail","name":"SMTP"`},
		"a number out of range":  {`"low":25`, `"low":65536`},
		"a number with zeros":    {`"low":25`, `"low":025`},
		"no number":              {`"low":25`, `"low":"25"`},
		"a prefix that is none":  {`192.0.2.0/24`, `192.0.2.0`},
		"a control character":    {`Web sites`, "Web\x01sites"},
		"bytes that are no text": {`Web sites`, "Web\xffsites"},
		"the end":                {`"protocols":[`, ``},
		"another catalogue":      {`,"sinks":`, `,"catalogue":{},"sinks":`},
		"deeper":                 {`,"catalogue":`, `,"settings":{"x":1,"catalogue":`},
	} {
		changed := strings.Replace(whole, change[0], change[1], 1)
		if changed == whole {
			t.Fatalf("%s: %q is not in the payload", name, change[0])
		}
		if _, _, ok := cutCatalogue([]byte(changed)); ok {
			t.Errorf("%s: it is read", name)
		}
	}
}

// FuzzCutCatalogue holds what is read against encoding/json's reading.
func FuzzCutCatalogue(f *testing.F) {
	whole := body(f, catalogueBundle())
	f.Add(whole)
	f.Add(whole[:len(whole)/2])
	f.Add(bytes.ReplaceAll(whole, []byte("tcp"), []byte(`\"`)))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, rest, ok := cutCatalogue(data)
		if !ok {
			return
		}
		got, err := plainly(rest)
		want, plainErr := plainly(data)
		if (err == nil) != (plainErr == nil) {
			t.Fatalf("errors differ: %v, and without the cut %v", err, plainErr)
		}
		if got.Catalogue = c; err == nil && !cmp.Equal(got, want, cmpopts.EquateComparable(netip.Prefix{}), cmpopts.EquateEmpty()) {
			t.Fatal(cmp.Diff(want, got, cmpopts.EquateComparable(netip.Prefix{}), cmpopts.EquateEmpty()))
		}
	})
}
