package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

var update = flag.Bool("update", false, "rewrite the wanted output in testdata/script")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"netpol": func() { os.Exit(run()) }, "netpold": runProfiled})
}

// TestScripts runs testdata/script/*.txtar. Besides testscript's own commands
// they may use:
//
//	generate labels N FILE    a policy file with N policies, a label each
//	generate nested N FILE    a policy file with a criterion of N bytes of parentheses
//	generate flowactions N FILE   flow actions of Netify with N labels
//	generate pcap LINK FILE   a capture with one packet of that link type
//	capture FILE HOST...      a capture with a TLS connection for each host name
//	truncate N FILE           cut a file to N bytes
//	nothing DIR               fail if the directory exists
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:           "testdata/script",
		UpdateScripts: *update,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"generate": generate,
			"capture":  capture,
			"truncate": truncate,
			"nothing":  nothing,
		},
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
	})
}

func generate(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: generate labels|nested|pcap N FILE")
	}
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	var text []byte
	switch args[0] {
	case "labels":
		for i := range n {
			text = fmt.Appendf(text, "policy \"p%d\" {\n  criteria = \"dst_port == %d\"\n  label    = \"l%d\"\n}\n\n", i, i+1, i)
		}
	case "nested":
		half := strings.Repeat("(", n/2)
		text = fmt.Appendf(text, "policy \"deep\" {\n  criteria = \"%sapp == 'zoom'%s\"\n  label    = \"deep\"\n}\n",
			half, strings.Repeat(")", n/2))
	case "flowactions":
		text = flowActions(n)
	case "pcap":
		text = emptyCapture(uint32(n))
	default:
		ts.Fatalf("generate %s: unknown", args[0])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), text, 0o644))
}

// flowActions is a file of Netify's with an action and a label for each of n
// ports.
func flowActions(n int) []byte {
	targets, actions := map[string]any{}, map[string]any{}
	for i := range n {
		name := fmt.Sprintf("l%d", i)
		targets[name] = map[string]any{"target_type": "ctlabel", "labels": []string{name}}
		actions[name] = map[string]any{"criteria": fmt.Sprintf("local_port == %d;", i+1), "targets": []string{name}}
	}
	text, err := json.Marshal(map[string]any{"targets": targets, "actions": actions})
	if err != nil {
		panic(err) // strings and maps of them
	}
	return text
}

func capture(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: capture FILE HOST...")
	}
	data, err := tlsCapture(args[1:]...)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), data, 0o644))
}

func truncate(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: truncate N FILE")
	}
	n, err := strconv.ParseInt(args[0], 10, 64)
	ts.Check(err)
	ts.Check(os.Truncate(ts.MkAbs(args[1]), n))
}

func nothing(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: nothing DIR")
	}
	if entries, err := os.ReadDir(ts.MkAbs(args[0])); err == nil {
		ts.Fatalf("%s exists, with %d entries", args[0], len(entries))
	}
}
