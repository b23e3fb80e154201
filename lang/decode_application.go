package lang

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/netpol/netpol/lang/diag"
)

// transports are the transports that a port can be written with.
var transports = []string{"sctp", "tcp", "udp"}

func (d *decoder) decodeApplication(b *hclsyntax.Block) {
	app := &Application{Tag: Text{b.Labels[0], nameRange(b)}, Range: headerRange(b)}
	if !d.checkTag(app.Tag, "application") {
		return
	}
	app.Name = d.text(b, "name", `"Zoom"`).Value
	app.Description = d.text(b, "description", `"Video calls"`).Value
	app.Category = d.text(b, "category", `"voip-conferencing"`)
	app.Brand = d.text(b, "brand", `"microsoft"`)
	app.Override = d.flag(b, "override", false)
	for _, t := range d.texts(b, "domains", `"zoom.us"`) {
		if t.Value = d.domain(t); t.Value != "" {
			app.Domains = append(app.Domains, t)
		}
	}
	for _, t := range d.texts(b, "networks", `"203.0.113.0/24"`) {
		if p, ok := d.prefix(t); ok {
			app.Networks = append(app.Networks, Network{Prefix: p, Range: t.Range})
		}
	}
	for _, t := range d.texts(b, "ports", `"udp/8801-8810"`) {
		if p, ok := d.ports(t); ok {
			app.Ports = append(app.Ports, p)
		}
	}
	for _, t := range d.texts(b, "signatures", `"http-agent Intranet/*"`) {
		if s, ok := d.signature(t); ok {
			app.Signatures = append(app.Signatures, s)
		}
	}
	if d.define("application "+app.Tag.Value, fmt.Sprintf("application %q", app.Tag.Value), app.Range) {
		d.out.Applications = append(d.out.Applications, app)
	}
}

// checkTag reports a tag that the catalogue could not hold.
func (d *decoder) checkTag(t Text, what string) bool {
	ok := t.Value != "" && len(t.Value) <= 63
	for i := range len(t.Value) {
		c := t.Value[i]
		alnum := 'a' <= c && c <= 'z' || isDigit(c)
		ok = ok && (alnum || i > 0 && (c == '-' || c == '.' || c == '_'))
	}
	if !ok {
		d.diags.Add(diag.New(diag.InvalidName, t.Range, fmt.Sprintf("%q is not a tag for an %s: it holds lower-case letters, digits, -, . and _, begins with a letter or digit and is at most 63 long.", t.Value, what)))
	}
	return ok
}

// domain returns a domain suffix in lower case, or reports it and returns "".
func (d *decoder) domain(t Text) string {
	name, fault := ParseDomain(t.Value)
	if fault.Code != "" {
		fault.Subject = t.Range
		d.diags.Add(fault)
		return ""
	}
	return name
}

// ParseDomain reads a domain: it becomes lower case without a trailing dot. A
// mistake is a diagnostic without a place; none has no code.
func ParseDomain(s string) (string, diag.Diagnostic) {
	bad := func(why, hint string) (string, diag.Diagnostic) {
		return "", diag.New(diag.InvalidDomain, diag.Range{}, fmt.Sprintf("%q is not a domain: %s.", s, why)).WithHint(hint)
	}
	for _, prefix := range []string{"*.", "."} {
		if rest, ok := strings.CutPrefix(s, prefix); ok && rest != "" {
			return bad("a domain holds for all names under it already", fmt.Sprintf("write '%s'", rest))
		}
	}
	name := strings.ToLower(strings.TrimSuffix(s, "."))
	if name == "" || len(name) > 253 { // RFC 1035 section 2.3.4
		return bad("it is empty or longer than 253 characters", "")
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > 63 {
			return bad("each part between dots is 1 to 63 characters long", "")
		}
		for i := range len(label) {
			if c := label[i]; !isLetter(c) && !isDigit(c) && c != '-' && c != '_' {
				return bad("it holds letters, digits, - and _; names of other scripts are written in their xn-- form", "")
			}
		}
	}
	return name, diag.Diagnostic{}
}

// signature reads "http-agent Intranet/*": the place, a space, and the value as
// it stands there.
func (d *decoder) signature(t Text) (Signature, bool) {
	where, text, _ := strings.Cut(t.Value, " ")
	value, prefix := strings.CutSuffix(text, "*")
	if where == "" || value == "" {
		d.diags.Add(diag.New(diag.InvalidSignature, t.Range, fmt.Sprintf("%q is not a signature. It is a place, a space and what stands there, such as \"http-agent Intranet/*\" or \"cert-issuer CN=Example Root\".", t.Value)))
		return Signature{}, false
	}
	return Signature{Where: where, Value: value, Prefix: prefix, Range: t.Range}, true
}

// ports reads "tcp/443" or "udp/8801-8810".
func (d *decoder) ports(t Text) (Ports, bool) {
	bad := func(why string) (Ports, bool) {
		d.diags.Add(diag.New(diag.InvalidPort, t.Range, fmt.Sprintf("%q: %s. A port is written tcp/443, a range udp/8801-8810.", t.Value, why)))
		return Ports{}, false
	}
	transport, numbers, ok := strings.Cut(t.Value, "/")
	if !ok {
		return bad("the transport is missing")
	}
	known := false
	for _, name := range transports {
		known = known || name == transport
	}
	if !known {
		return bad("the transport is " + strings.Join(transports, ", "))
	}
	first, last, isRange := strings.Cut(numbers, "-")
	if !isRange {
		last = first
	}
	low, errLow := strconv.ParseUint(first, 10, 16)
	high, errHigh := strconv.ParseUint(last, 10, 16)
	if errLow != nil || errHigh != nil || low == 0 {
		return bad("ports are numbers from 1 to 65535")
	}
	if low > high {
		return bad("the first port is greater than the last")
	}
	return Ports{Transport: transport, Low: uint16(low), High: uint16(high), Range: t.Range}, true
}
