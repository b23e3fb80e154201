package opengfw

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/netpol/netpol/lang/fact"
	"github.com/netpol/netpol/lang/importer"
)

// maxNodes bounds an expression once its lets are written out.
const maxNodes = 4096

// converter turns one expression into criteria.
type converter struct {
	names *importer.Vocabulary
	nodes int
	// note reports an assumption, once a topic.
	note func(topic string, from, to int, format string, args ...any)
}

// condition converts a part that is true or false.
func (k *converter) condition(n *node) (truth, *exprError) {
	if k.nodes++; k.nodes > maxNodes {
		return truth{}, foreignExpr(n.from, n.to, "The expression has more than %d parts.", maxNodes)
	}
	switch n.kind {
	case nodeBool:
		return always(importer.Fixed(n.flag)), nil
	case nodeNot:
		t, err := k.condition(n.list[0])
		return t.not(), err
	case nodeBinary:
		if n.text == "&&" || n.text == "||" {
			return k.logic(n)
		}
		return k.comparison(n)
	case nodeCall:
		return k.call(n)
	case nodePath:
		return truth{}, foreignExpr(n.from, n.to, "netpol has nothing like OpenGFW's %s.", strings.Join(n.path, "."))
	case nodeString, nodeNumber, nodeNil, nodeList, nodeRange, nodeClosed:
	}
	return truth{}, badExpr(n.from, n.to, "A condition is needed here, something true or false.")
}

func (k *converter) logic(n *node) (truth, *exprError) {
	list := make([]truth, len(n.list))
	for i, e := range n.list {
		var err *exprError
		if list[i], err = k.condition(e); err != nil {
			return truth{}, err
		}
	}
	if n.text == "&&" {
		return and(list), nil
	}
	return or(list), nil
}

// comparison converts a comparison of a property with a constant.
func (k *converter) comparison(n *node) (truth, *exprError) {
	left, right, op := n.list[0], n.list[1], n.text
	if isConstant(left) && !isConstant(right) {
		if mirrored, ok := map[string]string{"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}[op]; ok {
			left, right, op = right, left, mirrored
		} else if op == "in" {
			return k.element(right, left)
		}
	}
	path, text := unwrap(left)
	if path == nil {
		return truth{}, foreignExpr(n.from, n.to, "Only comparisons of a property with a constant are converted.")
	}
	if right.kind == nodeNil {
		return k.presence(path, op, n)
	}
	if right.kind == nodeBool && (op == "==" || op == "!=") {
		return truth{}, foreignExpr(n.from, n.to, "netpol has nothing like OpenGFW's %s.", strings.Join(path.path, "."))
	}
	p, ok := findProperty(path.path)
	if !ok || !isConstant(right) {
		return truth{}, foreignExpr(n.from, n.to, "netpol has nothing like OpenGFW's %s.", strings.Join(path.path, "."))
	}
	negated := op == "!="
	if negated {
		op = "=="
	}
	c, err := k.compare(p, op, right, n)
	if err != nil {
		return truth{}, err
	}
	t, err := k.guarded(p, path, text || op == "==" || op == "in", c)
	if negated {
		t = t.not()
	}
	return t, err
}

// unwrap takes string() and lower() off a property. text says that it was made
// a string, so that a comparison cannot fail.
func unwrap(n *node) (path *node, text bool) {
	for n.kind == nodeCall && (n.text == "string" || n.text == "lower") && len(n.list) == 1 {
		text = text || n.text == "string"
		n = n.list[0]
	}
	if n.kind != nodePath {
		return nil, false
	}
	return n, text
}

func isConstant(n *node) bool {
	switch n.kind {
	case nodeString, nodeNumber, nodeBool, nodeNil:
		return true
	case nodeList, nodeRange:
		return !slices.ContainsFunc(n.list, func(e *node) bool { return !isConstant(e) })
	case nodePath, nodeNot, nodeBinary, nodeCall, nodeClosed:
	}
	return false
}

// guarded asks a property of its protocol's flows. Another flow's property is
// an error where a step is strict. Else it is nil, which the operator can take
// or not: nil equals nothing, but contains is an error.
func (k *converter) guarded(p property, path *node, takesNil bool, c importer.Condition) (truth, *exprError) {
	if p.protocol == "" {
		return always(c), nil
	}
	guard, err := k.protocol(p.protocol, path)
	if err != nil {
		return truth{}, err
	}
	if path.strict || !takesNil {
		return given(guard, c), nil
	}
	return always(importer.AllOf(guard, c)), nil
}

// protocol is the condition that a flow is of a protocol.
func (k *converter) protocol(name string, n *node) (importer.Condition, *exprError) {
	tag, hint, ok := k.names.Find(fact.ProtocolName, name)
	if !ok {
		return importer.Condition{}, foreignExpr(n.from, n.to, "netpol's catalogue has no protocol '%s' (%s).", name, hint)
	}
	k.note("protocol", n.from, n.to, "OpenGFW's %s is taken as the flows that netpol calls '%s'; it may have a name of its own for some of them, such as 'doh'.", n.path[0], tag)
	return importer.NewAtom("protocol == '" + tag + "'"), nil
}

// presence converts a comparison with nil.
func (k *converter) presence(path *node, op string, n *node) (truth, *exprError) {
	name := strings.Join(path.path, ".")
	var c importer.Condition
	strict := path.strict
	if p, ok := findProperty(path.path); ok && p.protocol != "" {
		guard, err := k.protocol(p.protocol, path)
		if err != nil {
			return truth{}, err
		}
		c = importer.AllOf(guard, importer.NewAtom(p.attr+" != ''"))
		if strict {
			t := given(guard, importer.NewAtom(p.attr+" != ''"))
			return flip(t, op), nil
		}
		return flip(always(c), op), nil
	}
	protocol, ok := presences[name]
	if !ok || op != "==" && op != "!=" {
		return truth{}, foreignExpr(n.from, n.to, "netpol has nothing like OpenGFW's %s.", name)
	}
	c, err := k.protocol(protocol, path)
	if err != nil {
		return truth{}, err
	}
	if strict {
		return flip(given(c, importer.Fixed(true)), op), nil
	}
	return flip(always(c), op), nil
}

// flip makes "is there" of != nil and the opposite of == nil.
func flip(t truth, op string) truth {
	if op == "==" {
		return t.not()
	}
	return t
}

// element converts "h2" in tls.req.alpn.
func (k *converter) element(list, constant *node) (truth, *exprError) {
	path, _ := unwrap(list)
	if path != nil {
		if p, ok := findProperty(path.path); ok && p.kind == kindList && constant.kind == nodeString {
			guard, err := k.protocol(p.protocol, path)
			c := importer.NewAtom(p.attr + " == " + importer.QuoteText(strings.ToLower(constant.text)))
			return given(guard, c), err
		}
	}
	return truth{}, foreignExpr(list.from, list.to, "Only alpn can be asked for an element.")
}

// call converts any() over DNS questions and cidr().
func (k *converter) call(n *node) (truth, *exprError) {
	switch {
	case n.text == "cidr" && len(n.list) == 2:
		return k.cidr(n)
	case n.text == "any" && len(n.list) == 2:
		return k.questions(n)
	case n.text == "geoip" || n.text == "geosite":
		return truth{}, foreignExpr(n.from, n.to, "%s() reads lists that netpol does not have. Write an address_group, or use the catalogue's applications.", n.text)
	}
	return truth{}, foreignExpr(n.from, n.to, "The function %s is not converted.", n.text)
}

func (k *converter) cidr(n *node) (truth, *exprError) {
	path, _ := unwrap(n.list[0])
	if path == nil || n.list[1].kind != nodeString {
		return truth{}, foreignExpr(n.from, n.to, "cidr() is converted for ip.src and ip.dst only.")
	}
	p, ok := findProperty(path.path)
	prefix, err := netip.ParsePrefix(n.list[1].text)
	switch {
	case !ok || p.kind != kindAddress:
		return truth{}, foreignExpr(n.from, n.to, "cidr() is converted for ip.src and ip.dst only.")
	case err != nil || prefix.Addr().Is4In6():
		return truth{}, badExpr(n.list[1].from, n.list[1].to, "%q is not a block of addresses.", n.list[1].text)
	}
	return always(importer.NewAtom(fmt.Sprintf("%s in '%s'", p.attr, prefix.Masked()))), nil
}

// questions converts any(dns.questions, {.name endsWith "example.org"}).
func (k *converter) questions(n *node) (truth, *exprError) {
	list, body := n.list[0], n.list[1]
	if list.kind != nodePath || strings.Join(list.path, ".") != "dns.questions" || body.kind != nodeClosed {
		return truth{}, foreignExpr(n.from, n.to, "any() is converted for dns.questions only.")
	}
	b := body.list[0]
	if b.kind != nodeBinary || b.list[0].kind != nodePath || strings.Join(b.list[0].path, ".") != ".name" || !isConstant(b.list[1]) || b.text == "!=" {
		return truth{}, foreignExpr(body.from, body.to, "Only a comparison of .name with a constant is converted.")
	}
	guard, err := k.protocol("dns", list)
	if err != nil {
		return truth{}, err
	}
	c, err := k.compare(property{"dns.questions.name", "dns_hostname", "dns", kindHost}, b.text, b.list[1], b)
	return given(guard, c), err
}
