package resolve

import (
	"fmt"

	"github.com/netpol/netpol/compiler/ir"
	"github.com/netpol/netpol/lang/diag"
	"github.com/netpol/netpol/lang/fact"
	"github.com/netpol/netpol/lang/quantity"
)

// isQuantity reports attributes whose constants may be quoted: '10MB', '18:00'.
func isQuantity(a fact.Attribute) bool {
	switch a.Unit {
	case quantity.Bytes, quantity.Rate, quantity.Packets, quantity.Seconds, quantity.Micros:
		return isNumeric(a.Type)
	}
	return false
}

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
	n, problem := quantity.Parse(text, a.attr.Unit)
	switch problem {
	case quantity.None:
		return n, true
	case quantity.NoNumber:
		k.fault(diag.InvalidQuantity, c.span, "'%s' is not a number of %s. %s", text, a.attr.Unit, unitRule(a.attr.Unit)).Hint = quantity.Hint(text, a.attr.Unit, "'")
	case quantity.NotWhole:
		k.fault(diag.InvalidQuantity, c.span, "'%s' is no whole number of %s.", text, a.attr.Unit)
	case quantity.TooLarge:
		k.fault(diag.NumberOutOfRange, c.span, "No attribute is that large.")
	}
	return 0, false
}

// unitRule says how the quantities of a unit are written.
func unitRule(unit string) string {
	example := map[string]string{quantity.Bytes: "'10MB'", quantity.Rate: "'2Mbit'", quantity.Packets: "'10k'", quantity.Seconds: "'5m'", quantity.Micros: "'20ms'"}[unit]
	return fmt.Sprintf("It is a plain number, or a text such as %s with one of the units %s.", example, quantity.Names(unit))
}

// constantsHint is the way out where an attribute of packets was to be
// calculated with.
func (k *criterion) constantsHint(name string, a fact.Attribute) string {
	switch a.Unit {
	case quantity.Bytes:
		return "write " + name + " > '10MB'; rates, such as total_rate, can be calculated with"
	case quantity.Packets:
		return "write " + name + " > 100"
	}
	return ""
}
