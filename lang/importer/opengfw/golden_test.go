package opengfw_test

import (
	"testing"

	"github.com/netpol/netpol/lang/importer"
	"github.com/netpol/netpol/lang/importer/importertest"
	"github.com/netpol/netpol/lang/importer/opengfw"
)

func TestGolden(t *testing.T) {
	importertest.Golden(t, "rules.yaml", opengfw.Import)
}

// FuzzImport: whatever the input, what is written can be read.
func FuzzImport(f *testing.F) {
	for _, seed := range []string{
		"- name: a\n  action: block\n  expr: string(tls?.req?.sni) endsWith \"v2ex.com\"\n",
		"- {name: b, log: true, action: allow, expr: 'dns != nil && dns.qr && any(dns.questions, {.name == \"x.org\"})'}\n",
		"- name: c\n  action: drop\n  expr: let p = port.dst; p in [1, 2] || not (p in 5..9) and cidr(string(ip.dst), \"10.0.0.0/8\")\n", "[]", "- *a",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		importertest.CheckParses(t, src, opengfw.Import(importer.Input{Name: "rules.yaml", Source: src, Names: importertest.Vocabulary()}))
	})
}
