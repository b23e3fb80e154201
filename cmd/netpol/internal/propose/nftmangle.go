package propose

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/netpol/netpol/lang"
)

// nftKey is what a statement sets.
type nftKey struct {
	Payload struct{ Protocol, Field string }
	Meta    struct{ Key string }
	CT      struct{ Key string }
}

// text is the key as nft writes it.
func (k nftKey) text() string {
	switch {
	case k.Meta.Key != "":
		return "meta " + k.Meta.Key
	case k.CT.Key != "":
		return "ct " + k.CT.Key
	}
	return k.Payload.Protocol + " " + k.Payload.Field
}

// effect is what the key becomes; why is not empty if policies have nothing like it.
func (k nftKey) effect(body json.RawMessage) (e effect, why string) {
	value := short(body)
	switch k.text() {
	case "ip dscp", "ip6 dscp":
		name, _, ok := lang.ParseDSCP(value)
		if !ok {
			return e, "policies set one code point, not " + value
		}
		return effect{dscp: name}, ""
	case "meta priority":
		if !isClass(value) {
			return e, "policies set one class, not " + value
		}
		return effect{priority: value}, ""
	case "meta mark", "ct mark":
		bits, ok := nftMark(body)
		if !ok {
			return e, "policies set one mark, not " + value
		}
		bits.packet = k.Meta.Key == "mark"
		return effect{mark: &bits}, ""
	case "ct label":
		return e, "it sets a label of its own: put the label into a policy"
	}
	return e, "it sets something that policies do not"
}

// mangle reads what a statement sets.
func (r nftReader) mangle(in *nftRule, body json.RawMessage) ([]step, string) {
	var m struct {
		Key   nftKey
		Value json.RawMessage
	}
	if err := json.Unmarshal(body, &m); err != nil {
		return []step{{kind: strange, why: "it cannot be read"}}, ""
	}
	word := m.Key.text() + " set " + short(m.Value)
	if isMark(m.Value) {
		return nil, word // it copies one mark to the other
	}
	var steps []step
	switch m.Key.Payload.Protocol {
	case "ip":
		steps = append(steps, step{kind: asks, condition: condition{field: version, values: []string{"4"}}})
	case "ip6":
		steps = append(steps, step{kind: asks, condition: condition{field: version, values: []string{"6"}}})
	}
	if looked, ok := r.lookUp(in, m.Key, m.Value); ok {
		return append(steps, looked...), word
	}
	e, why := m.Key.effect(m.Value)
	if why != "" {
		steps = append(steps, step{kind: strange, why: why})
	}
	return append(steps, step{kind: does, effect: e}), word
}

// lookUp reads a value that is looked up in a map; ok is false for any other. Each
// element is an effect with a condition of its own.
func (r nftReader) lookUp(in *nftRule, key nftKey, body json.RawMessage) (steps []step, ok bool) {
	var v struct {
		Map *struct{ Key, Data json.RawMessage }
	}
	if json.Unmarshal(body, &v) != nil || v.Map == nil {
		return nil, false
	}
	odd := func(why string) ([]step, bool) {
		return []step{{kind: strange, why: why}, {kind: does}}, true
	}
	elements := r.sets[in.Family+" "+in.Table+" "+strings.TrimPrefix(short(v.Map.Data), "@")]
	var literal struct{ Set []json.RawMessage }
	if json.Unmarshal(v.Map.Data, &literal) == nil && literal.Set != nil {
		elements = literal.Set
	}
	asked, text := nftLeft(v.Map.Key)
	if asked == nil || len(elements) == 0 || len(elements) > maxElements {
		return odd(fmt.Sprintf("policies cannot look up %s in a map of %d elements", text, len(elements)))
	}
	for _, element := range elements {
		var pair []json.RawMessage
		if json.Unmarshal(element, &pair) != nil || len(pair) != 2 {
			return odd("an element of its map cannot be read")
		}
		values, err := r.values(in, asked[len(asked)-1].field, pair[0], false)
		if err != nil {
			return odd(err.Error())
		}
		e, why := key.effect(pair[1])
		if why != "" {
			return odd(why)
		}
		also := slices.Clone(asked)
		also[len(also)-1].values = values
		steps = append(steps, step{kind: does, effect: e, also: also})
	}
	return steps, true
}

// nftMark reads a value that a mark becomes: a number, or (the mark & mask) | value,
// of either of which one half may be missing.
func nftMark(body json.RawMessage) (mark, bool) {
	var number uint32
	if json.Unmarshal(body, &number) == nil {
		return mark{value: number, mask: 0xffffffff}, true
	}
	var v struct {
		Or  []json.RawMessage `json:"|"`
		And []json.RawMessage `json:"&"`
		Xor []json.RawMessage `json:"^"`
	}
	if json.Unmarshal(body, &v) != nil {
		return mark{}, false
	}
	parts := append(append(v.Or, v.Xor...), v.And...)
	if len(parts) != 2 || json.Unmarshal(parts[1], &number) != nil {
		return mark{}, false
	}
	if v.And != nil { // clears what is not in the mask
		return mark{value: 0, mask: ^number}, isMark(parts[0])
	}
	if isMark(parts[0]) {
		return mark{value: number, mask: number}, v.Or != nil
	}
	inner, ok := nftMark(parts[0])
	return mark{value: number, mask: inner.mask | number}, ok && inner.value == 0
}

// isMark reports whether an expression is a mark itself.
func isMark(body json.RawMessage) bool {
	var e struct{ Meta, CT struct{ Key string } }
	return json.Unmarshal(body, &e) == nil && (e.Meta.Key == "mark" || e.CT.Key == "mark")
}

// isClass reports whether text is a class as tc writes it, or a priority.
func isClass(text string) bool {
	major, minor, two := strings.Cut(text, ":")
	if !two {
		n, err := strconv.Atoi(text)
		return err == nil && n >= 0 && n <= 15
	}
	a, err1 := strconv.ParseUint(major, 16, 16)
	_, err2 := strconv.ParseUint(minor, 16, 16)
	return err1 == nil && err2 == nil && a > 0
}
