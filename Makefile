# Go >= 1.26 is all that is needed; `go test ./...` is the whole test suite.
GO       ?= go
FUZZTIME ?= 20s
FUZZPKGS ?= ./...
# What reads packets, for fuzz-count.
COUNTPKGS ?= ./enforcer/dissect/... ./enforcer/flow ./enforcer/kpi ./enforcer/packet ./cmd/netpol/internal/evasion
RUNS     ?= 1000000
# Captures that others have named; see .ci/agreement.
CORPUS   ?= ../shared/corpus
# Of make peers: a capture that is there already, and how often each program runs.
BIG      ?=
ROUNDS   ?= 7
# The linter is run, not depended on: its module graph stays out of go.mod.
GOLANGCI ?= $(GO) run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0

# Sinks of netpold that are left out unless named: sink_http,sink_kafka,sink_mqtt,sink_nats,sink_otlp,sink_websocket
TAGS ?=
# Those of netpold-full.
FULL_TAGS := sink_http,sink_kafka,sink_mqtt,sink_nats,sink_otlp,sink_tls,sink_websocket,sink_zstd

# netpold's limit, in bytes, stripped, on amd64: what a router's flash can spare.
SIZE_LIMIT := 12582912

.PHONY: build full dist check test lint generate golden fuzz fuzz-count bench peers netns faults size agreement kpis otelcol demo clean

build: ## static, stripped programs in bin/
	CGO_ENABLED=0 $(GO) build -tags '$(TAGS)' -trimpath -ldflags '-s -w' -o bin/ ./cmd/netpol ./cmd/netpold

full: ## bin/netpold-full, with all sinks and what they can do besides
	CGO_ENABLED=0 $(GO) build -tags '$(FULL_TAGS)' -trimpath -ldflags '-s -w' -o bin/netpold-full ./cmd/netpold

dist: ## packages in dist/, netpol and netpol-full, for each of ARCHES: .tar.gz, .deb where dpkg-deb is, SHA256SUMS
	@GO=$(GO) FULL_TAGS='$(FULL_TAGS)' .ci/dist

check: ## before each commit
	$(GO) vet ./...
	$(MAKE) lint
	$(GO) test -short ./...

test: ## everything; kernel tests skip with a reason where namespaces are not allowed
	$(GO) test ./...

netns: ## the same, and a kernel test that cannot run is a failure
	NETPOL_REQUIRE_NETNS=1 $(GO) test -count=1 ./...

faults: ## what breaks, by injection: programs killed, disks full, clocks set, tables flushed; as root, prints the table with figures
	NETPOL_REQUIRE_NETNS=1 NETPOL_FAULTS=1 $(GO) test -count=1 -v -timeout 60m -run 'Faults|KilledAtEveryStep' \
	  ./cmd/netpol/internal/faults ./cmd/netpol/internal/router

lint:
	$(GOLANGCI) run ./...

generate: ## files made from tables (z*.go, docs/attributes.md)
	$(GO) generate ./...

golden: ## rewrite the golden files; review the difference before you commit it
	$(GO) test $$(grep -rlE 'flag\.Bool\("update"' --include='*_test.go' . | xargs -n1 dirname | sort -u | grep -vx ./cmd/netpol) -update
	$(GO) test ./cmd/netpol -run TestScripts -update # the others there are of routers, and have no golden files

fuzz: ## each fuzz test of FUZZPKGS for FUZZTIME
	@set -e; for pkg in $$($(GO) list $(FUZZPKGS)); do \
	  for f in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
	    echo "$$pkg $$f"; $(GO) test -run '^$$' -fuzz "^$$f\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x $$pkg; \
	  done; \
	done

fuzz-count: ## each fuzz test of COUNTPKGS by RUNS inputs, the same each time, without Go's fuzzer: ten times as many a second
	@out=$$(mktemp); trap 'rm -f "$$out"' EXIT; \
	NETPOL_FUZZ_RUNS=$(RUNS) $(GO) test -count=1 -timeout 0 -run '^Fuzz' -v $(COUNTPKGS) >"$$out" 2>&1 \
	  || { grep -vE '^(===|    --- PASS)' "$$out"; exit 1; }; grep 'inputs in' "$$out"

bench: ## each benchmark of Go; whole programs beside ndpiReader are `make peers`
	$(GO) test -run '^$$' -bench . -benchmem ./...
	@echo "whole programs beside ndpiReader: make peers CORPUS=$(CORPUS)"

peers: ## what a big capture of CORPUS costs netpold, netpol replay, ndpiReader and a caller of libndpi: a few minutes; BIG=capture.pcap, ROUNDS=7
	@GO=$(GO) CORPUS=$(CORPUS) BIG=$(BIG) ROUNDS=$(ROUNDS) .ci/peers

size: build
	@size=$$(wc -c < bin/netpold); echo "netpold: $$size bytes of $(SIZE_LIMIT)"; test $$size -le $(SIZE_LIMIT)

agreement: ## how far names agree with a corpus: make agreement CORPUS=../shared/corpus
	@GO=$(GO) CORPUS=$(CORPUS) .ci/agreement

kpis: ## what TCP connections did wrong, how long their handshakes took, and loss and jitter of RTP, held against tshark on CORPUS: two minutes
	NETPOL_CORPUS=$(abspath $(CORPUS)) $(GO) test -count=1 -v -run 'Agrees?WithTshark' ./cmd/netpold/daemon

otelcol: ## OpenTelemetry's collector into bin/, from its own module: tests of sink_otlp look for it in PATH
	$(GO) -C enforcer/telemetry/sink/testdata/otelcol build -trimpath -ldflags '-s -w' -o $(CURDIR)/bin/otelcol .

demo:
	$(GO) run ./cmd/netpol demo

clean:
	rm -rf bin dist
