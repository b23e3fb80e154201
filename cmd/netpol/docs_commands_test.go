package main

import (
	"bytes"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/netpol/netpol/cmd/netpol/internal/cli"
)

// TestDocumentedCommandsExist holds each command line of the pages for people
// against the tool's help: the verb, and the flags written behind it.
func TestDocumentedCommandsExist(t *testing.T) {
	flag := regexp.MustCompile(`(?:^| )(--[a-z][a-z-]*)`)
	help := map[string]string{}
	found := 0
	for _, name := range pages(t) {
		for _, c := range commandLines(t, name) {
			if _, ok := help[c.verb]; !ok {
				help[c.verb] = helpOf(t, c.verb)
			}
			found++
			if help[c.verb] == "" {
				t.Errorf("%s:%d: netpol has no verb %s", name, c.line, c.verb)
				continue
			}
			for _, f := range flag.FindAllStringSubmatch(c.arguments, -1) {
				if !regexp.MustCompile(regexp.QuoteMeta(f[1]) + `\b`).MatchString(help[c.verb]) {
					t.Errorf("%s:%d: netpol %s has no %s", name, c.line, c.verb, f[1])
				}
			}
		}
	}
	if found < 100 {
		t.Errorf("got %d command lines, want at least 100", found)
	}
}

// commandLine is a call of the tool that a page shows.
type commandLine struct {
	line            int
	verb, arguments string
}

// commandLines are those of a page: the lines of fenced blocks, and what stands in
// backquotes.
func commandLines(t *testing.T, name string) []commandLine {
	t.Helper()
	page, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	fenced := regexp.MustCompile(`(?:^|[|;&] *)(?:\$ )?(?:sudo )?netpol ([a-z]+)( [^|;&#]*|$)`)
	quoted := regexp.MustCompile("`(?:sudo )?netpol ([a-z]+)( [^`]*)?`")
	prose := proseLines(t, name)
	var out []commandLine
	for i, line := range strings.Split(string(page), "\n") {
		calls := quoted
		if prose[i] == "" {
			calls = fenced
		}
		for _, m := range calls.FindAllStringSubmatch(strings.TrimSpace(line), -1) {
			out = append(out, commandLine{i + 1, m[1], m[2]})
		}
	}
	return out
}

// helpOf is what a verb, and those under it, say of themselves; empty where there
// is no such verb.
func helpOf(t *testing.T, verb string) string {
	t.Helper()
	text := runHelp(t, verb)
	_, list, _ := strings.Cut(text, "Available Commands:\n")
	for _, line := range strings.Split(list, "\n") {
		sub, _, _ := strings.Cut(strings.TrimSpace(line), " ")
		if sub == "" {
			break
		}
		text += runHelp(t, verb, sub)
	}
	return text
}

func runHelp(t *testing.T, words ...string) string {
	t.Helper()
	var out, errs bytes.Buffer
	code := cli.Run(t.Context(), append(words, "--help"), cli.Streams{In: os.Stdin, Out: &out, Err: &errs})
	if usage := "\n  netpol " + strings.Join(words, " "); code != 0 || !strings.Contains(out.String(), usage) {
		return "" // the tool's own help, which it shows for what it does not know
	}
	return out.String()
}
