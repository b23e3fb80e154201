package flowfacts

import (
	"math"
	"regexp"
	"strconv"
	"strings"

	"github.com/netpol/netpol/lang/fact"
)

// quantity is a number and its unit.
var quantity = regexp.MustCompile(`^([0-9]+(?:\.[0-9]+)?) *([A-Za-z/]+)$`)

// units are what a number may be written in, by the attribute's own unit:
// decimal and binary multiples of IEC 80000-13, bits where rates are meant.
var units = map[string]map[string]float64{
	"bytes": {"b": 1, "kb": 1e3, "mb": 1e6, "gb": 1e9, "tb": 1e12, "kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30, "tib": 1 << 40},
	"bytes per second": {
		"b/s": 1, "kb/s": 1e3, "mb/s": 1e6, "gb/s": 1e9, "kib/s": 1 << 10, "mib/s": 1 << 20, "gib/s": 1 << 30,
		"bit/s": 1. / 8, "kbit/s": 1e3 / 8, "mbit/s": 1e6 / 8, "gbit/s": 1e9 / 8,
	},
	"seconds": {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400},
}

// inUnits reads a number with a unit; false if it is none.
func inUnits(a fact.Attribute, text string) (int64, bool) {
	m := quantity.FindStringSubmatch(text)
	if m == nil {
		return 0, false
	}
	factor, ok := units[a.Unit][strings.ToLower(m[2])]
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseFloat(m[1], 64)
	if n = math.Round(n * factor); err != nil || n > math.MaxInt64/2 {
		return 0, false
	}
	return int64(n), true
}
