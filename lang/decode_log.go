package lang

import (
	"fmt"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/netpol/netpol/lang/diag"
)

// maxPrefixBytes leaves room for the space: the kernel takes 127 bytes
// (NF_LOG_PREFIXLEN, linux/netfilter/nf_log.h).
const maxPrefixBytes = 126

// noLimit is the log_rate that logs each packet.
const noLimit = "none"

// log reads log and log_rate.
func (d *decoder) log(b *hclsyntax.Block) *Log {
	d.belongs(b, "log_rate", "log", "says how much is logged. Write log = true, or leave log_rate out")
	limit := d.logLimit(b)
	t, on := d.switched(b, "log", `true or a prefix such as "guests:"`)
	if !on {
		return nil
	}
	l := &Log{Limit: limit, Range: t.Range}
	if t.Value == "" {
		return l
	}
	if why := badPrefix(t.Value); why != "" {
		d.diags.Add(diag.New(diag.InvalidPrefix, t.Range, fmt.Sprintf("%q cannot stand before a line of the log: %s.", t.Value, why)))
		return nil
	}
	if l.Prefix = t.Value; t.Value[len(t.Value)-1] != ' ' {
		l.Prefix += " "
	}
	return l
}

// logLimit is how many lines there may be; one a second unless written.
func (d *decoder) logLimit(b *hclsyntax.Block) *Limit {
	usual := &Limit{Rate: 1, Unit: time.Second, Burst: minBurstPackets}
	t := d.text(b, "log_rate", `"1/second"`)
	if t.Range.IsZero() {
		return usual
	}
	if t.Value == noLimit {
		return nil
	}
	l := d.limit(t)
	switch {
	case l == nil:
		return usual
	case l.Bytes:
		d.diags.Add(diag.New(diag.InvalidQuantity, t.Range, fmt.Sprintf("Lines are counted, not bytes: a log_rate is written \"10/second\" or \"30/minute\", or %q for a line for each packet.", noLimit)))
		return usual
	}
	return l
}

// prefixSigns are the signs of a prefix besides letters, digits and spaces:
// those that are the same in the kernel and in nft's text.
const prefixSigns = "-_./:(),+;=<>[]#@"

// badPrefix says what is wrong with a prefix. It stands in a line of the log and
// in nft's quotes, which know no escapes.
func badPrefix(s string) string {
	if len(s) > maxPrefixBytes {
		return fmt.Sprintf("it is longer than %d bytes", maxPrefixBytes)
	}
	for i := range len(s) {
		if c := s[i]; !isLetter(c) && !isDigit(c) && c != ' ' && !strings.ContainsRune(prefixSigns, rune(c)) {
			return "it holds letters, digits, spaces and " + prefixSigns + " only"
		}
	}
	return ""
}
