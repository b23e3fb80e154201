package resolve

import (
	"fmt"
	"math"
	"math/big"
	"regexp"
	"slices"
	"strings"

	"github.com/netpol/netpol/compiler/ir"
	"github.com/netpol/netpol/lang/diag"
	"github.com/netpol/netpol/lang/fact"
)

// Units of attributes, as lang/fact names them.
const (
	unitBytes   = "bytes"
	unitRate    = "bytes per second"
	unitPackets = "packets"
	unitSeconds = "seconds"
)

// isQuantity reports attributes whose constants may be quoted: '10MB', '18:00'.
func isQuantity(a fact.Attribute) bool {
	switch a.Unit {
	case unitBytes, unitRate, unitPackets, unitSeconds:
		return isNumeric(a.Type)
	}
	return false
}

// scale is one way to write a unit: size/per of the attribute's own.
type scale struct {
	name      string
	size, per int64
}

// scales lists how the quantities of a unit may be written.
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
	case unitBytes:
		return bytes
	case unitRate:
		out := []scale{
			{"bit", 1, 8},
			{"kbit", 1e3, 8},
			{"Mbit", 1e6, 8},
			{"Gbit", 1e9, 8},
		}
		return append(out, bytes...)
	case unitPackets:
		return []scale{{"k", 1e3, 1}, {"M", 1e6, 1}}
	case unitSeconds:
		return []scale{{"s", 1, 1}, {"m", 60, 1}, {"h", 3600, 1}, {"d", 86400, 1}}
	}
	return nil
}

// spelling is a scale as people also write it.
func spelling(name, unit string) string {
	if unit == unitRate {
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

// quantityForm is a number and a unit.
var quantityForm = regexp.MustCompile(`^\s*([0-9]{1,18}(?:[.][0-9]{1,9})?)\s*([A-Za-z/]*)\s*$`)

// quantityInterval reads '10MB', or '1MB'..'10MB'.
func (k *criterion) quantityInterval(a atom, c constant) (ir.Interval, bool) {
	low, ok := k.quantity(a, c, c.text)
	high := low
	if ok && c.kind == textRangeConstant {
		high, ok = k.quantity(a, c, c.textHigh)
	}
	if ok && low > high {
		k.fault(diag.EmptyRange, c.span, "The range '%s'..'%s' holds no number: the smaller one comes first.", c.text, c.textHigh)
		return ir.Interval{}, false
	}
	return ir.Interval{Low: low, High: high}, ok
}

// quantity reads one number with a unit.
func (k *criterion) quantity(a atom, c constant, text string) (int, bool) {
	bad := func(code, hint, format string, args ...any) (int, bool) {
		k.fault(code, c.span, format, args...).Hint = hint
		return 0, false
	}
	m := quantityForm.FindStringSubmatch(text)
	if m == nil {
		return bad(diag.InvalidQuantity, "", "'%s' is no number of %s. %s", text, a.attr.Unit, unitRule(a.attr.Unit))
	}
	list := scales(a.attr.Unit)
	i := slices.IndexFunc(list, func(s scale) bool { return s.name == spelling(m[2], a.attr.Unit) })
	one := scale{"", 1, 1}
	switch {
	case i >= 0:
		one = list[i]
	case m[2] != "":
		return bad(diag.InvalidQuantity, unitHint(m[1], m[2], a.attr.Unit), "'%s' is no number of %s. %s", text, a.attr.Unit, unitRule(a.attr.Unit))
	}
	n, _ := new(big.Rat).SetString(m[1]) // the form is one that it reads
	n.Mul(n, big.NewRat(one.size, one.per))
	switch {
	case !n.IsInt():
		return bad(diag.InvalidQuantity, "", "'%s' is no whole number of %s.", text, a.attr.Unit)
	case n.Num().Cmp(big.NewInt(math.MaxInt-1)) > 0:
		return bad(diag.NumberOutOfRange, "", "No attribute is that large.")
	}
	return int(n.Num().Int64()), true
}

// unitRule says how the quantities of a unit are written.
func unitRule(unit string) string {
	var names []string
	for _, s := range scales(unit) {
		names = append(names, s.name)
	}
	example := map[string]string{unitBytes: "'10MB'", unitRate: "'2Mbit'", unitPackets: "'10k'", unitSeconds: "'5m'"}[unit]
	return fmt.Sprintf("It is a plain number, or a text such as %s with one of the units %s.", example, strings.Join(names, ", "))
}

// unitHint knows the slips that people make.
func unitHint(number, unit, want string) string {
	if want == unitSeconds {
		if word := strings.TrimSuffix(strings.ToLower(unit), "s"); word == "second" || word == "sec" || word == "minute" || word == "hour" || word == "day" {
			return fmt.Sprintf("write '%s%s'", number, word[:1])
		}
		return ""
	}
	isRate := strings.HasSuffix(unit, "/s") || strings.HasSuffix(unit, "ps")
	bare := strings.TrimSuffix(strings.TrimSuffix(unit, "/s"), "ps")
	letter := strings.TrimRight(bare, "bBit")
	switch want {
	case unitBytes:
		if strings.HasSuffix(strings.ToLower(bare), "bit") || isRate {
			return "this is an amount and no rate; amounts are in bytes: 'MB'"
		}
	case unitRate, unitPackets, unitSeconds:
	}
	prefix := map[string]string{"": "", "k": "k", "K": "k", "m": "M", "M": "M", "g": "G", "G": "G"}
	p, known := prefix[letter]
	switch {
	case !known || want != unitBytes && want != unitRate:
		return ""
	case want == unitRate:
		return fmt.Sprintf("write '%s%sB' for bytes, or '%s%sbit' for bits", number, p, number, p)
	}
	return fmt.Sprintf("write '%s%sB'", number, p)
}

// constantsHint is the way out where an attribute of packets was to be
// calculated with.
func (k *criterion) constantsHint(name string, a fact.Attribute) string {
	switch a.Unit {
	case unitBytes:
		return "write " + name + " > '10MB'; rates, such as total_rate, can be calculated with"
	case unitPackets:
		return "write " + name + " > 100"
	}
	return ""
}
