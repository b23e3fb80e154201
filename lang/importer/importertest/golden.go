package importertest

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/netpol/netpol/compiler"
	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/lang"
	"github.com/netpol/netpol/lang/importer"
)

var update = flag.Bool("update", false, "rewrite the golden sections")

// Catalogue is a small one, so that goldens do not follow the real one.
func Catalogue() *artifact.Catalogue {
	return &artifact.Catalogue{
		Digest:     "base",
		Categories: []artifact.Category{{Tag: "file-sharing"}, {Tag: "games"}, {Tag: "streaming-media"}, {Tag: "voip"}, {Tag: "web"}},
		Protocols: []artifact.Protocol{
			{Tag: "bittorrent", Name: "BitTorrent", Category: "file-sharing"},
			{Tag: "dns", Name: "DNS", Category: "web"},
			{Tag: "http", Name: "HTTP", Category: "web"},
			{Tag: "quic", Name: "QUIC", Category: "web"},
			{Tag: "smtp", Name: "SMTP", Category: "web"},
			{Tag: "ssh", Name: "SSH", Category: "web"},
			{Tag: "tls", Name: "TLS", Category: "web"},
		},
		Applications: []artifact.Application{
			{Tag: "facebook", Name: "Facebook", Category: "web"},
			{Tag: "microsoft-teams", Name: "Microsoft Teams", Category: "voip"},
			{Tag: "netflix", Name: "Netflix", Category: "streaming-media"},
			{Tag: "playstation", Name: "PlayStation", Category: "games"},
			{Tag: "zoom", Name: "Zoom", Category: "voip"},
		},
	}
}

// Vocabulary is the names of Catalogue.
func Vocabulary() importer.Vocabulary {
	var v importer.Vocabulary
	cat := Catalogue()
	for _, a := range cat.Applications {
		v.Applications = append(v.Applications, importer.Name{Tag: a.Tag, Title: a.Name})
	}
	for _, p := range cat.Protocols {
		v.Protocols = append(v.Protocols, importer.Name{Tag: p.Tag, Title: p.Name})
	}
	for _, c := range cat.Categories {
		v.Categories = append(v.Categories, importer.Name{Tag: c.Tag})
	}
	return v
}

// Golden imports each archive of testdata. The section of the given name is the
// input; connlabel.conf and interfaces, where there are any, are the options;
// the sections out/... are the policies and the report.
func Golden(t *testing.T, input string, convert func(importer.Input) *importer.Result) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no archives: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) { golden(t, file, input, convert) })
	}
}

func golden(t *testing.T, file, input string, convert func(importer.Input) *importer.Result) {
	ar, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	in := importer.Input{Name: input, Names: Vocabulary()}
	var inputs []txtar.File
	want := map[string]string{}
	for _, f := range ar.Files {
		switch {
		case strings.HasPrefix(f.Name, "out/"):
			want[f.Name] = string(f.Data)
			continue
		case f.Name == input:
			in.Source = f.Data
		case f.Name == "connlabel.conf":
			in.Labels = labels(t, string(f.Data))
		case f.Name == "interfaces":
			in.Interfaces = interfaces(string(f.Data))
		}
		inputs = append(inputs, f)
	}
	result := convert(in)
	CheckCompiles(t, result)
	got := sections(result)
	if *update {
		ar.Files = append(inputs, got...)
		if err := os.WriteFile(file, txtar.Format(ar), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	have := map[string]string{}
	for _, f := range got {
		have[f.Name] = string(f.Data)
	}
	if diff := cmp.Diff(want, have); diff != "" {
		t.Errorf("import differs, rewrite it with -update (-want +got):\n%s", diff)
	}
}

// labels reads "3 name" lines.
func labels(t *testing.T, text string) map[int]string {
	out := map[int]string{}
	for line := range strings.Lines(text) {
		var bit int
		var name string
		if _, err := fmt.Sscan(line, &bit, &name); err != nil {
			t.Fatal(err)
		}
		out[bit] = name
	}
	return out
}

// interfaces reads "lan eth0" lines.
func interfaces(text string) map[string]string {
	out := map[string]string{}
	for line := range strings.Lines(text) {
		if role, name, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
			out[role] = name
		}
	}
	return out
}

func sections(result *importer.Result) []txtar.File {
	var out []txtar.File
	for _, f := range result.Files {
		out = append(out, txtar.File{Name: "out/" + f.Name, Data: f.Data})
	}
	var items, findings strings.Builder
	for _, i := range result.Report.Items {
		fmt.Fprintf(&items, "%d %s -> %s: %s\n", i.Line, i.Name, i.Policy, i.State)
	}
	for _, d := range result.Report.Findings {
		fmt.Fprintln(&findings, d.Error())
	}
	for _, f := range []txtar.File{{Name: "out/items", Data: []byte(items.String())}, {Name: "out/findings", Data: []byte(findings.String())}} {
		if len(f.Data) > 0 {
			out = append(out, f)
		}
	}
	return out
}

// CheckCompiles fails when what was written does not compile, or is not laid
// out as netpol fmt does.
func CheckCompiles(t testing.TB, result *importer.Result) *artifact.Bundle {
	t.Helper()
	sources := map[string][]byte{}
	for _, f := range result.Files {
		sources[f.Name] = f.Data
		formatted, diags := lang.Format(f.Name, f.Data)
		if diags.HasErrors() {
			t.Fatalf("%v\n%s", diags, f.Data)
		}
		if diff := cmp.Diff(string(formatted), string(f.Data)); diff != "" {
			t.Errorf("layout differs from netpol fmt (-fmt +import):\n%s", diff)
		}
	}
	set, diags := lang.Parse(sources, lang.Options{})
	if diags.HasErrors() {
		t.Fatalf("%v\n%s", diags, result.Files[0].Data)
	}
	bundle, diags := compiler.Compile(set, compiler.Options{Catalogue: Catalogue()})
	if diags.HasErrors() {
		t.Fatalf("%v\n%s", diags, result.Files[0].Data)
	}
	return bundle
}

// CheckParses fails when what was written cannot be read, or a finding has no
// place inside the input.
func CheckParses(t testing.TB, src []byte, result *importer.Result) {
	t.Helper()
	for _, d := range result.Report.Findings {
		if d.Subject.Start.Byte > len(src) || d.Subject.End.Byte > len(src) || d.Subject.Start.Line < 1 {
			t.Fatalf("finding outside of the input: %v", d)
		}
	}
	sources := map[string][]byte{}
	for _, file := range result.Files {
		sources[file.Name] = file.Data
	}
	if len(sources) == 0 && !result.Report.Findings.HasErrors() {
		t.Fatal("nothing written and no error")
	}
	set, diags := lang.Parse(sources, lang.Options{})
	if diags.HasErrors() {
		t.Fatalf("%v\n%s", diags, result.Files[0].Data)
	}
	if len(set.Policies) != len(result.Report.Items) {
		t.Fatalf("got %d policies for %d rules", len(set.Policies), len(result.Report.Items))
	}
	for _, p := range set.Policies {
		for _, c := range p.Criteria {
			if strings.TrimSpace(c.Text) == "" {
				t.Fatalf("policy %q has empty criteria", p.Name)
			}
		}
	}
}
