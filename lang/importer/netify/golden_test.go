package netify_test

import (
	"testing"

	"github.com/netpol/netpol/lang/importer/importertest"
	"github.com/netpol/netpol/lang/importer/netify"
)

func TestGolden(t *testing.T) {
	importertest.Golden(t, "in.json", netify.Import)
}
