package console

import (
	"testing"

	"github.com/netpol/netpol/compiler"
	"github.com/netpol/netpol/lang"
	"github.com/netpol/netpol/policies"
)

func session(t *testing.T) *Session {
	t.Helper()
	cat, err := policies.Catalogue()
	if err != nil {
		t.Fatal(err)
	}
	p, diags := lang.Parse(map[string][]byte{"a.netpol.hcl": []byte("address_group \"children\" {\n  members = [\"192.168.1.0/24\"]\n}\n")}, lang.Options{})
	b, more := compiler.Compile(p, compiler.Options{Catalogue: cat})
	if diags.Extend(more); diags.HasErrors() {
		t.Fatal(diags)
	}
	samples, err := Builtin(b)
	if err != nil {
		t.Fatal(err)
	}
	return &Session{Policy: p, Bundle: b, Catalogue: cat, Samples: samples}
}

func TestComplete(t *testing.T) {
	s := session(t)
	cases := []struct {
		name, in string
		pos      int
		want     string
		ok       bool
	}{
		{"an attribute", "applicatio", 10, "application", true},
		{"up to where words part", "http_user", 9, "http_user_agent", true},
		{"a group", "src_ip in '@chi", 15, "src_ip in '@children", true},
		{"a tag in quotes", "app == 'microsoft-tea", 21, "app == 'microsoft-teams", true},
		{"no tag outside of quotes", "microsoft-tea", 13, "microsoft-tea", false},
		{"in the middle", "hostna == 'a'", 6, "hostname == 'a'", true},
		{"a command", ":cat", 4, ":categories", true},
		{"an application of a command", ":apps microsoft-tea", 19, ":apps microsoft-teams", true},
		{"nothing", "", 0, "", false},
		{"unknown", "zzzz", 4, "zzzz", false},
		{"out of range", "app", 9, "app", false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, pos, ok := s.Complete(c.in, c.pos)
			if got != c.want || ok != c.ok || ok && pos != c.pos+len(got)-len(c.in) {
				t.Errorf("got %q, %d, %v; want %q, %v", got, pos, ok, c.want, c.ok)
			}
		})
	}
}

func TestAnswerTypes(t *testing.T) {
	s := session(t)
	for in, want := range map[string]string{
		"app == 'zoom'":       "condition",
		"app == 'zoom';":      "condition",
		"detection_guessed":   "condition",
		"hostname":            "host name",
		"dst_port + 1":        "number",
		"lower(hostname)":     "string",
		"'zoom'":              "",
		"app == ":             "",
		"src_ip in '@nobody'": "",
	} {
		r, err := s.Answer(in)
		if err != nil {
			t.Fatal(err)
		}
		if r.Type != want || (want == "") != r.Faulty() {
			t.Errorf("%s: got %q, faults %v; want %q", in, r.Type, r.Diagnostics, want)
		}
	}
}

func TestSamplesAreNamedByTheCatalogue(t *testing.T) {
	want := map[string]string{"Zoom sign-in": "zoom", "Zoom media": "zoom", "YouTube over QUIC": "youtube", "DNS": "", "unknown datagrams": ""}
	for _, x := range session(t).Samples {
		if app, ok := want[x.Name]; ok && x.Facts.Application != app {
			t.Errorf("%s: got application %q, want %q", x.Name, x.Facts.Application, app)
		}
		delete(want, x.Name)
	}
	if len(want) > 0 {
		t.Errorf("samples that are gone: %v", want)
	}
}
