package daemon

import (
	"errors"
	"flag"
	"io"
	"log/slog"
	"strings"
	"testing"
)

func TestParseConfigDefaults(t *testing.T) {
	got, err := parseConfig(nil, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	want := config{
		stateDir: "/var/lib/netpol", runDir: "/run/netpol", logFormat: "text",
		logLevel: slog.LevelInfo, maxFlows: defaultMaxFlows, workers: defaultWorkers(), files: []string{},
	}
	if got.bundlePath() != "/var/lib/netpol/bundle.npb" || got.socketPath() != "/run/netpol/netpold.sock" {
		t.Errorf("got paths %s and %s", got.bundlePath(), got.socketPath())
	}
	got.files, want.files = nil, nil
	if got.stateDir != want.stateDir || got.runDir != want.runDir || got.logFormat != want.logFormat ||
		got.logLevel != want.logLevel || got.maxFlows != want.maxFlows || got.workers != want.workers || got.replay || got.version || got.realtime {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestParseConfigRepair(t *testing.T) {
	for _, mode := range []repair{"", repairOff, repairMissing, repairAny} {
		args, want := []string{"--repair", string(mode)}, mode
		if mode == "" {
			args, want = nil, repairMissing
		}
		if got, err := parseConfig(args, io.Discard); err != nil || got.repair != want || got.etcDir != "/etc" || got.tool == "" {
			t.Errorf("%v: got %+v, %v", args, got, err)
		}
	}
	if _, err := parseConfig([]string{"--repair", "all"}, io.Discard); err == nil || !strings.Contains(err.Error(), "off, missing or any") {
		t.Errorf("got %v, want the values", err)
	}
}

func TestParseConfigReplay(t *testing.T) {
	got, err := parseConfig([]string{"--replay", "--bundle", "b.npb", "--log-level", "warn", "a.pcap", "b.pcap"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if !got.replay || got.bundlePath() != "b.npb" || got.logLevel != slog.LevelWarn || strings.Join(got.files, " ") != "a.pcap b.pcap" {
		t.Errorf("got %+v", got)
	}
}

func TestParseConfigRefuses(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"log format", "--log-format xml", "write text or json"},
		{"log level", "--log-level loud", "log-level"},
		{"panics below none", "--dissector-panics -1", "--dissector-panics -1: write how many, or 0 for never"},
		{"no time between readings", "--counter-interval 0s", "at least 1s"},
		{"no flows", "--max-flows 0", "must be able to track"},
		{"no workers", "--workers 0", "--workers 0: between 1 and 64 workers read packets"},
		{"metrics that nobody reads", "--metrics-file /run/metrics", "end in .prom"},
		{"replay of nothing", "--replay", "name the capture files"},
		{"capture without replay", "a.pcap", "need --replay"},
		{"unknown flag", "--frobnicate", "not defined"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := parseConfig(strings.Fields(tt.in), io.Discard)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got error %v, want one with %q", err, tt.want)
			}
		})
	}
}

func TestParseConfigHelp(t *testing.T) {
	var help strings.Builder
	if _, err := parseConfig([]string{"--help"}, &help); !errors.Is(err, flag.ErrHelp) {
		t.Errorf("got error %v", err)
	}
	for _, word := range []string{"-state-dir", "-max-flows", "Exit codes", "SIGHUP"} {
		if !strings.Contains(help.String(), word) {
			t.Errorf("help lacks %q:\n%s", word, help.String())
		}
	}
}
