package view

import (
	"encoding/json"
	"io"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/netpol/netpol/compiler/lint"
	"github.com/netpol/netpol/lang/diag"
)

// SARIF 2.1.0 (OASIS Standard), as far as code scanning reads it. The structs
// are our own because the library for it links an HTTP client into the tool;
// the tests hold the output against the standard's schema with that library.
type sarifLog struct {
	Schema  string     `json:"$schema"`
	Version string     `json:"version"`
	Runs    []sarifRun `json:"runs"`
}

type sarifRun struct {
	Tool    sarifTool     `json:"tool"`
	Results []sarifResult `json:"results"`
}

type sarifTool struct {
	Driver sarifDriver `json:"driver"`
}

type sarifDriver struct {
	Name           string      `json:"name"`
	InformationURI string      `json:"informationUri"`
	Rules          []sarifRule `json:"rules,omitempty"`
}

type sarifRule struct {
	ID               string          `json:"id"`
	Name             string          `json:"name,omitempty"`
	ShortDescription sarifText       `json:"shortDescription"`
	HelpURI          string          `json:"helpUri,omitempty"`
	Configuration    sarifConfig     `json:"defaultConfiguration"`
	Properties       sarifProperties `json:"properties,omitzero"`
}

type sarifConfig struct {
	Level string `json:"level"`
}

type sarifProperties struct {
	Tags []string `json:"tags,omitempty"`
}

type sarifText struct {
	Text string `json:"text"`
}

type sarifResult struct {
	RuleID              string            `json:"ruleId"`
	RuleIndex           int               `json:"ruleIndex"`
	Level               string            `json:"level"`
	Message             sarifText         `json:"message"`
	Locations           []sarifLocation   `json:"locations,omitempty"`
	RelatedLocations    []sarifLocation   `json:"relatedLocations,omitempty"`
	PartialFingerprints map[string]string `json:"partialFingerprints"`
}

type sarifLocation struct {
	Physical sarifPhysical `json:"physicalLocation"`
	Message  *sarifText    `json:"message,omitempty"`
}

type sarifPhysical struct {
	Artifact sarifArtifact `json:"artifactLocation"`
	Region   sarifRegion   `json:"region"`
}

type sarifArtifact struct {
	URI string `json:"uri"`
}

type sarifRegion struct {
	StartLine   int `json:"startLine"`
	StartColumn int `json:"startColumn"`
	EndLine     int `json:"endLine"`
	EndColumn   int `json:"endColumn"`
}

const (
	sarifSchema = "https://json.schemastore.org/sarif-2.1.0.json"
	projectURI  = "https://github.com/netpol/netpol"
)

func lintSARIF(w io.Writer, r LintReport, _ Sources, _ Style) error {
	run := sarifRun{Tool: sarifTool{sarifDriver{Name: "netpol " + r.verb(), InformationURI: projectURI}}, Results: []sarifResult{}}
	index := map[string]int{}
	add := func(rule lint.Rule, s diag.Severity) {
		if _, ok := index[rule.ID]; !ok {
			index[rule.ID] = len(run.Tool.Driver.Rules)
			run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRuleOf(rule, s))
		}
	}
	if r.verb() == "lint" {
		for _, rule := range lint.Rules() {
			add(rule, rule.Severity)
		}
	}
	for _, f := range r.Findings {
		add(f.Rule, f.Severity) // an error of the compiler
		run.Results = append(run.Results, sarifResultOf(f, index[f.Rule.ID]))
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(sarifLog{Schema: sarifSchema, Version: "2.1.0", Runs: []sarifRun{run}})
}

func sarifRuleOf(r lint.Rule, s diag.Severity) sarifRule {
	out := sarifRule{ID: r.ID, Name: r.Slug, ShortDescription: sarifText{r.Summary}, Configuration: sarifConfig{s.String()}}
	if r.Slug != "" {
		out.HelpURI = projectURI + "/blob/main/docs/lint/" + r.Page()
		out.Properties.Tags = []string{string(r.Category)}
	}
	return out
}

func sarifResultOf(f lint.Finding, index int) sarifResult {
	out := sarifResult{
		RuleID: f.Rule.ID, RuleIndex: index, Level: f.Severity.String(), Message: sarifText{lintMessage(f)},
		PartialFingerprints: map[string]string{"netpolFinding/v1": lintFingerprint(f)},
	}
	if !f.Subject.IsZero() {
		out.Locations = []sarifLocation{{Physical: sarifPlace(f.Subject)}}
	}
	for _, p := range f.Related {
		if !p.Range.IsZero() {
			out.RelatedLocations = append(out.RelatedLocations, sarifLocation{Physical: sarifPlace(p.Range), Message: &sarifText{p.Text}})
		}
	}
	return out
}

func sarifPlace(r diag.Range) sarifPhysical {
	uri := url.URL{Path: strings.TrimPrefix(filepath.ToSlash(r.Filename), "./")}
	return sarifPhysical{
		Artifact: sarifArtifact{uri.EscapedPath()},
		Region: sarifRegion{
			StartLine: max(r.Start.Line, 1), StartColumn: max(r.Start.Column, 1), EndLine: max(r.End.Line, r.Start.Line, 1), EndColumn: max(r.End.Column, 1),
		},
	}
}
