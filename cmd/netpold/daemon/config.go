package daemon

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"github.com/netpol/netpol/enforcer"
	"github.com/netpol/netpol/enforcer/dissect"
)

// config is the command line of netpold. parseConfig fills the defaults in.
type config struct {
	stateDir  string
	runDir    string
	etcDir    string
	tool      string // the netpol that repairs
	repair    repair
	logFormat string
	logLevel  slog.Level
	maxFlows  int
	workers   int
	realtime  bool          // packets are read before other processes run
	interval  time.Duration // between readings of the counters
	panics    int           // within a minute that switch a dissector off; 0 never
	// Where metrics are served and written; empty for nowhere.
	metricsAddress, metricsFile string
	metricsHealth               bool
	bundle                      string // bundle file; empty: the state directory's
	replay                      bool
	files                       []string // captures to replay
	version                     bool
}

// defaultMaxFlows bounds the flow table. A home router tracks some thousand
// connections; this is what fits the memory limit with room to spare.
const defaultMaxFlows = 65536

// maxWorkers bounds --workers.
const maxWorkers = 64

// minInterval bounds what reading the counters costs: a million connections
// take some seconds.
const minInterval = time.Second

const usage = `Usage: netpold [flags]
       netpold --replay [--bundle FILE] CAPTURE...

The enforcer of netpol. It loads the bundle that netpol apply left in the state
directory, and waits for one if there is none yet. SIGHUP loads the bundle
again, SIGTERM writes what is decided and stops. Exit codes: 0 stopped or
replayed, 1 error.

With --replay it reads capture files instead and prints the flow_end record of
each flow as a line of JSON, and what the bundle's aggregates tell (docs/telemetry.md).

Flags:
`

func parseConfig(args []string, stderr io.Writer) (config, error) {
	var cfg config
	fs := flag.NewFlagSet("netpold", flag.ContinueOnError)
	fs.SetOutput(io.Discard) // errors are printed once, by main
	fs.StringVar(&cfg.stateDir, "state-dir", "/var/lib/netpol", "`directory` of the applied bundle; the same as netpol's")
	fs.StringVar(&cfg.runDir, "run-dir", "/run/netpol", "`directory` of the control socket; the same as netpol's")
	fs.StringVar(&cfg.etcDir, "etc-dir", "/etc", "`directory` of the label files; the same as netpol's")
	fs.StringVar(&cfg.tool, "netpol", defaultTool(), "the netpol `program` that repairs the table and takes back what nobody confirmed")
	fs.StringVar((*string)(&cfg.repair), "repair", string(repairMissing), "what to do when others change netpol's table: `off`, missing (put it back when it is gone) or any (take every change back)")
	fs.StringVar(&cfg.logFormat, "log-format", "text", "form of the log on stderr: `text or json`")
	fs.TextVar(&cfg.logLevel, "log-level", slog.LevelInfo, "least `level` to log: debug, info, warn or error")
	fs.IntVar(&cfg.maxFlows, "max-flows", defaultMaxFlows, "most flows to track at once")
	fs.IntVar(&cfg.workers, "workers", defaultWorkers(), "most `workers` that read packets; each has NFLOG groups of its own, so there are no more than log_groups in the policies, and each input has as many as this")
	fs.BoolVar(&cfg.realtime, "realtime", false, "read packets before other processes run, for up to half of a processor's time; needs CAP_SYS_NICE or RLIMIT_RTPRIO")
	fs.DurationVar(&cfg.interval, "counter-interval", enforcer.DefaultInterval, "how often flows' counters are read while a policy asks for rates or duration")
	fs.IntVar(&cfg.panics, "dissector-panics", enforcer.DefaultPanics, "`failures` of a dissector within a minute that switch it off until the next reload; 0 never does")
	fs.StringVar(&cfg.metricsAddress, "metrics-address", "", "`address` and port to serve metrics for Prometheus at, such as 127.0.0.1:9477; nowhere by default")
	fs.StringVar(&cfg.metricsFile, "metrics-file", "", "`file` to write metrics to every 15 seconds, for node_exporter's textfile collector: its name ends in .prom")
	fs.BoolVar(&cfg.metricsHealth, "metrics-health", false, "measure for metrics how connections of applications fare, also where no sink or aggregate asks for it")
	fs.StringVar(&cfg.bundle, "bundle", "", "bundle `file` to load instead of the state directory's")
	fs.BoolVar(&cfg.replay, "replay", false, "read the captures named as arguments, print the records of flows as JSON lines, and stop")
	fs.BoolVar(&cfg.version, "version", false, "print the version and stop")
	switch err := fs.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(stderr, usage)
		fs.SetOutput(stderr)
		fs.PrintDefaults()
		return config{}, err
	case err != nil:
		return config{}, fmt.Errorf("%w (see netpold --help)", err)
	}
	cfg.files = fs.Args()
	return cfg, cfg.validate()
}

func (c config) validate() error {
	switch {
	case c.logFormat != "text" && c.logFormat != "json":
		return fmt.Errorf("--log-format %q: write text or json", c.logFormat)
	case c.maxFlows < 1:
		return fmt.Errorf("--max-flows %d: the enforcer must be able to track a flow", c.maxFlows)
	case c.workers < 1 || c.workers > maxWorkers:
		return fmt.Errorf("--workers %d: between 1 and %d workers read packets", c.workers, maxWorkers)
	case c.interval < minInterval:
		return fmt.Errorf("--counter-interval %s: at least %s lie between two readings", c.interval, minInterval)
	case c.panics < 0:
		return fmt.Errorf("--dissector-panics %d: write how many, or 0 for never", c.panics)
	case c.repair != repairOff && c.repair != repairMissing && c.repair != repairAny:
		return fmt.Errorf("--repair %q: write off, missing or any", c.repair)
	case c.metricsFile != "" && filepath.Ext(c.metricsFile) != ".prom":
		return fmt.Errorf("--metrics-file %q: node_exporter reads files whose names end in .prom", c.metricsFile)
	case c.metricsHealth && !c.measures():
		return errors.New("--metrics-health: say where metrics go, with --metrics-address or --metrics-file")
	case c.replay && len(c.files) == 0:
		return errors.New("--replay: name the capture files to read")
	case !c.replay && len(c.files) > 0:
		return fmt.Errorf("unexpected argument %q (capture files need --replay)", c.files[0])
	}
	return nil
}

// fuse is the engine's.
func (c config) fuse() dissect.Fuse {
	if c.panics == 0 {
		return dissect.Fuse{Panics: -1}
	}
	return dissect.Fuse{Panics: c.panics, Within: enforcer.PanicTime}
}

// bundlePath is the file that netpold loads its bundle from.
func (c config) bundlePath() string {
	if c.bundle != "" {
		return c.bundle
	}
	return filepath.Join(c.stateDir, "bundle.npb")
}

func (c config) socketPath() string { return filepath.Join(c.runDir, "netpold.sock") }

func newLogger(c config, w io.Writer) *slog.Logger {
	opts := &slog.HandlerOptions{Level: c.logLevel}
	if c.logFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, opts))
	}
	return slog.New(slog.NewTextHandler(w, opts))
}

const (
	// baseMemory is what the catalogue, the program, the capture buffers and
	// the runtime take.
	baseMemory = 24 << 20
	// memoryPerFlow is the flow's record and its share of the reassembly
	// buffers, most of which live for the first packets only.
	memoryPerFlow = 512
)

// limitMemory makes the collector work harder near the size that netpold is
// meant to have, unless the operator set GOMEMLIMIT. The limit is soft.
func limitMemory(c config) {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(baseMemory + int64(c.maxFlows)*memoryPerFlow)
	}
}
