package quantity

import (
	"fmt"
	"math"
	"math/big"
	"regexp"
	"slices"
	"strings"
)

// Units, as lang/fact names those of attributes.
const (
	Bytes   = "bytes"
	Rate    = "bytes per second"
	Packets = "packets"
	Seconds = "seconds"
	Micros  = "microseconds"
)

// Problem is why a text is no number of a unit.
type Problem uint8

// Problems.
const (
	None     Problem = iota
	NoNumber         // another form, or a unit that is not one of those
	NotWhole         // a part of a byte, packet, second or microsecond
	TooLarge         // more than an int holds
)

// scale is one way to write a unit: size/per of the unit itself.
type scale struct {
	name      string
	size, per int64
}

// scales lists how the numbers of a unit may be written.
func scales(unit string) []scale {
	bytes := []scale{
		{"B", 1, 1},
		{"kB", 1e3, 1},
		{"MB", 1e6, 1},
		{"GB", 1e9, 1},
		{"TB", 1e12, 1},
		{"KiB", 1 << 10, 1},
		{"MiB", 1 << 20, 1},
		{"GiB", 1 << 30, 1},
		{"TiB", 1 << 40, 1},
	}
	switch unit {
	case Bytes:
		return bytes
	case Rate:
		out := []scale{
			{"bit", 1, 8},
			{"kbit", 1e3, 8},
			{"Mbit", 1e6, 8},
			{"Gbit", 1e9, 8},
		}
		return append(out, bytes...)
	case Packets:
		return []scale{{"k", 1e3, 1}, {"M", 1e6, 1}}
	case Micros:
		return []scale{{"us", 1, 1}, {"ms", 1e3, 1}, {"s", 1e6, 1}}
	case Seconds:
		return []scale{{"s", 1, 1}, {"m", 60, 1}, {"h", 3600, 1}, {"d", 86400, 1}}
	}
	return nil
}

// spelling is a scale's name, of which people also write others.
func spelling(name, unit string) string {
	if unit == Rate {
		name = strings.TrimSuffix(name, "/s")
	}
	switch name {
	case "KB":
		return "kB"
	case "kiB":
		return "KiB"
	case "Kbit":
		return "kbit"
	case "mbit":
		return "Mbit"
	case "gbit":
		return "Gbit"
	case "min":
		return "m"
	case "K":
		return "k"
	}
	return name
}

// form is a number and a unit.
var form = regexp.MustCompile(`^\s*([0-9]{1,18}(?:[.][0-9]{1,9})?)\s*([A-Za-z/]*)\s*$`)

// Parse reads a whole number; one without a unit is of the unit itself.
func Parse(text, unit string) (int, Problem) {
	n, _, ok := Number(text, unit)
	switch {
	case !ok:
		return 0, NoNumber
	case !n.IsInt():
		return 0, NotWhole
	case n.Num().Cmp(big.NewInt(math.MaxInt-1)) > 0:
		return 0, TooLarge
	}
	return int(n.Num().Int64()), None
}

// Number reads a number and says whether a unit was written.
func Number(text, unit string) (n *big.Rat, named, ok bool) {
	m := form.FindStringSubmatch(text)
	if m == nil {
		return nil, false, false
	}
	list := scales(unit)
	i := slices.IndexFunc(list, func(s scale) bool { return s.name == spelling(m[2], unit) })
	if i < 0 && m[2] != "" {
		return nil, true, false
	}
	n, ok = new(big.Rat).SetString(m[1]) // the form is one that it reads
	if i >= 0 {
		n.Mul(n, big.NewRat(list[i].size, list[i].per))
	}
	return n, i >= 0, ok
}

// Names are the units to write a number with, for messages.
func Names(unit string) string {
	var names []string
	for _, s := range scales(unit) {
		names = append(names, s.name)
	}
	return strings.Join(names, ", ")
}

// Hint knows the slips that people make; quote is what stands around a text. It
// is empty where it knows none.
func Hint(text, want, quote string) string {
	m := form.FindStringSubmatch(text)
	if m == nil {
		return ""
	}
	number, unit := m[1], m[2]
	quoted := func(unit string) string { return quote + number + unit + quote }
	if want == Micros {
		short := map[string]string{"m": "ms", "msec": "ms", "msecs": "ms", "millis": "ms", "milliseconds": "ms", "usec": "us", "micros": "us", "microseconds": "us", "sec": "s", "second": "s", "seconds": "s"}[strings.ToLower(unit)]
		if short == "" {
			return ""
		}
		return "write " + quoted(short)
	}
	if want == Seconds {
		if word := strings.TrimSuffix(strings.ToLower(unit), "s"); word == "second" || word == "sec" || word == "minute" || word == "hour" || word == "day" {
			return "write " + quoted(word[:1])
		}
		return ""
	}
	isRate := strings.HasSuffix(unit, "/s") || strings.HasSuffix(unit, "ps")
	bare := strings.TrimSuffix(strings.TrimSuffix(unit, "/s"), "ps")
	if want == Bytes && (strings.HasSuffix(strings.ToLower(bare), "bit") || isRate) {
		return "this is an amount and no rate; amounts are in bytes: " + quote + "MB" + quote
	}
	prefix, known := map[string]string{"": "", "k": "k", "K": "k", "m": "M", "M": "M", "g": "G", "G": "G"}[strings.TrimRight(bare, "bBit")]
	switch {
	case !known || want != Bytes && want != Rate:
		return ""
	case want == Rate:
		return fmt.Sprintf("write %s for bytes, or %s for bits", quoted(prefix+"B"), quoted(prefix+"bit"))
	}
	return "write " + quoted(prefix+"B")
}
