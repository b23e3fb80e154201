package qosify_test

import (
	"testing"

	"github.com/netpol/netpol/lang/importer"
	"github.com/netpol/netpol/lang/importer/importertest"
	"github.com/netpol/netpol/lang/importer/qosify"
)

func TestGolden(t *testing.T) {
	importertest.Golden(t, "map.conf", qosify.Import)
}

// FuzzImport: whatever the input, what is written can be read.
func FuzzImport(f *testing.F) {
	for _, seed := range []string{"tcp:443-450 cs1\nudp:53 +EF # dns\n", "1.1.1.1 46\nfd00::1 voice", "dns:*.zoom.us AF41\ndns:/^a(b|c)\\.d CS0\ndns_c:*x CS1"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		importertest.CheckParses(t, src, qosify.Import(importer.Input{Name: "map.conf", Source: src, Names: importertest.Vocabulary()}))
	})
}
