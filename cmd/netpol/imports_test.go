package main

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/netpol/netpol/"

// rule says what the packages that match a pattern may import beyond the
// standard library. Patterns are those of path.Match, and "x/..." stands for
// x and everything below it.
type rule struct {
	packages string
	own      []string // of this module, without its path
	foreign  []string // of other modules
}

// The kernel's doors: every program that talks to it goes through
// enforcer/kernel, apart from the lab, which builds the world it acts on.
var kernelModules = []string{
	"golang.org/x/sys/...", "github.com/mdlayher/netlink/...", "github.com/vishvananda/netlink/...",
	"github.com/vishvananda/netns", "github.com/google/nftables/...",
}

// rules is the import table of docs/architecture.md. The first match holds; a
// package that matches none fails the test, so that a new room gets a line.
var rules = []rule{
	// Leaves.
	{"lang/diag", nil, nil},
	{"lang/fact", nil, nil},
	{"compiler/artifact", nil, nil},
	{"enforcer/packet", nil, nil},
	{"enforcer/pulse", nil, nil},
	{"enforcer/slab", nil, nil},
	{"lang/fact/internal/genfacts", []string{"lang/fact"}, nil},
	{"enforcer/program/internal/genread", []string{"lang/fact"}, nil},
	{"lang/suggest", nil, []string{"github.com/agext/levenshtein"}},
	{"lang/quantity", nil, nil},

	// Helpers of tests: no program links them.
	{"lang/diag/diagtest", []string{"lang/diag"}, nil},
	{"lang/lintconfig", []string{"lang", "lang/diag"}, []string{"github.com/hashicorp/hcl/v2/...", "github.com/zclconf/go-cty/..."}},
	{"lang/outline", []string{"lang/diag"}, []string{"github.com/hashicorp/hcl/v2/...", "github.com/zclconf/go-cty/..."}},
	{"lang/importer/importertest", []string{"compiler", "compiler/artifact", "lang", "lang/importer"}, []string{"github.com/google/go-cmp/...", "github.com/rogpeppe/go-internal/txtar"}},
	{"compiler/internal/irtest", []string{"compiler/artifact", "compiler/ir", "lang/diag", "lang/fact"}, []string{"pgregory.net/rapid"}},

	// Source text to typed policy: HCL ends here.
	{"lang", []string{"lang/diag", "lang/fact", "lang/quantity", "lang/suggest"}, []string{"github.com/hashicorp/hcl/v2/...", "github.com/zclconf/go-cty/..."}},
	{"lang/importer/opengfw", []string{"lang", "lang/diag", "lang/fact", "lang/importer", "lang/suggest"}, []string{"go.yaml.in/yaml/v3"}},
	{"lang/importer/...", []string{"lang", "lang/diag", "lang/fact", "lang/importer", "lang/suggest"}, nil},

	// The compiler: expr's parser in resolve alone, its compiler in emit/prog alone.
	{"compiler/ir", []string{"compiler/artifact", "lang/diag", "lang/fact"}, nil},
	{"compiler/resolve", []string{"compiler/artifact", "compiler/ir", "lang", "lang/diag", "lang/fact", "lang/quantity", "lang/suggest", "policies/geo"}, []string{"github.com/expr-lang/expr/ast", "github.com/expr-lang/expr/parser/...", "github.com/expr-lang/expr/file", "github.com/expr-lang/expr/conf"}},
	{"compiler/opt", []string{"compiler/ir", "lang/diag", "lang/fact"}, nil},
	{"compiler/emit/prog", []string{"compiler/artifact", "compiler/ir", "lang/diag", "lang/fact"}, []string{"github.com/expr-lang/expr/..."}},
	{"compiler/emit/*", []string{"compiler/artifact", "compiler/ir", "lang/diag"}, nil},
	{"compiler/lint", []string{"compiler/ir", "compiler/lint/...", "lang", "lang/diag", "lang/fact", "lang/lintconfig", "lang/outline", "lang/suggest"}, nil},
	{"compiler/lint/bdd", nil, nil},
	{"compiler/lint/pattern", nil, nil},
	{"compiler/lint/flowspace", []string{"compiler/artifact", "compiler/ir", "compiler/lint/bdd", "compiler/lint/pattern", "lang/fact"}, nil},
	{"docs/lint", nil, nil},
	{"docs/ci", nil, nil},
	{"compiler", []string{"compiler/...", "lang", "lang/diag", "lang/fact"}, nil},
	{"policies", []string{"compiler/artifact"}, nil},
	{"policies/source", []string{"compiler/artifact", "policies"}, nil},
	{"policies/geo", nil, nil},

	// The enforcer.
	{"enforcer/flow", []string{"enforcer/packet", "enforcer/slab"}, nil},
	{"enforcer/kpi", []string{"enforcer/packet", "enforcer/slab"}, nil},
	{"enforcer/dissect", []string{"enforcer/packet", "lang/fact"}, nil},
	{"enforcer/fuzztest", nil, nil},
	{"enforcer/dissect/dissecttest", []string{"enforcer/dissect", "enforcer/fuzztest", "enforcer/packet", "lang/fact"}, []string{"github.com/google/go-cmp/..."}},
	{"enforcer/dissect/all", []string{"enforcer/dissect/..."}, nil},
	{"enforcer/dissect/...", []string{"enforcer/dissect/...", "lang/fact"}, []string{"golang.org/x/crypto/..."}},
	{"enforcer/classify", []string{"compiler/artifact", "enforcer/dissect", "enforcer/dissect/announce", "enforcer/flow", "lang/fact"}, []string{"github.com/gaissmai/bart/..."}},
	{"enforcer/program", []string{"compiler/artifact", "lang/fact"}, []string{"github.com/expr-lang/expr/file", "github.com/expr-lang/expr/vm/...", "github.com/gaissmai/bart/..."}},
	{"enforcer/reconcile", []string{"compiler/artifact"}, nil},
	{"enforcer/telemetry/record", nil, nil},
	{"enforcer/telemetry/record/internal/genrecord", []string{"enforcer/telemetry/record"}, nil},
	{"enforcer/telemetry", []string{"enforcer/telemetry/record"}, nil},
	{"enforcer/telemetry/aggregate", []string{"compiler/artifact", "enforcer/slab", "enforcer/telemetry/record", "lang/fact"}, []string{"github.com/gaissmai/bart/..."}},
	{"enforcer/telemetry/prom", nil, nil},
	{"enforcer/telemetry/ipfix", []string{"enforcer/telemetry/record"}, nil},
	{"enforcer/telemetry/otlp", []string{"enforcer/telemetry"}, []string{"go.opentelemetry.io/proto/slim/otlp/...", "google.golang.org/protobuf/proto"}},
	{"enforcer/telemetry/grpc", nil, []string{"google.golang.org/protobuf/encoding/protowire"}},
	{"enforcer/telemetry/spool", nil, nil},
	{"enforcer/telemetry/sink", []string{"compiler/artifact", "enforcer/telemetry", "enforcer/telemetry/grpc", "enforcer/telemetry/ipfix", "enforcer/telemetry/otlp", "enforcer/telemetry/record", "enforcer/telemetry/spool", "enforcer/unixsocket", "lang/fact"}, []string{"github.com/eclipse/paho.golang/...", "github.com/klauspost/compress/zstd", "github.com/nats-io/nats.go/...", "github.com/twmb/franz-go/...", "github.com/coder/websocket/..."}},
	{"enforcer/unixsocket", nil, nil},
	{"enforcer/control", []string{"compiler/artifact", "enforcer/flow", "enforcer/program", "enforcer/telemetry", "enforcer/unixsocket"}, nil},
	{"enforcer/kernel/...", []string{"compiler/artifact", "enforcer/flow", "enforcer/kernel/...", "enforcer/packet", "enforcer/pulse", "enforcer/reconcile"}, append([]string{"github.com/cilium/ebpf/asm"}, kernelModules...)},
	{"enforcer", []string{"compiler/artifact", "enforcer/classify", "enforcer/dissect", "enforcer/dissect/announce", "enforcer/dissect/icmp", "enforcer/flow", "enforcer/kpi", "enforcer/packet", "enforcer/program", "enforcer/pulse", "enforcer/slab", "enforcer/telemetry", "enforcer/telemetry/aggregate", "enforcer/telemetry/record", "lang/fact"}, []string{"golang.org/x/sync/errgroup"}},

	// The programs.
	{"cmd/internal/buildinfo", nil, nil},
	{"cmd/netpold/...", []string{"cmd/internal/buildinfo", "compiler/artifact", "enforcer/...", "lang/fact", "cmd/netpold/..."}, []string{"github.com/coreos/go-systemd/..."}},
	{"cmd/netpol/internal/lab", nil, append([]string{"github.com/google/gopacket/..."}, kernelModules...)},
	{"cmd/netpol/internal/packetsim", []string{"compiler/artifact"}, nil},
	{"cmd/netpol/internal/release", []string{"compiler/artifact"}, nil},
	{"cmd/netpol/internal/propose", []string{"compiler/artifact", "enforcer/kernel/survey", "lang"}, nil},
	{"cmd/netpol/internal/scaffold", []string{"docs/ci"}, nil},
	{"cmd/netpol/internal/source", []string{"cmd/netpol/internal/revision"}, nil},
	{"cmd/netpol/internal/top", []string{"cmd/netpol/internal/view", "enforcer/telemetry"}, []string{"charm.land/bubbletea/v2"}},
	{"cmd/netpol/...", []string{"..."}, []string{"charm.land/bubbletea/v2", "github.com/spf13/cobra/...", "github.com/spf13/pflag", "github.com/aymanbagabas/go-udiff/...", "golang.org/x/term", "golang.org/x/text/..."}},
}

type listed struct {
	ImportPath string
	Imports    []string
}

// packages asks the go command for every package of the module as it is built
// for Linux.
func packages(t *testing.T) []listed {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports", "../../...")
	cmd.Env = append(os.Environ(), "GOOS=linux", "CGO_ENABLED=0")
	out, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			t.Fatalf("go list: %v\n%s", err, exit.Stderr)
		}
		t.Fatalf("go list: %v", err)
	}
	var all []listed
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		err := d.Decode(&p)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatalf("decode go list: %v", err)
		}
		all = append(all, p)
	}
}

func TestImportsFollowTheTable(t *testing.T) {
	for _, p := range packages(t) {
		name := strings.TrimPrefix(p.ImportPath, module)
		r, ok := ruleFor(name)
		if !ok {
			t.Errorf("%s: no line in the import table of imports_test.go", name)
			continue
		}
		for _, imported := range p.Imports {
			if !r.allows(imported) {
				t.Errorf("%s may not import %s (rule %q)", name, imported, r.packages)
			}
		}
	}
}

// TestEveryPackageHasARoom holds the table of rooms in docs/architecture.md against the packages that there are. A row
// names one by its path, and others by theirs or, beside or below it, by the last part.
func TestEveryPackageHasARoom(t *testing.T) {
	text, err := os.ReadFile("../../docs/architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(text), "\n## The rooms\n")
	table, _, _ = strings.Cut(table, "\n## ")
	var all []string
	for _, p := range packages(t) {
		all = append(all, strings.TrimPrefix(p.ImportPath, module))
	}
	var rooms []string
	for row := range strings.Lines(table) {
		names := strings.Split(strings.SplitN(row+"||", "|", 3)[1], "`")
		if len(names) < 2 {
			continue
		}
		first := names[1]
		for i := 1; i < len(names); i += 2 {
			found := false
			for _, room := range []string{names[i], path.Join(path.Dir(first), names[i]), path.Join(first, names[i]), path.Join(first, "internal", names[i])} {
				rooms = append(rooms, room)
				found = found || slices.ContainsFunc(all, func(p string) bool { return match(room, p) })
			}
			if !found {
				t.Errorf("a row is about %s, which is no package", names[i])
			}
		}
	}
	for _, p := range all {
		if !matchAny(rooms, p) {
			t.Errorf("%s: no row in the table of rooms of docs/architecture.md", p)
		}
	}
}

func ruleFor(name string) (rule, bool) {
	for _, r := range rules {
		if match(r.packages, name) {
			return r, true
		}
	}
	return rule{}, false
}

func (r rule) allows(imported string) bool {
	own, isOwn := strings.CutPrefix(imported, module)
	if isOwn {
		return matchAny(r.own, own)
	}
	first, _, _ := strings.Cut(imported, "/")
	if !strings.Contains(first, ".") {
		return true // the standard library
	}
	return matchAny(r.foreign, imported)
}

func matchAny(patterns []string, name string) bool {
	for _, p := range patterns {
		if match(p, name) {
			return true
		}
	}
	return false
}

func match(pattern, name string) bool {
	if pattern == "..." {
		return true
	}
	if below, ok := strings.CutSuffix(pattern, "/..."); ok {
		return name == below || strings.HasPrefix(name, below+"/")
	}
	ok, err := path.Match(pattern, name)
	return ok && err == nil
}

func TestRulesAreAboutImports(t *testing.T) {
	cases := []struct {
		name, pkg, imported string
		want                bool
	}{
		{"a leaf and the standard library", "lang/diag", "slices", true},
		{"a leaf and a neighbour", "lang/diag", module + "lang/fact", false},
		{"lang and hcl", "lang", "github.com/hashicorp/hcl/v2/hclsyntax", true},
		{"compiler and hcl", "compiler", "github.com/hashicorp/hcl/v2", false},
		{"emit/prog and expr", "compiler/emit/prog", "github.com/expr-lang/expr", true},
		{"emit/nft and expr", "compiler/emit/nft", "github.com/expr-lang/expr", false},
		{"netpold and lang", "cmd/netpold", module + "lang", false},
		{"netpold and the facts", "cmd/netpold", module + "lang/fact", true},
		{"enforcer and the kernel", "enforcer", module + "enforcer/kernel/ct", false},
		{"netpol and the kernel", "cmd/netpol", module + "enforcer/kernel/ct", true},
		{"netpol and nftables", "cmd/netpol/internal/cli", "github.com/google/nftables", false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r, ok := ruleFor(c.pkg)
			if !ok {
				t.Fatalf("no rule for %s", c.pkg)
			}
			if got := r.allows(c.imported); got != c.want {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}
