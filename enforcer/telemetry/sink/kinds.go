package sink

import (
	"slices"
	"time"

	"github.com/netpol/netpol/compiler/artifact"
)

// opener opens the place of a kind of sink.
type opener struct {
	kind artifact.SinkKind
	open func(*runner) (target, error)
	// linger is how long records wait for others to go with them.
	linger time.Duration
}

// kinds are the kinds of sinks that this program has: those whose libraries are
// large only if it was built with their tags.
func kinds() []opener {
	list := []opener{
		{kind: artifact.SinkFile, open: openFile},
		{kind: artifact.SinkIPFIX, open: dialIPFIX, linger: 100 * time.Millisecond},
		{kind: artifact.SinkStdout, open: openStdout},
		{kind: artifact.SinkSyslog, open: dialSyslog},
		{kind: artifact.SinkTCP, open: (*runner).listen},
		{kind: artifact.SinkUDP, open: dialUDP},
		{kind: artifact.SinkUnix, open: (*runner).listen},
		{kind: artifact.SinkUnixgram, open: dialUnixgram},
	}
	return slices.Concat(list, kindsHTTP(), kindsKafka(), kindsMQTT(), kindsNATS(), kindsWebSocket())
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
