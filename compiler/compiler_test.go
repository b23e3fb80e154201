package compiler

import (
	"flag"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
	"pgregory.net/rapid"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/program"
	"github.com/netpol/netpol/lang"
)

var update = flag.Bool("update", false, "rewrite the golden sections")

// catalogue is a small one, so that goldens do not follow the real one.
func catalogue() *artifact.Catalogue {
	return &artifact.Catalogue{
		Digest:     "base",
		Categories: []artifact.Category{{Tag: "voip"}, {Tag: "web"}},
		Protocols:  []artifact.Protocol{{Tag: "bittorrent", Category: "web"}, {Tag: "quic", Category: "web"}, {Tag: "tls", Category: "web"}},
		Applications: []artifact.Application{
			{Tag: "teams", Name: "Microsoft Teams", Category: "voip"},
			{Tag: "zoom", Name: "Zoom", Category: "voip", Domains: []string{"zoom.us"}, Networks: []netip.Prefix{netip.MustParsePrefix("3.7.35.0/25")}},
		},
	}
}

// TestGolden compiles each archive of testdata: policy files and lock as they
// are ("in.hcl" is in.netpol.hcl), "reserved" as other owners' lines of
// connlabel.conf, and a golden section for what each stage makes of it.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no archives: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) { golden(t, file) })
	}
}

func golden(t *testing.T, file string) {
	ar, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	sources := map[string][]byte{}
	opts := Options{Catalogue: catalogue(), ReservedBits: map[int]string{}, ReservedNames: map[string]int{}}
	var inputs, want []txtar.File
	for _, f := range ar.Files {
		switch {
		case strings.HasPrefix(f.Name, "out/"):
			want = append(want, f)
			continue
		case f.Name == "reserved":
			reserve(t, string(f.Data), &opts)
		case f.Name == "in.hcl":
			sources["in.netpol.hcl"] = f.Data
		default:
			sources[f.Name] = f.Data
		}
		inputs = append(inputs, f)
	}
	got := stages(sources, opts)
	if *update {
		ar.Files = append(inputs, got...)
		if err := os.WriteFile(file, txtar.Format(ar), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(sections(want), sections(got)); diff != "" {
		t.Errorf("stages differ, rewrite them with -update (-want +got):\n%s", diff)
	}
}

func reserve(t *testing.T, lines string, opts *Options) {
	t.Helper()
	for line := range strings.Lines(lines) {
		var bit int
		var name string
		if _, err := fmt.Sscan(line, &bit, &name); err != nil {
			t.Fatal(err)
		}
		opts.ReservedBits[bit], opts.ReservedNames[name] = name, bit
	}
}

// stages is the visible output of each stage; empty ones are left out.
func stages(sources map[string][]byte, opts Options) []txtar.File {
	p, diags := lang.Parse(sources, lang.Options{})
	set, _ := lower(p, opts)
	b, more := Compile(p, opts)
	diags.Extend(more)
	var out []txtar.File
	add := func(name, data string) {
		if data != "" {
			out = append(out, txtar.File{Name: "out/" + name, Data: []byte(strings.TrimRight(data, "\n") + "\n")})
		}
	}
	add("diag", diags.Error())
	if b == nil {
		return out
	}
	add("ir", set.Dump())
	// The capture chains say the same in every case; emit/nft has goldens of them.
	b.Ruleset.Chains = slices.DeleteFunc(b.Ruleset.Chains, func(c artifact.Chain) bool { return strings.HasPrefix(c.Name, "np_capture") })
	parts, err := Parts(b, program.Disassemble(b))
	if err != nil {
		panic(err)
	}
	for _, part := range parts {
		if name, ok := map[string]string{"connlabel.conf": "connlabel.conf", "ruleset.nft": "nft", "program.disasm": "disasm"}[part.Name]; ok {
			add(name, string(part.Data))
		}
	}
	add("lock", string(lang.FormatLock(NewLock(b, p.Lock, Router{}))))
	return out
}

func sections(files []txtar.File) map[string]string {
	out := map[string]string{}
	for _, f := range files {
		out[f.Name] = string(f.Data)
	}
	return out
}

// many is a set with a policy of each kind, a hundred times, over two files.
func many() map[string][]byte {
	var a, b strings.Builder
	for i := range 100 {
		fmt.Fprintf(&a, "policy \"a%d\" {\n  criteria = \"app in ['zoom', 'teams'] && dst_port in [%d, 443] || hostname endsWith '.h%d.example'\"\n  label = \"l%d\"\n}\n", i, 1000+i, i, i)
		fmt.Fprintf(&b, "policy \"b%d\" {\n  criteria = [\"proto == 'tls' && src_port == dst_port + %d\", \"local_ip in ['10.%d.0.0/16']\"]\n  label = \"l%d\"\n  dscp = \"cs%d\"\n}\n", i, i, i, i%50, i%8)
	}
	return map[string][]byte{"a.netpol.hcl": []byte(a.String()), "b.netpol.hcl": []byte(b.String())}
}

// TestCompileIsDeterministic compiles the same set several times, reading the
// sources and the catalogue anew each time, so that every map of the pipeline
// is walked in another order.
func TestCompileIsDeterministic(t *testing.T) {
	compile := func() string {
		p, diags := lang.Parse(many(), lang.Options{})
		b, more := Compile(p, Options{Catalogue: catalogue(), ReservedBits: map[int]string{3: "x", 9: "y", 40: "z"}, ReservedNames: map[string]int{"x": 3, "y": 9, "z": 40}})
		diags.Extend(more)
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		parts, err := Parts(b, program.Disassemble(b))
		if err != nil {
			t.Fatal(err)
		}
		var all strings.Builder
		for _, part := range parts {
			fmt.Fprintf(&all, "%s\n%s", part.Name, part.Data)
		}
		return all.String() + string(lang.FormatLock(NewLock(b, p.Lock, Router{})))
	}
	want := compile()
	for range 5 {
		if got := compile(); got != want {
			t.Fatalf("two compiles of the same set differ:\n%s", cmp.Diff(want, got))
		}
	}
}

// TestLockHoldsBits compiles, adds a policy before the first, and compiles
// with the lock that the first compile made.
func TestLockHoldsBits(t *testing.T) {
	first, diags := lang.Parse(map[string][]byte{"b.netpol.hcl": []byte(`policy "b" {
  criteria = "app == 'zoom'"
  label    = "zoom"
}
`)}, lang.Options{})
	b, more := Compile(first, Options{Catalogue: catalogue()})
	if diags.Extend(more); len(diags) > 0 {
		t.Fatal(diags)
	}
	second, diags := lang.Parse(map[string][]byte{
		"a.netpol.hcl": []byte(`policy "a" {
  criteria = "app == 'teams'"
  label    = "teams"
}
`),
		"b.netpol.hcl": first.Source("b.netpol.hcl"),
		lang.LockName:  lang.FormatLock(NewLock(b, nil, Router{})),
	}, lang.Options{})
	b, more = Compile(second, Options{Catalogue: catalogue()})
	if diags.Extend(more); len(diags) > 0 {
		t.Fatal(diags)
	}
	want := []artifact.Label{{Name: "zoom", Bit: 0}, {Name: "teams", Bit: 1}}
	if diff := cmp.Diff(want, b.Labels); diff != "" {
		t.Errorf("labels (-want +got):\n%s", diff)
	}
}

// TestBitsNeverMove edits a policy set for a long time, with the lock that each
// compile leaves behind: a label that once had a bit has no other ever after,
// and no other label has its bit.
func TestBitsNeverMove(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lock := []byte{}
		seen, owner := map[string]int{}, map[int]string{}
		for range rapid.IntRange(1, 12).Draw(t, "edits") {
			files := map[string][]byte{lang.LockName: lock}
			for i, n := range rapid.Permutation([]int{0, 1, 2, 3, 4, 5, 6, 7}).Draw(t, "order")[:rapid.IntRange(0, 8).Draw(t, "policies")] {
				files["a.netpol.hcl"] = fmt.Appendf(files["a.netpol.hcl"], "policy \"p%d\" {\n  criteria = \"app == 'zoom'\"\n  label = \"l%d\"\n  dscp = \"cs%d\"\n}\n", i, n, n%3)
			}
			p, diags := lang.Parse(files, lang.Options{})
			b, more := Compile(p, Options{Catalogue: catalogue(), ReservedBits: map[int]string{2: "theirs"}, ReservedNames: map[string]int{"theirs": 2}})
			if diags.Extend(more); diags.HasErrors() {
				t.Fatal(diags)
			}
			for _, l := range b.Labels {
				if bit, ok := seen[l.Name]; ok && bit != l.Bit {
					t.Fatalf("label %s moved from bit %d to %d", l.Name, bit, l.Bit)
				}
				if other, ok := owner[l.Bit]; ok && other != l.Name || l.Bit == 2 {
					t.Fatalf("label %s has bit %d, which was %q's", l.Name, l.Bit, other)
				}
				seen[l.Name], owner[l.Bit] = l.Bit, l.Name
			}
			lock = lang.FormatLock(NewLock(b, p.Lock, Router{}))
		}
	})
}

func TestCompileGivesNoBundleOnErrors(t *testing.T) {
	p, _ := lang.Parse(map[string][]byte{"a.netpol.hcl": []byte("policy \"a\" {\n  criteria = \"app == 'zom'\"\n  label = \"x\"\n}\n")}, lang.Options{})
	b, diags := Compile(p, Options{Catalogue: catalogue()})
	if b != nil || !diags.HasErrors() {
		t.Errorf("Compile = %v, %v; want no bundle and an error", b, diags)
	}
}

func TestPolicyOrderIsFileThenPosition(t *testing.T) {
	p, diags := lang.Parse(many(), lang.Options{})
	set, more := lower(p, Options{Catalogue: catalogue()})
	if diags.Extend(more); diags.HasErrors() {
		t.Fatal(diags)
	}
	if got := set.Policies[0].Name + " " + set.Policies[100].Name; got != "a0 b0" || len(set.Policies) != 200 {
		t.Errorf("policies 0 and 100 of %d are %s, want a0 b0 of 200", len(set.Policies), got)
	}
}

// BenchmarkCompile is the whole way from text to bundle, in files of a
// thousand policies.
func BenchmarkCompile(b *testing.B) {
	for _, n := range []int{10, 100, 1_000, 10_000} {
		files := map[string][]byte{}
		for i := range n {
			name := fmt.Sprintf("%02d.netpol.hcl", i/1000)
			files[name] = fmt.Appendf(files[name], "policy \"p%d\" {\n  criteria = \"app == 'zoom' && local_ip in '10.%d.%d.0/24' || hostname endsWith '.h%d.example'\"\n  label = \"l%d\"\n}\n", i, i/256, i%256, i, i%100)
		}
		b.Run(fmt.Sprintf("policies=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				p, diags := lang.Parse(files, lang.Options{})
				if _, more := Compile(p, Options{Catalogue: catalogue()}); diags.HasErrors() || more.HasErrors() {
					b.Fatal(diags, more)
				}
			}
		})
	}
}
