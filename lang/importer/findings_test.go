package importer

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/netpol/netpol/lang/diag"
)

func TestDefinitionsAreDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/import.md")
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, d := range Definitions {
		ids = append(ids, d.ID)
		if row := fmt.Sprintf("| %s | %s | ", d.ID, d.Severity); !strings.Contains(string(page), row) {
			t.Errorf("docs/import.md has no row %q", row)
		}
	}
	if !slices.IsSorted(ids) || len(slices.Compact(ids)) != len(Definitions) {
		t.Errorf("ids are not sorted and unique: %v", ids)
	}
	if got := strings.Count(string(page), "\n| IM"); got != len(Definitions) {
		t.Errorf("got %d rows in docs/import.md, want %d", got, len(Definitions))
	}
}

func TestSourceRange(t *testing.T) {
	s := NewSource("f", []byte("ab\näöü x\n"))
	tests := []struct {
		name     string
		from, to int
		want     string
		end      diag.Pos
	}{
		{"start", 0, 1, "f:1:1", diag.Pos{Line: 1, Column: 2, Byte: 1}},
		{"columns count characters", 5, 10, "f:2:2", diag.Pos{Line: 2, Column: 5, Byte: 10}},
		{"outside", 99, 120, "f:3:1", diag.Pos{Line: 3, Column: 1, Byte: 12}},
		{"backwards", 4, 2, "f:2:2", diag.Pos{Line: 2, Column: 2, Byte: 4}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := s.Range(tt.from, tt.to)
			if got.End != tt.end || tt.name != "backwards" && got.String() != tt.want {
				t.Errorf("got %v to %v, want %s to %v", got, got.End, tt.want, tt.end)
			}
		})
	}
}

func TestNames(t *testing.T) {
	tests := []struct {
		name string
		make func(string) string
		in   string
		want string
	}{
		{"label", LabelName, "best_effort", "best-effort"},
		{"label of a digit", LabelName, "1st", "l-1st"},
		{"label of netpol", LabelName, "NP-seen", "x-NP-seen"},
		{"label of nothing", LabelName, "__", "label"},
		{"long label", LabelName, strings.Repeat("a", 70), strings.Repeat("a", 63)},
		{"policy", PolicyName, `a"b\c{d}`, "a-b-c-d-"},
		{"policy of punctuation", PolicyName, " -é ", "imported"},
		{"group", GroupName, "kids.tablets", "kids-tablets"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.make(tt.in); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestUniqueKeepsNamesApart(t *testing.T) {
	var u Unique
	long := strings.Repeat("x", 63)
	var got []string
	for _, s := range []string{"a-b", "a_b", "a.b", "a_b", long, long + "y"} {
		got = append(got, u.Label(s))
	}
	want := []string{"a-b", "a-b-2", "a-b-3", "a-b-2", long, long[:61] + "-2"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestQuote(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"plain", "app == 'zoom'", `"app == 'zoom'"`},
		{"escapes", "a\"b\\c\n\t\r\x01", `"a\"b\\c\n\t\r\u0001"`},
		{"templates", "${a} %{b} $a", `"$${a} %%{b} $a"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := Quote(tt.in); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}
