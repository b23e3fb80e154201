package netify

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/netpol/netpol/lang/fact"
	"github.com/netpol/netpol/lang/importer"
)

// domain is the values that a numeric attribute can have in netpol.
type domain struct{ low, high int64 }

// domains of attributes that are not ports or TLS versions; others have none.
var domains = map[string]domain{
	"ip_protocol": {0, math.MaxUint8},
	"vlan_id":     {0, 4095}, // IEEE 802.1Q: 12 bits
	"ip_dscp":     {0, 63},
	"tls_cipher":  {0, math.MaxUint16},
	"ct_mark":     {0, math.MaxUint32},
	"confidence":  {0, 100},
}

// maxCounter is the greatest number that criteria can hold: 18 digits.
const maxCounter = 1e18 - 1

func domainOf(f fact.Attribute) (domain, bool) {
	if f.Type == fact.Port || f.Type == fact.TLSVersion {
		return domain{0, math.MaxUint16}, true
	}
	if d, ok := domains[f.Name]; ok {
		return d, true
	}
	return domain{0, maxCounter}, f.Type == fact.Number && f.Unit != ""
}

// number converts a comparison with a number.
func (k *converter) number(s subject) importer.Condition {
	switch s.fact.Type {
	case fact.ApplicationName, fact.ProtocolName, fact.CategoryName, fact.BrandName:
		k.fail(importer.NumericID, s.value.from, s.value.to, "%s %s is a number of Netify's, which means something else after an update of its signatures and nothing here. Write the name.", s.attr.name, s.value.text)
		return k.draft(s.compare)
	case fact.Number, fact.Port, fact.TLSVersion:
	default:
		return k.mismatch(s)
	}
	op, n, fixedTo, ok := wholeNumber(s.op, s.value.text)
	if !ok {
		k.fail(importer.NotConverted, s.value.from, s.value.to, "The number is out of range.")
		return k.draft(s.compare)
	}
	if fixedTo == nil {
		fixedTo = outside(op, n, s.fact)
	}
	if fixedTo != nil {
		k.constant(s, *fixedTo)
		return importer.Fixed(*fixedTo)
	}
	return k.order(s, op, n)
}

// order writes a comparison with a number that the attribute can have.
func (k *converter) order(s subject, op string, n int64) importer.Condition {
	width := "%d"
	if s.fact.Type == fact.TLSVersion {
		width = "0x%04x"
	}
	small := op == "<" || op == "<="
	if small && (s.fact.Type == fact.Port || s.fact.Type == fact.TLSVersion || s.fact.Name == "tls_cipher") {
		// 0 stands for "not known". Netify counts it as smaller; netpol's < does
		// not, but a range can hold it.
		if op == "<" {
			n--
		}
		op = "in"
	}
	if s.fact.Type == fact.TLSVersion && !isTLSVersion(n) {
		k.fail(importer.NotConverted, s.value.from, s.value.to, "netpol compares TLS versions with 0x0300 to 0x0304 only.")
		return k.draft(s.compare)
	}
	switch {
	case op == "in" && n == 0:
		return importer.NewAtom(s.name + " == 0")
	case op == "in":
		return importer.NewAtom(fmt.Sprintf("%s in 0.."+width, s.name, n))
	case n == 0:
		return importer.NewAtom(s.name + " " + op + " 0")
	}
	return importer.NewAtom(fmt.Sprintf("%s %s "+width, s.name, op, n))
}

func isTLSVersion(n int64) bool { return n == 0 || 0x0300 <= n && n <= 0x0304 }

// outside says that a comparison is the same for every value the attribute can
// have; nil when it is not.
func outside(op string, n int64, f fact.Attribute) *bool {
	if f.Name == "ip_version" {
		if n == 4 || n == 6 {
			return nil
		}
		return pointer(op == "!=")
	}
	d, ok := domainOf(f)
	if !ok {
		return nil
	}
	switch {
	case op == "==" && (n < d.low || n > d.high), op == "<" && n <= d.low, op == "<=" && n < d.low, op == ">" && n >= d.high, op == ">=" && n > d.high:
		return pointer(false)
	case op == "!=" && (n < d.low || n > d.high), op == "<" && n > d.high, op == "<=" && n >= d.high, op == ">" && n < d.low, op == ">=" && n <= d.low:
		return pointer(true)
	}
	return nil
}

func pointer(v bool) *bool { return &v }

// wholeNumber makes a comparison with a whole number of one that may have a
// fraction: > 1.5 is >= 2. With == the outcome is fixed.
func wholeNumber(op, text string) (string, int64, *bool, bool) {
	text = strings.TrimPrefix(text, "+")
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return op, n, nil, true
	}
	if digits, ok := strings.CutPrefix(strings.ToLower(text), "0x"); ok {
		n, err := strconv.ParseInt(digits, 16, 64)
		return op, n, nil, err == nil
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || math.Abs(f) > 1<<53 {
		return op, 0, nil, false
	}
	whole := int64(math.Floor(f))
	switch {
	case float64(whole) == f:
		return op, whole, nil, true
	case op == "==" || op == "!=":
		return op, 0, pointer(op == "!="), true
	case op == "<" || op == "<=":
		return "<=", whole, nil, true
	}
	return ">=", whole + 1, nil, true
}
