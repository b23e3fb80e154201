package view

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/netpol/netpol/cmd/netpol/internal/policytest"
)

// maxFailures bounds the flows shown of one test: a capture may have
// thousands, and the first few tell what is wrong.
const maxFailures = 5

// TestReport writes the results of policy tests for people.
func TestReport(w io.Writer, r *policytest.Report, st Style) error {
	var b strings.Builder
	for i := range r.Results {
		testResult(&b, &r.Results[i], st)
	}
	if r.Coverage != nil {
		testCoverage(&b, r.Coverage, st)
	}
	verdict := st.in("All passed", bold, green)
	if r.Failed > 0 {
		verdict = st.in(fmt.Sprintf("%d failed", r.Failed), bold, red)
	}
	fmt.Fprintf(&b, "\n%s: %s, %d passed.\n", verdict, count(len(r.Results), "test"), r.Passed)
	_, err := io.WriteString(w, b.String())
	return err
}

func testResult(b *strings.Builder, r *policytest.Result, st Style) {
	word := st.in("PASS", bold, green)
	if !r.Passed {
		word = st.in("FAIL", bold, red)
	}
	fmt.Fprintf(b, "%s %s (%s:%d)", word, cleanLine(r.Name), cleanLine(r.File), r.Line)
	if r.PerEvaluation > 0 {
		fmt.Fprintf(b, " %d ns per evaluation", r.PerEvaluation.Nanoseconds())
	}
	b.WriteByte('\n')
	for i := range r.Failures {
		if i == maxFailures {
			fmt.Fprintf(b, "  ... and %d more.\n", len(r.Failures)-i)
			return
		}
		testFailure(b, &r.Failures[i], st)
	}
}

// testFailure shows one flow: what it is, and got over want for each value
// that differs.
func testFailure(b *strings.Builder, f *policytest.Failure, st Style) {
	if f.Error != "" {
		fmt.Fprintf(b, "  %s %s\n", st.in("error:", bold, red), cleanLine(shorten(f.Error, maxText)))
	}
	if f.Flow != "" {
		fmt.Fprintf(b, "  flow: %s\n", cleanLine(shorten(f.Flow, maxText)))
	}
	for _, m := range f.Mismatches {
		fmt.Fprintf(b, "  %s:%d: %s\n", cleanLine(m.File), m.Line, m.What)
		fmt.Fprintf(b, "    %s %s\n", st.in("got: ", red), cleanLine(shorten(m.Got, maxText)))
		fmt.Fprintf(b, "    %s %s\n", st.in("want:", green), cleanLine(shorten(m.Want, maxText)))
	}
	for _, line := range f.Why {
		fmt.Fprintf(b, "  %s\n", st.in("because "+cleanLine(shorten(line, maxText)), dim))
	}
}

// testCoverage lists what the tests do not reach.
func testCoverage(b *strings.Builder, policies []policytest.PolicyCoverage, st Style) {
	b.WriteByte('\n')
	heading(b, "Coverage", st)
	covered := 0
	for i := range policies {
		p := &policies[i]
		if p.Covered() {
			covered++
			continue
		}
		fmt.Fprintf(b, "  %s (%s:%d)\n", st.in(cleanLine(p.Name), bold), cleanLine(p.File), p.Line)
		if p.Matched == 0 {
			fmt.Fprintf(b, "    %s\n", st.in("never matched", yellow))
		}
		for _, t := range p.Terms {
			if gap := termGap(t); gap != "" {
				fmt.Fprintf(b, "    %s: %s\n", st.in(gap, yellow), cleanLine(shorten(t.Text, maxText)))
			}
		}
	}
	if len(policies) > 0 {
		fmt.Fprintf(b, "  %d of %s covered (%d %%): matched, and every term seen true and false.\n",
			covered, plural(len(policies), "policy", "policies"), covered*100/len(policies))
	}
}

func termGap(t policytest.Term) string {
	switch {
	case t.True == 0 && t.False == 0:
		return "never asked"
	case t.True == 0:
		return "never true"
	case t.False == 0:
		return "never false"
	}
	return ""
}

// plural is count for words whose plural is irregular.
func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// TestJSON writes the results of policy tests for machines, as one document.
func TestJSON(w io.Writer, r *policytest.Report) error {
	return writeJSON(w, struct {
		FormatVersion string `json:"format_version"`
		*policytest.Report
	}{FormatVersion, r})
}

// seconds is a duration as JUnit writes it.
func seconds(d time.Duration) string { return fmt.Sprintf("%.3f", d.Seconds()) }
