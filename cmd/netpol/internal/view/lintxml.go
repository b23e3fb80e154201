package view

import (
	"encoding/xml"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/netpol/netpol/compiler/lint"
	"github.com/netpol/netpol/lang/diag"
)

// lintJUnitSuites is JUnit's XML as CI systems read it: a test case for each
// finding, failed; one that passes where nothing was found.
type lintJUnitSuites struct {
	XMLName xml.Name         `xml:"testsuites"`
	Suites  []lintJUnitSuite `xml:"testsuite"`
}

type lintJUnitSuite struct {
	Name     string          `xml:"name,attr"`
	Tests    int             `xml:"tests,attr"`
	Failures int             `xml:"failures,attr"`
	Cases    []lintJUnitCase `xml:"testcase"`
}

type lintJUnitCase struct {
	Name    string            `xml:"name,attr"`
	Class   string            `xml:"classname,attr"`
	File    string            `xml:"file,attr,omitempty"`
	Line    int               `xml:"line,attr,omitempty"`
	Failure *lintJUnitFailure `xml:"failure"`
}

type lintJUnitFailure struct {
	Type    string `xml:"type,attr"`
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

func lintJUnit(w io.Writer, r LintReport, _ Sources, _ Style) error {
	suite := lintJUnitSuite{Name: "netpol " + r.verb(), Tests: max(len(r.Findings), 1), Failures: len(r.Findings)}
	for _, f := range r.Findings {
		suite.Cases = append(suite.Cases, lintJUnitCase{
			Name: lintName(f) + " " + f.Subject.String(), Class: f.Subject.Filename, File: f.Subject.Filename, Line: f.Subject.Start.Line,
			Failure: &lintJUnitFailure{Type: f.Severity.String(), Message: f.Rule.Summary, Text: lintMessage(f)},
		})
	}
	if len(suite.Cases) == 0 {
		suite.Cases = []lintJUnitCase{{Name: r.verb(), Class: "netpol"}}
	}
	return writeXML(w, lintJUnitSuites{Suites: []lintJUnitSuite{suite}})
}

// checkstyleReport is Checkstyle's XML, which many CI plugins read.
type checkstyleReport struct {
	XMLName xml.Name         `xml:"checkstyle"`
	Version string           `xml:"version,attr"`
	Files   []checkstyleFile `xml:"file"`
}

type checkstyleFile struct {
	Name   string            `xml:"name,attr"`
	Errors []checkstyleError `xml:"error"`
}

type checkstyleError struct {
	Line     int    `xml:"line,attr"`
	Column   int    `xml:"column,attr"`
	Severity string `xml:"severity,attr"`
	Message  string `xml:"message,attr"`
	Source   string `xml:"source,attr"`
}

func lintCheckstyle(w io.Writer, r LintReport, _ Sources, _ Style) error {
	doc := checkstyleReport{Version: "8.0"}
	for _, f := range r.Findings { // sorted by file
		if n := len(doc.Files); n == 0 || doc.Files[n-1].Name != f.Subject.Filename {
			doc.Files = append(doc.Files, checkstyleFile{Name: f.Subject.Filename})
		}
		file := &doc.Files[len(doc.Files)-1]
		file.Errors = append(file.Errors, checkstyleError{
			Line: f.Subject.Start.Line, Column: f.Subject.Start.Column, Severity: checkstyleSeverity(f.Severity),
			Message: lintMessage(f), Source: "netpol." + strings.ReplaceAll(lintName(f), " ", "."),
		})
	}
	return writeXML(w, doc)
}

func checkstyleSeverity(s diag.Severity) string {
	if s == diag.Note {
		return "info"
	}
	return s.String()
}

func writeXML(w io.Writer, doc any) error {
	data, err := xml.MarshalIndent(doc, "", "  ")
	if err != nil {
		return fmt.Errorf("encode XML: %w", err)
	}
	_, err = fmt.Fprintf(w, "%s%s\n", xml.Header, data)
	return err
}

// lintGitHub writes workflow commands, which GitHub shows beside the lines
// (GitHub documentation, "Workflow commands for GitHub Actions").
func lintGitHub(w io.Writer, r LintReport, _ Sources, _ Style) error {
	var b strings.Builder
	for _, f := range r.Findings {
		fmt.Fprintf(&b, "::%s %stitle=%s::%s\n", githubCommand(f.Severity), githubPlace(f), githubProperty(lintName(f)+": "+f.Rule.Summary), githubData(lintMessage(f)))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func githubPlace(f lint.Finding) string {
	if f.Subject.IsZero() {
		return ""
	}
	r := f.Subject
	place := "file=" + githubProperty(r.Filename) + ",line=" + strconv.Itoa(r.Start.Line) + ",endLine=" + strconv.Itoa(max(r.End.Line, r.Start.Line))
	if r.End.Line == r.Start.Line { // columns are refused across lines
		place += ",col=" + strconv.Itoa(r.Start.Column) + ",endColumn=" + strconv.Itoa(r.End.Column)
	}
	return place + ","
}

func githubCommand(s diag.Severity) string {
	if s == diag.Note {
		return "notice"
	}
	return s.String()
}

// githubData escapes what ends a command.
func githubData(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(clean(s))
}

// githubProperty escapes what ends a property as well.
func githubProperty(s string) string {
	return strings.NewReplacer(":", "%3A", ",", "%2C").Replace(githubData(s))
}
