package sink

import (
	"slices"
	"time"

	"github.com/netpol/netpol/compiler/artifact"
)

// What goes to a file or to standard output goes there some hundred times a second, or when so much
// is there, or a quarter of the queue: a write costs a wake-up, a look at the file and a system call, as much as making five
// records, and what has waited longer than the processor's cache lasts is read from memory.
const (
	streamLinger = 10 * time.Millisecond
	streamBatch  = 1 << 20
)

// opener opens the place of a kind of sink.
type opener struct {
	kind artifact.SinkKind
	open func(*runner) (target, error)
	// linger is how long records wait for others to go with them, unless batch bytes are
	// there before; 0 is half of the queue.
	linger time.Duration
	batch  int
}

// kinds are the kinds of sinks that this program has: those whose libraries are
// large only if it was built with their tags.
func kinds() []opener {
	list := []opener{
		{kind: artifact.SinkFile, open: openFile, linger: streamLinger, batch: streamBatch},
		{kind: artifact.SinkIPFIX, open: dialIPFIX, linger: 100 * time.Millisecond},
		{kind: artifact.SinkStdout, open: openStdout, linger: streamLinger, batch: streamBatch},
		{kind: artifact.SinkSyslog, open: dialSyslog},
		{kind: artifact.SinkTCP, open: (*runner).listen},
		{kind: artifact.SinkUDP, open: dialUDP},
		{kind: artifact.SinkUnix, open: (*runner).listen},
		{kind: artifact.SinkUnixgram, open: dialUnixgram},
	}
	return slices.Concat(list, kindsHTTP(), kindsKafka(), kindsMQTT(), kindsNATS(), kindsOTLP(), kindsWebSocket())
}

// Extras lists what sinks of this program can do besides, if it was built with it: TLS
// of syslog and ipfix, and ways to compress.
func Extras() []string {
	out := []string{"gzip"}
	if haveTLS {
		out = append(out, "tls")
	}
	if haveZstd {
		out = append(out, "zstd")
	}
	return out
}

// Kinds lists them by name.
func Kinds() []string {
	var out []string
	for _, k := range kinds() {
		out = append(out, string(k.kind))
	}
	return out
}
