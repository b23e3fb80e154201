package propose

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// The output of nft -j list ruleset (libnftables-json(5)), as far as it is needed.
type nftRuleset struct {
	Objects []struct {
		Chain *nftChain `json:"chain"`
		Rule  *nftRule  `json:"rule"`
		Set   *nftSet   `json:"set"`
		Map   *nftSet   `json:"map"`
	} `json:"nftables"`
}

type nftChain struct {
	Family, Table, Name, Hook string
}

type nftRule struct {
	Family, Table, Chain, Comment string
	Expr                          []map[string]json.RawMessage
}

type nftSet struct {
	Family, Table, Name string
	Elem                []json.RawMessage
}

// maxElements bounds a set that is written out in criteria.
const maxElements = 256

// nftReader reads rules of nftables.
type nftReader struct {
	sets map[string][]json.RawMessage // and maps, by family, table and name
}

// nftables reads the chains of a ruleset. Tables that iptables-save told of, and
// netpol's own, are left out.
func nftables(data []byte, told func(family, table string) bool) (map[string]*chain, error) {
	var set nftRuleset
	if err := json.Unmarshal(data, &set); err != nil {
		return nil, fmt.Errorf("read nft's rules: %w", err)
	}
	r := nftReader{sets: map[string][]json.RawMessage{}}
	chains := map[string]*chain{}
	for _, o := range set.Objects {
		switch {
		case o.Set != nil:
			r.sets[o.Set.Family+" "+o.Set.Table+" "+o.Set.Name] = o.Set.Elem
		case o.Map != nil:
			r.sets[o.Map.Family+" "+o.Map.Table+" "+o.Map.Name] = o.Map.Elem
		case o.Chain != nil && o.Chain.Table != "netpol" && !told(o.Chain.Family, o.Chain.Table):
			name := o.Chain.Family + " " + o.Chain.Table + " " + o.Chain.Name
			chains[name] = &chain{name: "nftables " + name, base: o.Chain.Hook != ""}
		}
	}
	for _, o := range set.Objects {
		if o.Rule == nil {
			continue
		}
		if c := chains[o.Rule.Family+" "+o.Rule.Table+" "+o.Rule.Chain]; c != nil {
			c.rules = append(c.rules, r.rule(o.Rule))
		}
	}
	return chains, nil
}

func (r nftReader) rule(in *nftRule) rule {
	out := rule{name: in.Comment}
	var words []string
	switch in.Family {
	case "ip":
		out.steps = append(out.steps, step{kind: asks, condition: condition{field: version, values: []string{"4"}}})
	case "ip6":
		out.steps = append(out.steps, step{kind: asks, condition: condition{field: version, values: []string{"6"}}})
	}
	for _, statement := range in.Expr {
		for kind, body := range statement {
			steps, word := r.statement(in, kind, body)
			out.steps = append(out.steps, steps...)
			if word != "" {
				words = append(words, word)
			}
		}
	}
	out.text = strings.Join(words, " ")
	return out
}

// statement reads one statement; word is it in short, for people.
func (r nftReader) statement(in *nftRule, kind string, body json.RawMessage) (steps []step, word string) {
	switch kind {
	case "counter", "log", "comment", "limit", "quota":
		if kind == "limit" || kind == "quota" {
			return []step{{kind: strange, why: "it goes by a rate or an amount; see rate and quota"}}, kind
		}
		return nil, ""
	case "match":
		return r.match(in, body)
	case "mangle":
		return r.mangle(in, body)
	case "accept", "drop", "return", "reject":
		return []step{{kind: ends}}, kind
	case "jump", "goto":
		var call struct{ Target string }
		if json.Unmarshal(body, &call) != nil {
			return nil, kind
		}
		steps := []step{{kind: calls, target: in.Family + " " + in.Table + " " + call.Target}}
		if kind == "goto" {
			steps = append(steps, step{kind: ends})
		}
		return steps, kind + " " + call.Target
	}
	return []step{{kind: strange, why: "policies have nothing like its " + strconv.Quote(kind)}}, kind
}

// match reads a test.
func (r nftReader) match(in *nftRule, body json.RawMessage) ([]step, string) {
	var m struct {
		Op          string
		Left, Right json.RawMessage
	}
	if err := json.Unmarshal(body, &m); err != nil {
		return []step{{kind: strange, why: "it cannot be read"}}, ""
	}
	left, text := nftLeft(m.Left)
	op := m.Op + " "
	if m.Op == "==" || m.Op == "in" {
		op = ""
	}
	word := short(m.Left) + " " + op + short(m.Right)
	if text == "ct state" { // policies are of whole connections
		return nil, word
	}
	if left == nil || m.Op != "==" && m.Op != "!=" && m.Op != "in" {
		return []step{{kind: strange, why: "policies cannot ask for " + short(m.Left)}}, word
	}
	values, err := r.values(in, left[len(left)-1].field, m.Right, true)
	if err != nil {
		return []step{{kind: strange, why: err.Error()}}, word
	}
	var steps []step
	for i, c := range left {
		if i == len(left)-1 {
			c.values, c.not = values, m.Op == "!="
		}
		steps = append(steps, step{kind: asks, condition: c})
	}
	return steps, word
}

// nftLeft is what a test asks for: what else it means (tcp dport means tcp), and the
// field itself, last.
func nftLeft(body json.RawMessage) ([]condition, string) {
	var l struct {
		Payload struct{ Protocol, Field string }
		Meta    struct{ Key string }
		CT      struct{ Key string }
	}
	if json.Unmarshal(body, &l) != nil {
		return nil, ""
	}
	v4, v6 := condition{field: version, values: []string{"4"}}, condition{field: version, values: []string{"6"}}
	text := strings.TrimSpace(l.Payload.Protocol + " " + l.Payload.Field)
	switch {
	case l.CT.Key != "":
		return nil, "ct " + l.CT.Key
	case l.Meta.Key != "":
		text = "meta " + l.Meta.Key
		switch l.Meta.Key {
		case "l4proto":
			return []condition{{field: protocol}}, text
		case "nfproto":
			return []condition{{field: version}}, text
		case "iif", "iifname":
			return []condition{{field: inInterface}}, l.Meta.Key
		}
		return nil, text
	}
	switch text {
	case "ip saddr":
		return []condition{v4, {field: sourceAddress}}, text
	case "ip daddr":
		return []condition{v4, {field: targetAddress}}, text
	case "ip6 saddr":
		return []condition{v6, {field: sourceAddress}}, text
	case "ip6 daddr":
		return []condition{v6, {field: targetAddress}}, text
	case "ip protocol":
		return []condition{v4, {field: protocol}}, text
	case "ip6 nexthdr":
		return []condition{v6, {field: protocol}}, text
	}
	var given []condition
	switch l.Payload.Protocol {
	case "tcp", "udp", "sctp":
		given = []condition{{field: protocol, values: []string{l.Payload.Protocol}}}
	case "th":
	default:
		return nil, text
	}
	switch l.Payload.Field {
	case "dport":
		return append(given, condition{field: targetPort}), text
	case "sport":
		return append(given, condition{field: sourcePort}), text
	}
	return nil, text
}
