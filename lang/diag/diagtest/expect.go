package diagtest

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/netpol/netpol/lang/diag"
)

// marker is an expectation, written on the line that it is about:
//
//	label = "a_b" # ERROR NP0015: Invalid label name
//
// A line may have several.
var marker = regexp.MustCompile(`# (ERROR|WARNING) (NP[0-9]{4}): ([^#\n]*[^# \n])`)

// Check compares diagnostics with the markers of the files, by line, severity,
// code and summary.
func Check(t *testing.T, files map[string][]byte, got diag.List) {
	t.Helper()
	var want, have []string
	for name, src := range files {
		for i, line := range strings.Split(string(src), "\n") {
			for _, m := range marker.FindAllStringSubmatch(line, -1) {
				want = append(want, fmt.Sprintf("%s:%d: %s[%s]: %s", name, i+1, strings.ToLower(m[1]), m[2], m[3]))
			}
		}
	}
	for _, d := range got {
		have = append(have, fmt.Sprintf("%s:%d: %s[%s]: %s", d.Subject.Filename, d.Subject.Start.Line, d.Severity, d.Code, d.Summary))
	}
	slices.Sort(want)
	slices.Sort(have)
	for _, w := range want {
		if i := slices.Index(have, w); i >= 0 {
			have = slices.Delete(have, i, i+1)
			continue
		}
		t.Errorf("missing %s", w)
	}
	for _, h := range have {
		t.Errorf("unexpected %s", h)
	}
}

// Text writes diagnostics with the source that each is about, for goldens.
func Text(files map[string][]byte, list diag.List) string {
	var b strings.Builder
	for _, d := range list {
		src := files[d.Subject.Filename]
		subject := ""
		if end := d.Subject.End.Byte; end <= len(src) && d.Subject.Start.Byte <= end {
			subject = string(src[d.Subject.Start.Byte:end])
		}
		fmt.Fprintf(&b, "%s-%d:%d %q\n  %s[%s]: %s\n  %s\n", d.Subject, d.Subject.End.Line, d.Subject.End.Column, subject, d.Severity, d.Code, d.Summary, d.Detail)
		if d.Hint != "" {
			fmt.Fprintf(&b, "  %s\n", d.Hint)
		}
	}
	return b.String()
}
