package main

import (
	"os/exec"
	"strings"
	"testing"
)

// forbidden maps what must not be linked into netpold to the reason. Keys are
// import path prefixes.
var forbidden = map[string]string{
	"github.com/netpol/netpol/lang":                       "the daemon never reads policy files",
	"github.com/netpol/netpol/compiler":                   "the daemon runs bundles, it does not make them",
	"github.com/netpol/netpol/policies":                   "the catalogue comes with the bundle",
	"github.com/netpol/netpol/cmd/netpol/":                "the tool links the compiler",
	"github.com/hashicorp/hcl":                            "no HCL on the packet path's machine",
	"github.com/zclconf/go-cty":                           "comes with HCL",
	"github.com/spf13/cobra":                              "the daemon has a dozen flags",
	"github.com/spf13/pflag":                              "comes with cobra",
	"github.com/expr-lang/expr/compiler":                  "programs are compiled before they get here",
	"github.com/google/nftables":                          "the daemon never writes rules",
	"github.com/aymanbagabas/go-udiff":                    "text for people is made in the tool",
	"net/http":                                            "nothing here speaks HTTP, and it is 5 MB",
	"testing":                                             "test helpers belong in test files",
	"github.com/netpol/netpol/enforcer/kernel/kerneltest": "fakes are for tests",
}

// allowed are the exceptions among the prefixes above.
var allowed = map[string]bool{
	"github.com/netpol/netpol/lang/fact":         true, // the environment of a criterion
	"github.com/netpol/netpol/compiler/artifact": true, // the bundle
}

func TestDependencies(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", ".").CombinedOutput()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, out)
	}
	deps := strings.Fields(string(out))
	if len(deps) < 50 {
		t.Fatalf("go list -deps gave %d packages, which cannot be all", len(deps))
	}
	for _, dep := range deps {
		if allowed[dep] {
			continue
		}
		for prefix, why := range forbidden {
			if dep == prefix || strings.HasPrefix(dep, strings.TrimSuffix(prefix, "/")+"/") {
				t.Errorf("netpold links %s: %s", dep, why)
			}
		}
	}
}
