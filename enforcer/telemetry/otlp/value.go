package otlp

import (
	"encoding/json"
	"maps"
	"slices"

	common "go.opentelemetry.io/proto/slim/otlp/common/v1"
)

// object is an object of JSON whose numbers are json.Number.
type object = map[string]any

func text(s string) *common.AnyValue {
	return &common.AnyValue{Value: &common.AnyValue_StringValue{StringValue: s}}
}

func whole(n int64) *common.AnyValue {
	return &common.AnyValue{Value: &common.AnyValue_IntValue{IntValue: n}}
}

// valueOf is a value of JSON; nil for what says nothing: an empty text, list or
// object. A number that is neither of 64 bits with a sign nor a fraction is a text.
func valueOf(v any) *common.AnyValue {
	switch v := v.(type) {
	case string:
		if v != "" {
			return text(v)
		}
	case bool:
		return &common.AnyValue{Value: &common.AnyValue_BoolValue{BoolValue: v}}
	case json.Number:
		return numberOf(v)
	case []any:
		return listOf(v)
	case object:
		return tableOf(v)
	}
	return nil
}

func numberOf(n json.Number) *common.AnyValue {
	if i, err := n.Int64(); err == nil {
		return whole(i)
	}
	if isWhole(n) {
		return text(n.String())
	}
	f, _ := n.Float64()
	return &common.AnyValue{Value: &common.AnyValue_DoubleValue{DoubleValue: f}}
}

func isWhole(n json.Number) bool {
	return !slices.ContainsFunc([]byte(n), func(c byte) bool { return c < '0' || c > '9' })
}

func listOf(list []any) *common.AnyValue {
	out := &common.ArrayValue{}
	for _, one := range list {
		if value := valueOf(one); value != nil {
			out.Values = append(out.Values, value)
		}
	}
	if len(out.Values) == 0 {
		return nil
	}
	return &common.AnyValue{Value: &common.AnyValue_ArrayValue{ArrayValue: out}}
}

func tableOf(members object) *common.AnyValue {
	out := attributes{}
	for _, name := range sorted(members) {
		out.add(name, valueOf(members[name]))
	}
	if len(out) == 0 {
		return nil
	}
	return &common.AnyValue{Value: &common.AnyValue_KvlistValue{KvlistValue: &common.KeyValueList{Values: out}}}
}

// attributes are names with values, each name once.
type attributes []*common.KeyValue

// add appends one unless there is nothing to say.
func (a *attributes) add(name string, v *common.AnyValue) {
	if v != nil {
		*a = append(*a, &common.KeyValue{Key: name, Value: v})
	}
}

func (a *attributes) text(name, value string) {
	if value != "" {
		a.add(name, text(value))
	}
}

// rest appends the members of an object that nothing was made of yet, those of
// objects in it under their path.
func (a *attributes) rest(path string, members object) {
	for _, name := range sorted(members) {
		if inner, ok := members[name].(object); ok {
			a.rest(path+"."+name, inner)
			continue
		}
		a.add(path+"."+name, valueOf(members[name]))
	}
}

// take removes a member and gives its text, empty where it is none.
func take(members object, name string) string {
	word, _ := members[name].(string)
	if _, ok := members[name].(string); ok {
		delete(members, name)
	}
	return word
}

// takeNumber removes a member and gives its number, 0 where it is none.
func takeNumber(members object, name string) int64 {
	n, ok := members[name].(json.Number)
	if !ok {
		return 0
	}
	delete(members, name)
	i, _ := n.Int64()
	return i
}

// inner is an object in another; nil, which reads as empty, where there is none.
func inner(members object, name string) object {
	out, _ := members[name].(object)
	return out
}

// sorted are the names of an object's members, in order.
func sorted(members object) []string { return slices.Sorted(maps.Keys(members)) }

// numberIn is a member that is a whole number, 0 where there is none.
func numberIn(members object, name string) int64 {
	n, _ := members[name].(json.Number)
	i, _ := n.Int64()
	return i
}
