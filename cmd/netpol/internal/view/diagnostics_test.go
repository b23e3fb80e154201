package view

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/netpol/netpol/lang/diag"
)

// at makes the range of the first occurrence of what in src.
func at(t *testing.T, src, what string) diag.Range {
	t.Helper()
	i := strings.Index(src, what)
	if i < 0 {
		t.Fatalf("source does not contain %q", what)
	}
	pos := func(i int) diag.Pos {
		lineStart := strings.LastIndexByte(src[:i], '\n') + 1
		return diag.Pos{
			Line:   strings.Count(src[:i], "\n") + 1,
			Column: len([]rune(src[lineStart:i])) + 1,
			Byte:   i,
		}
	}
	return diag.Range{Filename: "kids.netpol.hcl", Start: pos(i), End: pos(i + len(what))}
}

func TestDiagnosticsText(t *testing.T) {
	tests := []struct {
		name, src, mark string
		diag            diag.Diagnostic
		want            string
	}{
		{
			name: "caret inside the criteria string",
			src:  "policy \"video\" {\n  criteria = \"app in ['youtub']\"\n}\n",
			mark: "'youtub'",
			diag: diag.Diagnostic{
				Code: "NP0012", Summary: "Unknown application",
				Detail: "No application is named \"youtub\".", Hint: `did you mean "youtube"?`,
			},
			want: `error[NP0012]: Unknown application
  kids.netpol.hcl:2:23
  2 |   criteria = "app in ['youtub']"
    |                       ^^^^^^^^
  No application is named "youtub".
  Did you mean "youtube"?
`,
		},
		{
			name: "tabs become spaces and the caret follows",
			src:  "policy \"v\" {\n\tlabel\t= \"a_b\"\n}\n",
			mark: `"a_b"`,
			diag: diag.Diagnostic{Severity: diag.Warning, Code: "NP0001", Summary: "S"},
			want: `warning[NP0001]: S
  kids.netpol.hcl:2:10
  2 |     label   = "a_b"
    |               ^^^^^
`,
		},
		{
			name: "wide characters take two columns, combining ones none",
			src:  "# 日本 e\u0301 x\n",
			mark: "x",
			diag: diag.Diagnostic{Severity: diag.Note, Code: "NP0001", Summary: "S"},
			want: "note[NP0001]: S\n  kids.netpol.hcl:1:9\n  1 | # 日本 e\u0301 x\n    |          ^\n",
		},
		{
			name: "control and direction characters are shown, not obeyed",
			src:  "# \x1b[31m \u202e x \xff y\r\n",
			mark: "y",
			diag: diag.Diagnostic{Code: "NP0001", Summary: "S\x1b[2J", Detail: "d\x07\u200b"},
			want: "error[NP0001]: S\\x1b[2J\n  kids.netpol.hcl:1:15\n" +
				`  1 | # \x1b[31m \u202e x \xff y` + "\n" +
				`    |                          ^` + "\n  d\\x07\\u200b\n",
		},
		{
			name: "a range over several lines ends with its first",
			src:  "policy \"v\" {\n  x\n}\n",
			mark: "{\n  x\n}",
			diag: diag.Diagnostic{Code: "NP0001", Summary: "S"},
			want: `error[NP0001]: S
  kids.netpol.hcl:1:12
  1 | policy "v" {
    |            ^
`,
		},
		{
			name: "an empty range gets one caret",
			src:  "policy\n",
			mark: "",
			diag: diag.Diagnostic{Code: "NP0001", Summary: "S"},
			want: `error[NP0001]: S
  kids.netpol.hcl:1:1
  1 | policy
    | ^
`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.diag.Subject = at(t, tt.src, tt.mark)
			var b bytes.Buffer
			src := func(string) []byte { return []byte(tt.src) }
			if err := Diagnostics(&b, diag.List{tt.diag}, src, Style{}); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want+"\n", b.String()); diff != "" {
				t.Errorf("output (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDiagnosticsWindowsLongLines(t *testing.T) {
	src := `  criteria = "` + strings.Repeat("(", 100_000) + "HERE" + strings.Repeat(")", 100_000) + "\"\n"
	s, ok := newSnippet([]byte(src), at(t, src, "HERE"))
	if !ok {
		t.Fatal("no snippet")
	}
	if n := len(s.text); n > maxColumns+6 {
		t.Errorf("shown line has %d bytes, want at most %d", n, maxColumns+6)
	}
	if got := s.text[s.indent : s.indent+s.carets]; got != "HERE" {
		t.Errorf("caret under %q, want under HERE in %q", got, s.text)
	}
}

func TestDiagnosticsWithoutSource(t *testing.T) {
	d := diag.Diagnostic{Code: "NP0001", Summary: "S", Subject: diag.Range{
		Filename: "a.hcl", Start: diag.Pos{Line: 99, Column: 1, Byte: 5000}, End: diag.Pos{Line: 99, Column: 2, Byte: 5001},
	}}
	want := "error[NP0001]: S\n  a.hcl:99:1\n\n"
	for name, src := range map[string]Sources{
		"no sources": nil,
		"no file":    func(string) []byte { return nil },
		"short file": func(string) []byte { return []byte("one line\n") },
	} {
		var b bytes.Buffer
		if err := Diagnostics(&b, diag.List{d}, src, Style{}); err != nil {
			t.Fatal(err)
		}
		if got := b.String(); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

func TestDiagnosticsCountsAndCaps(t *testing.T) {
	var list diag.List
	for range maxShown + 7 {
		list.Add(diag.Diagnostic{Code: "NP0001", Summary: "S"})
	}
	list.Add(diag.Diagnostic{Severity: diag.Warning, Code: "NP0002", Summary: "W"})
	var b bytes.Buffer
	if err := Diagnostics(&b, list, nil, Style{}); err != nil {
		t.Fatal(err)
	}
	if got, want := b.String(), "... and 8 more.\n57 errors, 1 warning.\n"; !strings.HasSuffix(got, want) {
		t.Errorf("output ends %q, want %q", got[max(0, len(got)-80):], want)
	}
	if got := strings.Count(b.String(), "error[NP0001]"); got != maxShown {
		t.Errorf("%d diagnostics shown, want %d", got, maxShown)
	}
}

func TestDiagnosticsColour(t *testing.T) {
	d := diag.List{{Code: "NP0001", Summary: "S"}}
	var plain, coloured bytes.Buffer
	if err := Diagnostics(&plain, d, nil, Style{}); err != nil {
		t.Fatal(err)
	}
	if err := Diagnostics(&coloured, d, nil, Style{Color: true}); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(plain.String(), "\x1b") {
		t.Error("escape sequence in plain output")
	}
	if !strings.Contains(coloured.String(), "\x1b[1m\x1b[31merror[NP0001]:\x1b[0m") {
		t.Errorf("no red head in %q", coloured.String())
	}
}

func TestDiagnosticsJSON(t *testing.T) {
	var b bytes.Buffer
	list := diag.List{{Severity: diag.Warning, Code: "NP0002", Summary: "<W>"}}
	if err := DiagnosticsJSON(&b, list); err != nil {
		t.Fatal(err)
	}
	want := `{"format_version":"1.0","valid":true,"error_count":0,"warning_count":1,` +
		`"diagnostics":[{"severity":"warning","code":"NP0002","summary":"<W>"}]}` + "\n"
	if got := b.String(); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	b.Reset()
	if err := DiagnosticsJSON(&b, nil); err != nil {
		t.Fatal(err)
	}
	var doc struct{ Diagnostics []any }
	if err := json.Unmarshal(b.Bytes(), &doc); err != nil || doc.Diagnostics == nil {
		t.Errorf("an empty list must be [], got %s (%v)", b.String(), err)
	}
}

func FuzzSnippet(f *testing.F) {
	f.Add("policy \"v\" {\n\tx = 日\n}\n", 2, 13, 14)
	f.Add("\x1b\xff\u202e", 1, 0, 3)
	f.Add(strings.Repeat("é", 300), 1, 400, 410)
	f.Fuzz(func(t *testing.T, src string, line, from, to int) {
		rng := diag.Range{Filename: "x", Start: diag.Pos{Line: line, Byte: from}, End: diag.Pos{Line: line, Byte: to}}
		s, ok := newSnippet([]byte(src), rng)
		if !ok {
			return
		}
		if s.carets < 1 || s.indent < 0 || s.indent+s.carets > maxColumns+7 {
			t.Errorf("caret at %d, %d long, in a window of %d", s.indent, s.carets, maxColumns)
		}
		if clean(s.text) != s.text || strings.ContainsAny(s.text, "\n\t") {
			t.Errorf("unsafe text %q", s.text)
		}
	})
}
