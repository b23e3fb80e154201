package view

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/netpol/netpol/cmd/netpol/internal/policytest"
)

// The elements of a JUnit report that CI systems read (the schema of Jenkins'
// xUnit plugin): one suite a file.
type testSuites struct {
	XMLName  xml.Name    `xml:"testsuites"`
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Time     string      `xml:"time,attr"`
	Suites   []testSuite `xml:"testsuite"`
}

type testSuite struct {
	Name     string     `xml:"name,attr"`
	Tests    int        `xml:"tests,attr"`
	Failures int        `xml:"failures,attr"`
	Time     string     `xml:"time,attr"`
	Cases    []testCase `xml:"testcase"`
	elapsed  time.Duration
}

type testCase struct {
	Name    string     `xml:"name,attr"`
	Class   string     `xml:"classname,attr"`
	File    string     `xml:"file,attr"`
	Line    int        `xml:"line,attr"`
	Time    string     `xml:"time,attr"`
	Failure *testFault `xml:"failure"`
}

type testFault struct {
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

// TestJUnit writes the results of policy tests as JUnit XML.
func TestJUnit(w io.Writer, r *policytest.Report) error {
	doc := testSuites{Name: "netpol test", Tests: len(r.Results), Failures: r.Failed}
	var total time.Duration
	for i := range r.Results {
		result := &r.Results[i]
		if n := len(doc.Suites); n == 0 || doc.Suites[n-1].Name != result.File {
			doc.Suites = append(doc.Suites, testSuite{Name: result.File})
		}
		s := &doc.Suites[len(doc.Suites)-1]
		s.Tests++
		s.elapsed += result.Elapsed
		s.Time = seconds(s.elapsed)
		total += result.Elapsed
		c := testCase{Name: result.Name, Class: result.File, File: result.File, Line: result.Line, Time: seconds(result.Elapsed)}
		if !result.Passed {
			s.Failures++
			c.Failure = testFailed(result)
		}
		s.Cases = append(s.Cases, c)
	}
	doc.Time = seconds(total)
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", "  ")
	if err := enc.Encode(doc); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func testFailed(r *policytest.Result) *testFault {
	var b strings.Builder
	for i := range r.Failures {
		testFailure(&b, &r.Failures[i], Style{})
	}
	return &testFault{Message: fmt.Sprintf("%s did not become what was expected", count(len(r.Failures), "flow")), Text: b.String()}
}
