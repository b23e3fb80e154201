package resolve

import (
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/netpol/netpol/compiler/ir"
	"github.com/netpol/netpol/lang/diag"
	"github.com/netpol/netpol/lang/fact"
	"github.com/netpol/netpol/lang/quantity"
	"github.com/netpol/netpol/lang/suggest"
)

// numberDomain is the values that a numeric attribute can have. least is the smallest
// value that < and <= hold for: 0 means "not known" for ports, TLS versions and times that
// are measured, and what is not known is not small.
type numberDomain struct{ low, least, high int }

func domainOf(a fact.Attribute) numberDomain {
	switch {
	case a.Type == fact.Port:
		return numberDomain{0, 1, math.MaxUint16}
	case a.Type == fact.TLSVersion, a.Name == "tls_cipher":
		return numberDomain{0, 1, math.MaxUint16}
	case a.Name == "ip_protocol":
		return numberDomain{0, 0, math.MaxUint8}
	case a.Name == "ip_dscp":
		return numberDomain{0, 0, 63} // RFC 2474: 6 bits
	case a.Unit == quantity.Micros:
		return numberDomain{0, 1, math.MaxInt}
	case a.Name == "confidence", a.Name == "rtp_loss":
		return numberDomain{0, 0, 100}
	case a.Name == "ip_version":
		return numberDomain{4, 4, 6}
	case a.Name == "vlan_id":
		return numberDomain{0, 0, 4095} // IEEE 802.1Q: 12 bits
	case a.Name == markName:
		return numberDomain{0, 0, int(min(uint64(math.MaxUint32), uint64(math.MaxInt)))}
	case a.Type == fact.TimeOfDay:
		return numberDomain{0, 0, secondsOfDay - 1}
	case isQuantity(a):
		return numberDomain{0, 0, math.MaxInt}
	}
	return numberDomain{math.MinInt, math.MinInt, math.MaxInt}
}

// numberAtom resolves a numeric attribute against constants.
func (k *criterion) numberAtom(a atom, constants []constant) (ir.Expr, bool) {
	d := domainOf(a.attr)
	var intervals []ir.Interval
	masked := map[uint32][]ir.Interval{}
	ok := true
	for _, c := range constants {
		list, mask, good := k.intervals(a, c)
		ok = ok && good
		if mask != 0 {
			masked[mask] = append(masked[mask], list...)
			continue
		}
		for _, i := range list {
			intervals = append(intervals, compareInterval(a.op, i, d))
		}
	}
	if !ok {
		return nil, false
	}
	intervals = mergeIntervals(intervals)
	at := k.at(a.span)
	if len(masked) > 0 {
		return k.maskedAtom(a, masked, intervals), true
	}
	switch {
	case len(intervals) == 0:
		k.warnConstant(a.span, false)
		return &ir.Const{Value: false, Range: at}, true
	case intervals[0].Low <= d.low && intervals[0].High >= d.high && a.op != "!=":
		k.warnConstant(a.span, true)
		return &ir.Const{Value: true, Range: at}, true
	}
	return &ir.Compare{Attr: a.attr, Op: ir.OpRange, Ranges: intervals, Range: at, Text: k.slice(a.span)}, true
}

// compareInterval is the values x for which "x op i" holds; for != those of ==.
func compareInterval(op string, i ir.Interval, d numberDomain) ir.Interval {
	switch op {
	case "<":
		return ir.Interval{Low: d.least, High: i.Low - 1}
	case "<=":
		return ir.Interval{Low: d.least, High: i.High}
	case ">":
		return ir.Interval{Low: i.High + 1, High: d.high}
	case ">=":
		return ir.Interval{Low: i.Low, High: d.high}
	}
	return i
}

// mergeIntervals sorts intervals, drops empty ones and joins those that touch.
func mergeIntervals(list []ir.Interval) []ir.Interval {
	slices.SortFunc(list, func(a, b ir.Interval) int {
		if a.Low < b.Low {
			return -1
		} else if a.Low > b.Low {
			return 1
		}
		return 0
	})
	var out []ir.Interval
	for _, i := range list {
		if i.Low > i.High {
			continue
		}
		if n := len(out); n > 0 && i.Low <= out[n-1].High+1 {
			out[n-1].High = max(out[n-1].High, i.High)
			continue
		}
		out = append(out, i)
	}
	return out
}

// intervals reads one constant of a numeric attribute. The mask is 0 unless the
// intervals are of some bits of it.
func (k *criterion) intervals(a atom, c constant) ([]ir.Interval, uint32, bool) {
	switch {
	case a.op != "in" && (c.kind == rangeConstant || c.kind == textRangeConstant):
		k.fault(diag.WrongOperator, a.span, "A range stands after in.").Hint = fmt.Sprintf("write %s in %s", a.name, k.slice(c.span))
		return nil, 0, false
	case a.attr.Type == fact.TimeOfDay:
		list, ok := k.timeIntervals(a, c)
		return list, 0, ok
	case a.attr.Name == markName && c.kind == stringConstant:
		return k.markIntervals(a, c)
	}
	i, ok := k.interval(a, c)
	return []ir.Interval{i}, 0, ok
}

// interval reads one constant of a numeric attribute that stands for one
// stretch of numbers.
func (k *criterion) interval(a atom, c constant) (ir.Interval, bool) {
	var n ir.Interval
	ok := true
	switch {
	case a.attr.Type == fact.TLSVersion:
		n, ok = k.tlsInterval(c)
	case c.kind == numberConstant || c.kind == rangeConstant:
		n = ir.Interval{Low: c.low, High: c.high}
	case c.kind == stringConstant && a.attr.Name == "ip_protocol":
		n, ok = k.ipProtocol(c)
	case c.kind == stringConstant && a.attr.Name == "tls_cipher":
		n, ok = k.tlsCipher(c)
	case isQuantity(a.attr) && (c.kind == stringConstant || c.kind == textRangeConstant):
		n, ok = k.quantityInterval(a, c)
	default:
		ok = false
		hint := ""
		if _, err := strconv.Atoi(c.text); err == nil {
			hint = "write " + c.text + " without quotes"
		}
		if m := quotedRange.FindStringSubmatch(c.text); m != nil {
			hint = fmt.Sprintf("write %s in %s..%s", a.name, m[1], m[2])
		} else if quotedList.MatchString(c.text) {
			hint = fmt.Sprintf("write %s in [%s]", a.name, strings.Join(strings.FieldsFunc(c.text, func(r rune) bool { return r == ',' || r == ' ' }), ", "))
		}
		k.fault(diag.WrongConstant, c.span, "%s is %s and cannot be compared with a %s.", a.name, withArticle(a.attr.Type), c.kind).Hint = hint
	}
	if !ok {
		return n, false
	}
	return n, k.checkDomain(a, c, n)
}

// Numbers as other programs write several of them.
var (
	quotedRange = regexp.MustCompile(`^([0-9]+) *[-:] *([0-9]+)$`)
	quotedList  = regexp.MustCompile(`^[0-9]+( *, *[0-9]+)+$`)
)

// checkDomain reports a constant that the attribute can never have.
func (k *criterion) checkDomain(a atom, c constant, n ir.Interval) bool {
	d := domainOf(a.attr)
	code := diag.NumberOutOfRange
	if a.attr.Type == fact.Port {
		code = diag.InvalidPort
	}
	if n.Low < d.low && d.high == math.MaxInt {
		k.fault(code, c.span, "%s is never less than %d.", a.name, d.low)
		return false
	}
	if n.Low < d.low || n.High > d.high {
		k.fault(code, c.span, "%s is a number from %d to %d.", a.name, d.low, d.high)
		return false
	}
	if a.attr.Name == "ip_version" && n.Low == 5 && n.High == 5 {
		k.fault(code, c.span, "ip_version is 4 or 6.")
		return false
	}
	return true
}

// protocolNumbers are the names that ip_protocol may be compared with (IANA
// protocol numbers).
func protocolNumbers() map[string]int {
	return map[string]int{"icmp": 1, "igmp": 2, "tcp": 6, "udp": 17, "gre": 47, "esp": 50, "ah": 51, "icmpv6": 58, "sctp": 132}
}

func (k *criterion) ipProtocol(c constant) (ir.Interval, bool) {
	numbers := protocolNumbers()
	n, ok := numbers[strings.ToLower(c.text)]
	if !ok {
		known := slices.Sorted(maps.Keys(numbers))
		d := k.fault(diag.WrongConstant, c.span, "ip_protocol is a number or one of %s.", strings.Join(known, ", "))
		d.Hint = suggest.Hint(c.text, known)
		if slices.Contains(k.r.names.protocols, strings.ToLower(c.text)) {
			d.Hint = fmt.Sprintf("write protocol == '%s'", strings.ToLower(c.text))
		}
	}
	return ir.Interval{Low: n, High: n}, ok
}

// tlsCipher reads the registered name of a cipher suite.
func (k *criterion) tlsCipher(c constant) (ir.Interval, bool) {
	n, ok := fact.CipherNumber(c.text)
	if !ok {
		k.fault(diag.WrongConstant, c.span, "tls_cipher is a number such as 0x1301, or the registered name of a common cipher suite such as 'TLS_AES_128_GCM_SHA256'.").
			Hint = suggest.Hint(strings.ToUpper(c.text), fact.CipherNames())
	}
	return ir.Interval{Low: n, High: n}, ok
}

// tlsInterval reads a TLS version: '1.2', 'tls1.2', 'TLSv1.2', 1.2 or 0x0303
// (RFC 8446 section 4.1.2); 0 is "not known".
func (k *criterion) tlsInterval(c constant) (ir.Interval, bool) {
	const wayOut = "TLS versions are '1.0', '1.1', '1.2' and '1.3', and 'ssl3'."
	switch c.kind {
	case stringConstant, floatConstant:
		if v, ok := tlsVersion(c.text); ok {
			return ir.Interval{Low: v, High: v}, true
		}
	case numberConstant, rangeConstant:
		if isTLSNumber(c.low) && isTLSNumber(c.high) {
			return ir.Interval{Low: c.low, High: c.high}, true
		}
	case flagConstant, textRangeConstant:
	}
	k.fault(diag.InvalidTLSVersion, c.span, wayOut)
	return ir.Interval{}, false
}

func isTLSNumber(n int) bool { return n == 0 || 0x0300 <= n && n <= 0x0304 }

func tlsVersion(s string) (int, bool) {
	s = strings.ToLower(strings.ReplaceAll(s, " ", ""))
	for _, prefix := range []string{"tlsv", "tls", "v"} {
		if rest, ok := strings.CutPrefix(s, prefix); ok {
			s = rest
			break
		}
	}
	switch s {
	case "ssl3", "sslv3", "ssl3.0":
		return 0x0300, true
	case "1.0", "1":
		return 0x0301, true
	case "1.1":
		return 0x0302, true
	case "1.2":
		return 0x0303, true
	case "1.3":
		return 0x0304, true
	}
	return 0, false
}
