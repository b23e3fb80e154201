package opengfw

import (
	"fmt"
	"math"
	"net/netip"
	"regexp"
	"strings"

	"github.com/netpol/netpol/lang"
	"github.com/netpol/netpol/lang/importer"
)

// compare converts a comparison of a property; the operator is not !=.
func (k *converter) compare(p property, op string, v, n *node) (importer.Condition, *exprError) {
	switch p.kind {
	case kindPort:
		return k.port(p, op, v, n)
	case kindAddress:
		return k.address(p, op, v, n)
	case kindTransport:
		return k.transport(p, op, v, n)
	case kindText, kindHost:
		return k.text(p, op, v, n)
	case kindList:
	}
	return importer.Condition{}, unlike(p, n)
}

func unlike(p property, n *node) *exprError {
	return foreignExpr(n.from, n.to, "This comparison of %s is not converted.", p.path)
}

// either joins the comparisons with each constant of a list.
func either(list []*node, one func(*node) (importer.Condition, *exprError)) (importer.Condition, *exprError) {
	parts := make([]importer.Condition, len(list))
	for i, v := range list {
		var err *exprError
		if parts[i], err = one(v); err != nil {
			return importer.Condition{}, err
		}
	}
	return importer.AnyOf(parts...), nil
}

// port converts a comparison of a port, which is never negative here or there.
func (k *converter) port(p property, op string, v, n *node) (importer.Condition, *exprError) {
	switch {
	case op == "in" && v.kind == nodeList:
		return either(v.list, func(e *node) (importer.Condition, *exprError) { return k.port(p, "==", e, n) })
	case op == "in" && v.kind == nodeRange && v.list[0].kind == nodeNumber && v.list[1].kind == nodeNumber:
		return span(p, v.list[0].number, v.list[1].number), nil
	case v.kind != nodeNumber:
		return importer.Condition{}, unlike(p, n)
	}
	switch x := v.number; op {
	case "==":
		return span(p, x, x), nil
	case "<":
		return span(p, math.MinInt64, max(x, math.MinInt64+1)-1), nil
	case "<=":
		return span(p, math.MinInt64, x), nil
	case ">":
		return span(p, min(x, math.MaxInt64-1)+1, math.MaxInt64), nil
	case ">=":
		return span(p, x, math.MaxInt64), nil
	}
	return importer.Condition{}, unlike(p, n)
}

// span is a range of ports, as far as ports go.
func span(p property, low, high int64) importer.Condition {
	low, high = max(low, 0), min(high, math.MaxUint16)
	switch {
	case low > high:
		return importer.Fixed(false)
	case low == 0 && high == math.MaxUint16:
		return importer.Fixed(true)
	case low == high:
		return importer.NewAtom(fmt.Sprintf("%s == %d", p.attr, low))
	}
	return importer.NewAtom(fmt.Sprintf("%s in %d..%d", p.attr, low, high))
}

func (k *converter) address(p property, op string, v, n *node) (importer.Condition, *exprError) {
	if op == "in" && v.kind == nodeList {
		return either(v.list, func(e *node) (importer.Condition, *exprError) { return k.address(p, "==", e, n) })
	}
	if op != "==" || v.kind != nodeString {
		return importer.Condition{}, unlike(p, n)
	}
	addr, err := netip.ParseAddr(v.text)
	if err != nil || addr.Zone() != "" {
		return importer.Condition{}, badExpr(v.from, v.to, "%q is not an address.", v.text)
	}
	return importer.NewAtom(fmt.Sprintf("%s == '%s'", p.attr, addr.Unmap())), nil
}

func (k *converter) transport(p property, op string, v, n *node) (importer.Condition, *exprError) {
	if op != "==" || v.kind != nodeString || v.text != "tcp" && v.text != "udp" {
		return importer.Condition{}, unlike(p, n)
	}
	return importer.NewAtom(p.attr + " == '" + v.text + "'"), nil
}

// text converts a comparison of text. OpenGFW minds case and netpol does not,
// which is the same for host names.
func (k *converter) text(p property, op string, v, n *node) (importer.Condition, *exprError) {
	if op == "in" && v.kind == nodeList {
		return either(v.list, func(e *node) (importer.Condition, *exprError) { return k.text(p, "==", e, n) })
	}
	if v.kind != nodeString {
		return importer.Condition{}, unlike(p, n)
	}
	k.note("case", n.from, n.to, "OpenGFW compares letter by letter; netpol ignores case in host names and text.")
	switch op {
	case "==":
		return equal(p, v.text), nil
	case "contains", "startsWith", "endsWith":
		if v.text == "" {
			return importer.Fixed(true), nil
		}
		return importer.NewAtom(p.attr + " " + op + " " + importer.QuoteText(strings.ToLower(v.text))), nil
	case "matches":
		if _, err := regexp.Compile("(?i)" + v.text); err != nil || v.text == "" {
			return importer.Condition{}, badExpr(v.from, v.to, "The regular expression cannot be read: %v.", err)
		}
		return importer.NewAtom(p.attr + " matches " + importer.QuoteText(v.text)), nil
	}
	return importer.Condition{}, unlike(p, n)
}

// equal is an attribute that equals a text.
func equal(p property, s string) importer.Condition {
	if p.kind == kindText || s == "" {
		return importer.NewAtom(p.attr + " == " + importer.QuoteText(strings.ToLower(s)))
	}
	if name, fault := lang.ParseDomain(s); fault.Code == "" && !strings.HasSuffix(s, ".") {
		return importer.NewAtom(p.attr + " == '" + name + "'")
	}
	return importer.NewAtom(p.attr + " matches " + importer.QuoteText("^"+regexp.QuoteMeta(s)+"$"))
}
