package pattern

import (
	"regexp"
	"strings"
	"testing"
)

func TestPlain(t *testing.T) {
	cases := []struct {
		in   string
		want string // empty: no plain operator says it
	}{
		{`zoom`, "contains zoom"},
		{`^cdn`, "startsWith cdn"},
		{`(?i)ZOOM$`, "endsWith zoom"},
		{`^zoom\.us$`, "== zoom.us"},
		{`(?i)^zoom[.]us$`, "== zoom.us"},
		{`(^|\.)zoom\.us$`, "domain zoom.us"},
		{`(?i)(?:^|[.])zoom[.]us$`, "domain zoom.us"},
		{`^(.*\.)?zoom\.us$`, "domain zoom.us"},
		{`zoom.us`, ""},
		{`^(.+\.)?zoom\.us$`, ""},
		{`zoom|webex`, ""},
		{`(?i:zoom)us`, ""},
		{`^cdn[0-9]+-`, ""},
		{`(`, ""},
		{``, ""},
	}
	for _, c := range cases {
		got := ""
		if s, ok := Plain(c.in); ok {
			got = s.Kind.String() + " " + s.Text
		}
		if got != c.want {
			t.Errorf("%s: got %q, want %q", c.in, got, c.want)
		}
	}
}

func TestMeantDomain(t *testing.T) {
	cases := []struct{ in, want string }{
		{`zoom.us`, "zoom.us"},
		{`zoom\.us$`, "zoom.us"},
		{`(?i).*\.Zoom\.us$`, "zoom.us"},
		{`^(.*\.)?zoom\.us$`, "zoom.us"},
		{`(^|[.])a-b[.]example[.]org`, "a-b.example.org"},
		{`^zoom\.us$`, ""}, // one name, not a domain
		{`cdn[0-9]+\.example\.org`, ""},
		{`v1.2`, ""},
		{`zoom`, ""},
	}
	for _, c := range cases {
		if got, _ := MeantDomain(c.in); got != c.want {
			t.Errorf("%s: got %q, want %q", c.in, got, c.want)
		}
	}
}

func TestLooseDots(t *testing.T) {
	cases := []struct {
		in, escaped string // escaped is empty where no dot is loose
	}{
		{`zoom.us$`, `zoom[.]us$`},
		{`a.b\.c.d`, `a[.]b\.c[.]d`},
		{`[a.b]x.y`, `[a.b]x[.]y`},
		{`cdn[0-9]+.a.b`, `cdn[0-9]+[.]a[.]b`},
		{`zoom\.us`, ""},
		{`a.*b`, ""},
		{`[.]a`, ""},
		{`.us`, ""},
	}
	for _, c := range cases {
		if got := LooseDots(c.in); got != (c.escaped != "") {
			t.Errorf("%s: got %v", c.in, got)
		}
		if c.escaped != "" && EscapeDots(c.in) != c.escaped {
			t.Errorf("%s: got %s, want %s", c.in, EscapeDots(c.in), c.escaped)
		}
	}
}

func TestAnchored(t *testing.T) {
	for in, want := range map[string]bool{`zoom`: false, `^zoom`: true, `zoom$`: true, `(^|\.)zoom`: true, `a|b`: false, `\bzoom`: true} {
		if got := Anchored(in); got != want {
			t.Errorf("%s: got %v, want %v", in, got, want)
		}
	}
}

func FuzzSampleAndPlain(f *testing.F) {
	for _, s := range []string{`(^|\.)zoom\.us$`, `[^a-z]+x{3}`, `(?i)a|b`, `^(.*\.)?a\.b$`, `zoom.us`} {
		f.Add(s, "www.zoom.us")
	}
	f.Fuzz(func(t *testing.T, pattern, text string) {
		re, err := regexp.Compile(pattern)
		if err != nil || len(pattern) > 200 || strings.ContainsAny(text, "\n") || !ascii(pattern) || !ascii(text) {
			return
		}
		Sample(pattern)
		s, ok := Plain(pattern)
		if !ok {
			return
		}
		folded := strings.Contains(pattern, "(?i")
		if folded {
			text = strings.ToLower(text)
		}
		want := re.MatchString(text)
		if got := plainly(s, text); got != want && !strings.ContainsAny(pattern, "()|?*") {
			t.Fatalf("%s on %q: %v says %v, the expression %v", pattern, text, s, got, want)
		}
		if s.Kind == Domain && plainly(s, text) != want {
			t.Fatalf("%s on %q: domain %s says %v, the expression %v", pattern, text, s.Text, plainly(s, text), want)
		}
	})
}

func ascii(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r > 126 || r < 32 })
}

func plainly(s Simple, text string) bool {
	switch s.Kind {
	case Contains:
		return strings.Contains(text, s.Text)
	case Prefix:
		return strings.HasPrefix(text, s.Text)
	case Suffix:
		return strings.HasSuffix(text, s.Text)
	case Equal:
		return text == s.Text
	case Domain:
		return text == s.Text || strings.HasSuffix(text, "."+s.Text)
	}
	return false
}
