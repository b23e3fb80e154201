package lang

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/netpol/netpol/lang/diag"
)

const good = "policy \"p\" {\n  criteria = \"true\"\n  label = \"a\"\n}\n"

// hang is how long a hostile input may take on a busy machine before the tests
// call it endless: without the bounds these take minutes, with them a second.
const hang = time.Minute

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func codes(list diag.List) string {
	var out []string
	for _, d := range list {
		out = append(out, d.Code)
	}
	return strings.Join(out, " ")
}

func TestParseDir(t *testing.T) {
	tests := []struct {
		name  string
		setup func(t *testing.T, dir string)
		want  string // codes
		count int    // policies
	}{
		{"empty", func(*testing.T, string) {}, diag.NoPolicyFiles, 0},
		{"other files only", func(t *testing.T, dir string) {
			write(t, dir, "a.hcl", good)
			write(t, dir, "a.nptest.hcl", "test {}")
			write(t, dir, ".hidden.netpol.hcl", good)
		}, diag.NoPolicyFiles, 0},
		{"lock only", func(t *testing.T, dir string) { write(t, dir, LockName, "") }, diag.NoPolicyFiles, 0},
		{"one", func(t *testing.T, dir string) { write(t, dir, "a.netpol.hcl", good) }, "", 1},
		{"a broken file beside a good one", func(t *testing.T, dir string) {
			write(t, dir, "a.netpol.hcl", "policy {")
			write(t, dir, "b.netpol.hcl", good)
		}, diag.WrongBlockLabels + " " + diag.BadSyntax, 1},
		{"symbolic link", func(t *testing.T, dir string) {
			write(t, dir, "b.netpol.hcl", good)
			if err := os.Symlink("/etc/passwd", filepath.Join(dir, "a.netpol.hcl")); err != nil {
				t.Fatal(err)
			}
		}, diag.NotRegularFile, 1},
		{"FIFO", func(t *testing.T, dir string) {
			write(t, dir, "b.netpol.hcl", good)
			if err := syscall.Mkfifo(filepath.Join(dir, "a.netpol.hcl"), 0o600); err != nil {
				t.Fatal(err)
			}
		}, diag.NotRegularFile, 1},
		{"directory", func(t *testing.T, dir string) {
			write(t, dir, "b.netpol.hcl", good)
			if err := os.Mkdir(filepath.Join(dir, "a.netpol.hcl"), 0o700); err != nil {
				t.Fatal(err)
			}
		}, diag.NotRegularFile, 1},
		{"large file", func(t *testing.T, dir string) {
			write(t, dir, "a.netpol.hcl", strings.Repeat("#\n", MaxFileBytes/2+1))
		}, diag.TooLarge, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			tt.setup(t, dir)
			p, diags := ParseDir(dir, Options{})
			if got := codes(diags); got != tt.want {
				t.Errorf("codes: got %q, want %q: %v", got, tt.want, diags)
			}
			if len(p.Policies) != tt.count {
				t.Errorf("policies: got %d, want %d", len(p.Policies), tt.count)
			}
		})
	}
}

func TestParseDirWithoutADirectory(t *testing.T) {
	p, diags := ParseDir(filepath.Join(t.TempDir(), "none"), Options{})
	if p == nil || codes(diags) != diag.UnreadableFile {
		t.Errorf("got %v, %q, want a policy and %s", p, codes(diags), diag.UnreadableFile)
	}
}

func TestPoliciesAreOrderedByFileThenPosition(t *testing.T) {
	policy := func(name string) string { return strings.Replace(good, `"p"`, `"`+name+`"`, 1) }
	p, diags := Parse(map[string][]byte{
		"b.netpol.hcl": []byte(policy("3") + "netpol {}\n" + policy("4")),
		"a.netpol.hcl": []byte(policy("1") + policy("2")),
	}, Options{})
	var names []string
	for _, b := range p.Policies {
		names = append(names, b.Name)
	}
	if got := strings.Join(names, ""); got != "1234" || len(diags) > 0 {
		t.Errorf("order: got %s, want 1234: %v", got, diags)
	}
	if !bytes.Contains(p.Source("a.netpol.hcl"), []byte(`"1"`)) {
		t.Error("Source does not return the file")
	}
}

// HCL alone answers each of these with a stack overflow or by never ending.
func TestHostileFilesGiveOneDiagnosticQuickly(t *testing.T) {
	const size = 200 << 10
	fill := func(s string) string { return strings.Repeat(s, size/len(s)) }
	tests := []struct{ name, in, want string }{
		{"brackets", "locals {\n a = " + fill("["), diag.TooDeep},
		{"parentheses", "locals {\n a = " + fill("("), diag.TooDeep},
		{"objects", "locals {\n a = " + fill("{a="), diag.TooDeep},
		{"templates", "locals {\n a = " + fill(`"${`), diag.TooDeep},
		{"blocks", fill("a {\n"), diag.TooDeep},
		{"not", "locals {\n a = " + fill("!") + "true\n}", diag.TooDeep},
		{"minus", "locals {\n a = " + fill("-") + "1\n}", diag.TooDeep},
		{"sum", "locals {\n a = 1" + fill("+1") + "\n}", diag.TooDeep},
		{"choices", "locals {\n a = " + fill("true?1:") + "1\n}", diag.TooDeep},
		{"indices", "locals {\n a = b" + fill("[c]") + "\n}", diag.TooDeep},
		{"splats", "locals {\n a = b" + fill(".*.c") + "\n}", diag.TooDeep},
		{"loops in loops", "locals {\n a = [1,2]\n b = [for x in local.a : [for y in local.a : x]]\n}", diag.TooDeep},
		{"chain of locals", chain(200), diag.TooDeep},
		{"large number", "policy \"p\" {\n criteria = \"true\"\n mark = 1e9999999\n}", diag.TooDeep},
		{"number that squares itself", squaring(40), diag.TooLarge},
		{"doubling strings", doubling(30), diag.TooLarge},
		{"choices of the allowed number", "locals {\n a = " + strings.Repeat("true?1:", 200) + "1\n}", ""},
		{"splats of the allowed number", "locals {\n l = [" + strings.Repeat("1,", 100) + "]\n a = local.l" + strings.Repeat("[*]", 200) + "\n}", diag.TooLarge},
		{"megabyte of braces", strings.Repeat("{", 1<<20), diag.TooLarge},
		{"largest file of words", strings.Repeat("a ", MaxFileBytes/2), diag.TooLarge},
		{"megabyte of addresses", "address_group \"a\" {\n members = [" + strings.Repeat("\"2001:db8::1\",", 75_000) + "]\n}\n", ""},
		{"megabyte of quotes", strings.Repeat(`"`, 1<<20), diag.TooLarge},
		{"megabyte of blocks", strings.Repeat("a{}\n", 1<<18), diag.TooLarge},
		{"megabyte of list", "locals {\n a = [" + strings.Repeat("1,", 1<<19) + "]\n}\n", diag.TooLarge},
		{"long heredoc", "locals {\n a = <<E\n" + fill("x\n") + "E\n}\n", diag.TooDeep},
		{"string of escapes", "locals {\n a = \"" + fill("$${") + "\"\n}\n", diag.TooDeep},
		{"many locals", "locals {\n a = 1\n" + lines(20_000, " a%d = local.a\n") + "}\n", ""},
		{"loop that pastes a long string", "locals {\n s = \"" + strings.Repeat("x", 100_000) + "\"\n l = [" + strings.Repeat("1,", 50_000) + "]\n a = [for x in local.l : \"${local.s}!\"]\n}\n", diag.TooLarge},
		{"loop that compares long lists", "locals {\n l = [" + strings.Repeat("1,", 50_000) + "]\n a = [for x in local.l : local.l == local.l]\n}\n", diag.TooLarge},
		{"loop over a loop's list in a default", "variable \"v\" {\n default = [for x in [" + strings.Repeat("1,", 20_000) + "] : [" + strings.Repeat("1,", 20_000) + "]]\n}\n", diag.TooLarge},
		{"many copies of a long list", "locals {\n l = [" + strings.Repeat("1,", 50_000) + "]\n" + lines(200, " a%d = [for x in local.l : x]\n") + "}\n", diag.TooLarge},
		{"many strings of a long string", "locals {\n s = \"" + strings.Repeat("x", 500_000) + "\"\n" + lines(1000, " a%d = \"${local.s}!\"\n") + "}\n", diag.TooLarge},
		{"many policies of a long list", "locals {\n l = [" + strings.Repeat("\"true\",", 30_000) + "]\n}\n" + lines(3000, "policy \"p%d\" {\n criteria = local.l\n mark = 1\n}\n"), diag.TooLarge},
		{"doubling lists", "locals {\n l0 = [\"xxxxxxxxxxxxxxxx\"]\n" + strings.Join(doublingLists(25), "") + "}", diag.TooLarge},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			start := time.Now()
			_, diags := Parse(map[string][]byte{"a.netpol.hcl": []byte(tt.in)}, Options{})
			if (len(diags) == 0) != (tt.want == "") || !strings.Contains(codes(diags), tt.want) {
				t.Errorf("codes: got %.100q, want %s", codes(diags), tt.want)
			}
			if took := time.Since(start); took > hang {
				t.Errorf("took %v", took)
			}
		})
	}
}

// lines repeats a line with its number in it.
func lines(n int, format string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}

func chain(n int) string {
	var b strings.Builder
	b.WriteString("locals {\n a0 = 1\n")
	for i := 1; i < n; i++ {
		b.WriteString(" a" + strings.Repeat("0", i+1) + " = local.a" + strings.Repeat("0", i) + "\n")
	}
	// The last one sorts first, so that evaluation begins at the far end.
	b.WriteString(" A = local.a" + strings.Repeat("0", n) + "\n}")
	return b.String()
}

func doubling(n int) string {
	var b strings.Builder
	b.WriteString("locals {\n x = \"xxxxxxxxxxxxxxxx\"\n")
	for i := 1; i < n; i++ {
		one := "local." + strings.Repeat("x", i)
		b.WriteString(" " + strings.Repeat("x", i+1) + " = \"${" + one + "}${" + one + "}\"\n")
	}
	return b.String() + "}"
}

func squaring(n int) string {
	var b strings.Builder
	b.WriteString("locals {\n x = 1e99\n")
	for i := 1; i < n; i++ {
		one := "local." + strings.Repeat("x", i)
		b.WriteString(" " + strings.Repeat("x", i+1) + " = " + one + " * " + one + "\n")
	}
	return b.String() + "}"
}

func doublingLists(n int) []string {
	var out []string
	name := func(i int) string { return "l" + strings.Repeat("l", i) }
	out = append(out, " "+name(0)+" = local.l0\n")
	for i := 1; i < n; i++ {
		out = append(out, " "+name(i)+" = [local."+name(i-1)+", local."+name(i-1)+"]\n")
	}
	return out
}

// FuzzParse checks that any bytes give a policy whose ranges lie inside the
// file, and that an absent policy block is never without a reason.
func FuzzParse(f *testing.F) {
	for _, pattern := range []string{"testdata/*/*.hcl"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range files {
			src, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(src)
		}
	}
	f.Add([]byte("label \"zoom\" {\n bit = 3\n}\ncatalogue = \"x\"\n"))
	f.Fuzz(func(t *testing.T, src []byte) {
		if len(src) > 1<<14 {
			return
		}
		start := time.Now()
		p, diags := Parse(map[string][]byte{"a.netpol.hcl": src, LockName: src}, Options{Vars: map[string]string{"apps": "[]"}})
		if took := time.Since(start); took > hang {
			t.Errorf("took %v", took)
		}
		for _, d := range diags {
			checkInside(t, d.Subject, src)
		}
		for _, b := range p.Policies {
			checkInside(t, b.Range, src)
			for i := range b.Criteria {
				for j := range b.Criteria[i].Text {
					checkInside(t, b.Criteria[i].RangeOf(j, j+1), src)
				}
			}
			if len(b.Criteria) == 0 && !diags.HasErrors() {
				t.Errorf("policy %q lost its criteria without a word", b.Name)
			}
		}
	})
}

func checkInside(t *testing.T, r diag.Range, src []byte) {
	t.Helper()
	if r.Start.Byte < 0 || r.End.Byte < r.Start.Byte || r.End.Byte > len(src) {
		t.Errorf("range %v..%v is outside the file of %d bytes", r.Start, r.End, len(src))
	}
}
