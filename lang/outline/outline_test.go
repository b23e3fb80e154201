package outline

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

const source = `# a comment
locals {
  a = "x" // behind code
  b = local.a
}

variable "v" {
  default = "d"
}

# above a block
policy "p" {
  criteria = local.b
  label    = var.v
  # before an argument
  dscp = local[var.v]
}
`

func TestParse(t *testing.T) {
	f := Parse("in.netpol.hcl", []byte(source))
	if f == nil {
		t.Fatal("the file does not parse")
	}
	type comment struct {
		Text  string
		Line  int
		Alone bool
	}
	var comments []comment
	for _, c := range f.Comments {
		comments = append(comments, comment{c.Text, c.Range.Start.Line, c.Alone})
		if got := source[c.Range.Start.Byte:c.Range.End.Byte]; got[0] != '#' && got[0] != '/' || got[len(got)-1] == '\n' {
			t.Errorf("range of comment %q covers %q", c.Text, got)
		}
	}
	wantComments := []comment{{"a comment", 1, true}, {"behind code", 3, false}, {"above a block", 11, true}, {"before an argument", 15, true}}
	if diff := cmp.Diff(wantComments, comments); diff != "" {
		t.Errorf("comments (-want +got):\n%s", diff)
	}
	var lines [][3]int
	for _, s := range f.Statements {
		block := 0
		if s.Block {
			block = 1
		}
		lines = append(lines, [3]int{block, s.Range.Start.Line, s.Range.End.Line})
	}
	wantLines := [][3]int{{1, 2, 5}, {0, 3, 3}, {0, 4, 4}, {1, 7, 9}, {0, 8, 8}, {1, 12, 17}, {0, 13, 13}, {0, 14, 14}, {0, 16, 16}}
	if diff := cmp.Diff(wantLines, lines); diff != "" {
		t.Errorf("statements (-want +got):\n%s", diff)
	}
	defined := map[string]Kind{}
	for _, d := range f.Definitions {
		defined[d.Name] = d.Kind
	}
	if diff := cmp.Diff(map[string]Kind{"a": Local, "b": Local, "v": Variable}, defined); diff != "" {
		t.Errorf("definitions (-want +got):\n%s", diff)
	}
	used := map[Reference]bool{}
	for _, r := range f.References {
		used[r] = true
	}
	want := map[Reference]bool{{Local, "a", "b"}: true, {Local, "b", ""}: true, {Variable, "v", ""}: true, {Local, "", ""}: true}
	if diff := cmp.Diff(want, used); diff != "" {
		t.Errorf("references (-want +got):\n%s", diff)
	}
}

func TestParseRefusesWhatIsNoHCL(t *testing.T) {
	if f := Parse("in.netpol.hcl", []byte("policy {")); f != nil {
		t.Errorf("got %+v, want nil", f)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(source))
	f.Add([]byte("/* a */ x = 1 # b\r\n"))
	f.Fuzz(func(t *testing.T, src []byte) {
		if len(src) > 4096 { // lang bounds nesting before this package sees a file
			return
		}
		out := Parse("in", src)
		if out == nil {
			return
		}
		for _, c := range out.Comments {
			if c.Range.Start.Byte < 0 || c.Range.End.Byte > len(src) || c.Range.End.Byte < c.Range.Start.Byte {
				t.Fatalf("comment outside of the file: %+v", c)
			}
		}
	})
}
