package lang

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/netpol/netpol/lang/diag"
	"github.com/netpol/netpol/lang/quantity"
	"github.com/netpol/netpol/lang/suggest"
)

// effectArguments are the arguments that change something by themselves, besides
// halt and audit.
func effectArguments() []string {
	return []string{"label", "labels", "mark", "dscp", "verdict", "priority", "route", "rate", "count", "log", "add", "notify", "notrack", "offload"}
}

// decodeEffects reads what a policy does besides labels and marks.
func (d *decoder) decodeEffects(b *hclsyntax.Block, p *PolicyBlock) {
	if a, ok := b.Body.Attributes["dscp"]; ok {
		p.DSCP = d.dscp(a)
	}
	ifUnset := d.flag(b, "dscp_if_unset", false)
	d.belongs(b, "dscp_if_unset", "dscp", `says which packets get the dscp: those without one. Write dscp = "cs5", or leave dscp_if_unset out`)
	if p.DSCP != nil {
		p.DSCP.IfUnset = ifUnset
	}
	p.Verdict = d.verdict(b)
	p.RejectWith = d.rejectWith(b, p)
	p.OnFail = d.failure(b, p, "on_fail", diag.InvalidOnFail, "no way to fail", "flows pass that netpold has not judged")
	p.OnOverload = d.failure(b, p, "on_overload", diag.InvalidOnOverload, "no outcome of overload", "flows pass that netpold had no room for")
	if a, ok := b.Body.Attributes["priority"]; ok {
		p.Priority = d.priority(a)
	}
	p.Route = d.route(b)
	p.Hold = d.hold(b, p.Audit)
	p.Log = d.log(b)
	p.Count = d.count(b)
	p.Quota = d.quota(b)
	p.Rate = d.rate(b, p)
}

// belongs reports an argument that says more of another one which is absent.
func (d *decoder) belongs(b *hclsyntax.Block, name, other, why string) {
	a, ok := b.Body.Attributes[name]
	if _, there := b.Body.Attributes[other]; !ok || there || d.misspelt(b, other) {
		return
	}
	d.diags.Add(diag.New(diag.ConflictingArguments, toRange(a.NameRange), name+" "+why+"."))
}

// answers are the words of the reject_with argument.
var answers = []string{"tcp-reset", "icmp-admin-prohibited", "icmp-port-unreachable", "icmp-host-unreachable", "icmp-no-route"}

// rejectWith reads what a rejected packet is answered with.
func (d *decoder) rejectWith(b *hclsyntax.Block, p *PolicyBlock) Text {
	t := d.text(b, "reject_with", `"icmp-port-unreachable"`)
	if t.Range.IsZero() {
		return Text{}
	}
	if !slices.Contains(answers, t.Value) {
		d.diags.Add(diag.New(diag.InvalidAnswer, t.Range, fmt.Sprintf("%q is not an answer. The answers are %s.", t.Value, strings.Join(answers, ", "))).
			WithHint(suggest.Hint(strings.ToLower(t.Value), answers)))
		return Text{}
	}
	_, written := b.Body.Attributes["verdict"]
	if p.Verdict.Value != "reject" && (p.Verdict.Value != "" || !written && !d.misspelt(b, "verdict")) {
		d.diags.Add(diag.New(diag.ConflictingArguments, t.Range, `reject_with says what reject answers. Write verdict = "reject", or leave reject_with out.`))
	}
	return t
}

// maxPlainPriority is the highest priority that is no class: those of sockets
// (TC_PRIO_MAX, linux/pkt_sched.h).
const maxPlainPriority = 15

// priority reads "1:10", as tc writes classes, or a number.
func (d *decoder) priority(a *hclsyntax.Attribute) *Priority {
	v, ok := d.argument(a.Expr, cty.String, `"1:10"`)
	if !ok {
		return nil
	}
	text := strings.TrimSpace(v.AsString())
	majorText, minorText, isClass := strings.Cut(text, ":")
	value, err := strconv.ParseUint(text, 10, 32)
	if isClass {
		var major, minor uint64
		if major, err = strconv.ParseUint(majorText, 16, 16); err == nil && minorText != "" {
			minor, err = strconv.ParseUint(minorText, 16, 16)
		}
		value = major<<16 | minor
	}
	if err != nil || !isClass && value > maxPlainPriority {
		hint := ""
		if err == nil {
			hint = fmt.Sprintf("if it is a class, write \"1:%s\"", text)
		}
		d.diags.Add(diag.New(diag.InvalidPriority, toRange(a.Expr.Range()), fmt.Sprintf("%q is not a priority. It is a class of tc, MAJOR:MINOR in hexadecimal digits such as \"1:10\", or a number from 0 to %d.", v.AsString(), maxPlainPriority)).WithHint(hint))
		return nil
	}
	return &Priority{Text: PriorityText(uint32(value)), Value: uint32(value), Range: toRange(a.Expr.Range())}
}

// maxTable is the highest number that "ip route" takes for a table.
const maxTable = 1<<31 - 1

// route reads the number of a routing table.
func (d *decoder) route(b *hclsyntax.Block) *Route {
	a, ok := b.Body.Attributes["route"]
	if !ok {
		return nil
	}
	r := &Route{Table: uint32(d.number(b, "route", 1, maxTable, 0)), Range: toRange(a.Expr.Range())}
	if r.Table == 0 { // told, or null
		return nil
	}
	if r.Table == tableLocal {
		d.diags.Add(diag.New(diag.NumberOutOfRange, r.Range, "Table 255 holds the router's own addresses, and packets that go by it alone reach nobody else."))
		return nil
	}
	return r
}

// tableLocal is RT_TABLE_LOCAL (linux/rtnetlink.h).
const tableLocal = 255

// hold reads whether packets wait until the policy is decided. A policy that is
// only tried out has no effect that they could wait for.
func (d *decoder) hold(b *hclsyntax.Block, audit bool) *Hold {
	a, ok := b.Body.Attributes["hold"]
	if !ok || !d.flag(b, "hold", false) || audit {
		return nil
	}
	return &Hold{Range: toRange(a.Expr.Range())}
}

// PriorityText is one text for all spellings of a priority.
func PriorityText(v uint32) string {
	switch major, minor := v>>16, v&0xffff; {
	case v <= maxPlainPriority:
		return strconv.Itoa(int(v))
	case minor == 0:
		return fmt.Sprintf("%x:", major)
	default:
		return fmt.Sprintf("%x:%x", major, minor)
	}
}

// count reads true, or what is counted apart.
func (d *decoder) count(b *hclsyntax.Block) *Count {
	t, on := d.switched(b, "count", `true or "host"`)
	if !on {
		return nil
	}
	c := &Count{Per: PerPolicy, Range: t.Range}
	if t.Value != "" {
		per, ok := d.sharer(t, "count", PerPolicy, PerHost)
		if c.Per = per; !ok {
			return nil
		}
	}
	return c
}

// quota reads an amount of bytes.
func (d *decoder) quota(b *hclsyntax.Block) *Quota {
	d.belongs(b, "quota_per", "quota", `says what shares the quota. Write quota = "5GB", or leave quota_per out`)
	per, perOK := d.per(b, "quota_per", PerPolicy, PerHost)
	t := d.text(b, "quota", `"5GB"`)
	if t.Range.IsZero() {
		return nil
	}
	n, problem := quantity.Parse(t.Value, quantity.Bytes)
	switch {
	case problem == quantity.NoNumber || problem == quantity.NotWhole:
		d.diags.Add(diag.New(diag.InvalidQuantity, t.Range, fmt.Sprintf("%q is not a number of bytes, which a quota is; for example \"5GB\", with one of the units %s.", t.Value, quantity.Names(quantity.Bytes))).
			WithHint(quantity.Hint(t.Value, quantity.Bytes, `"`)))
		return nil
	case problem == quantity.TooLarge || n < 1:
		d.diags.Add(diag.New(diag.NumberOutOfRange, t.Range, "A quota is at least one byte, and less than 9 million TB."))
		return nil
	case !perOK:
		return nil
	}
	return &Quota{Bytes: uint64(n), Per: per, Range: t.Range}
}

// rate reads what the policy's traffic is held down to.
func (d *decoder) rate(b *hclsyntax.Block, p *PolicyBlock) *Rate {
	for _, name := range []string{"rate_per", "rate_burst"} {
		d.belongs(b, name, "rate", `says more of a rate. Write rate = "10Mbit/s", or leave it out`)
	}
	per, perOK := d.per(b, "rate_per", PerPolicy, PerHost, PerFlow)
	burst := d.text(b, "rate_burst", `"64KB"`)
	t := d.text(b, "rate", `"10Mbit/s"`)
	if t.Range.IsZero() {
		return nil
	}
	l := d.limit(t)
	if l == nil || !perOK {
		return nil
	}
	if !burst.Range.IsZero() {
		d.burst(burst, l)
	}
	if p.Verdict.Value == "drop" || p.Verdict.Value == "reject" {
		d.diags.Add(diag.New(diag.ConflictingArguments, t.Range, fmt.Sprintf("A rate drops what is over it by itself, and verdict = %q would drop the rest as well. Leave one of the two out.", p.Verdict.Value)))
	}
	return &Rate{Limit: *l, Per: per, Range: t.Range}
}

// per reads what shares an account; policy unless written.
func (d *decoder) per(b *hclsyntax.Block, name string, allowed ...Per) (Per, bool) {
	t := d.text(b, name, `"host"`)
	if t.Range.IsZero() {
		return PerPolicy, true
	}
	return d.sharer(t, name, allowed...)
}

func (d *decoder) sharer(t Text, name string, allowed ...Per) (Per, bool) {
	if slices.Contains(allowed, Per(t.Value)) {
		return Per(t.Value), true
	}
	words := make([]string, len(allowed))
	for i, p := range allowed {
		words[i] = string(p)
	}
	hint := suggest.Hint(strings.ToLower(t.Value), words)
	switch word := strings.ToLower(t.Value); {
	case word == "flow" && name == "quota_per":
		hint = "an amount of one connection is a condition: total_bytes > '5GB'"
	case word == "flow":
		hint = "the kernel counts each connection by itself: conntrack -L shows it"
	case word == "connection":
		hint = `write "flow"`
	case word == "address" || word == "ip" || word == "device" || word == "client" || word == "subscriber":
		hint = `write "host": each address on the local side`
	}
	d.diags.Add(diag.New(diag.InvalidSharer, t.Range, fmt.Sprintf("%q cannot stand for %s. It is one of %s.", t.Value, name, strings.Join(words, ", "))).WithHint(hint))
	return PerPolicy, false
}

// switched reads an argument that is true, or a text that says more. The text
// is empty for true.
func (d *decoder) switched(b *hclsyntax.Block, name, example string) (Text, bool) {
	a, ok := b.Body.Attributes[name]
	if !ok {
		return Text{}, false
	}
	at := toRange(a.Expr.Range())
	v := d.value(a.Expr)
	if v.IsWhollyKnown() && !v.IsNull() && v.Type() == cty.Bool {
		return Text{Range: at}, v.True()
	}
	if v.IsWhollyKnown() && !v.IsNull() && v.Type() != cty.String {
		d.diags.Add(diag.New(diag.WrongValueType, at, fmt.Sprintf("%s is %s, not a %s.", name, example, friendly(v.Type()))))
		return Text{}, false
	}
	t := d.text(b, name, example)
	switch t.Value {
	case "true", "false": // of a variable of strings
		return Text{Range: at}, t.Value == "true"
	case "":
		if !t.Range.IsZero() {
			d.diags.Add(diag.New(diag.WrongValueType, at, fmt.Sprintf("%s is %s; this is empty.", name, example)))
		}
		return Text{}, false
	}
	return t, true
}
