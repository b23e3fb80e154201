package lint

import (
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/netpol/netpol/compiler/ir"
	"github.com/netpol/netpol/compiler/lint/flowspace"
	"github.com/netpol/netpol/lang/fact"
)

// values writes what conditions ask of a flow, as criteria write it.
func values(f *fact.Facts, conditions []ir.Expr) []Value {
	var out []Value
	for _, a := range attributes(conditions...) {
		out = append(out, valueOf(f, a)...)
		if a.Type == fact.ScheduleName && f.Weekday != "" {
			out = append(out, instant(f, conditions)...)
		}
	}
	return out
}

func valueOf(f *fact.Facts, a fact.Attribute) []Value {
	field := reflect.ValueOf(f).Elem().FieldByName(a.Field)
	if !field.IsValid() {
		return nil
	}
	return []Value{{a.Name, written(a, field.Interface())}}
}

// instant is when a flow is seen that meets conditions on schedules, as far as
// they do not ask for that themselves.
func instant(f *fact.Facts, conditions []ir.Expr) []Value {
	var out []Value
	for _, name := range []string{"weekday", "time_of_day"} {
		if !slices.ContainsFunc(conditions, func(e ir.Expr) bool { return asks(e, name) }) {
			out = append(out, valueOf(f, attribute(name))...)
		}
	}
	return out
}

func written(a fact.Attribute, v any) string {
	switch v := v.(type) {
	case string:
		return "'" + v + "'"
	case netip.Addr:
		return "'" + v.String() + "'"
	case bool:
		return strconv.FormatBool(v)
	case int:
		if a.Type == fact.TimeOfDay {
			return "'" + clockTime(v) + "'"
		}
		if name, ok := numberNames(a)[v]; ok {
			return "'" + name + "'"
		}
		return strconv.Itoa(v)
	}
	return fmt.Sprint(v)
}

// clockTime writes seconds since midnight as 18:30, or 18:30:05.
func clockTime(seconds int) string {
	text := fmt.Sprintf("%02d:%02d", seconds/3600, seconds/60%60)
	if rest := seconds % 60; rest != 0 {
		text += fmt.Sprintf(":%02d", rest)
	}
	return text
}

// numberNames are the numbers that criteria write as text.
func numberNames(a fact.Attribute) map[int]string {
	switch {
	case a.Type == fact.TLSVersion:
		return map[int]string{0x0300: "ssl3", 0x0301: "1.0", 0x0302: "1.1", 0x0303: "1.2", 0x0304: "1.3"}
	case a.Name == "ip_protocol":
		return map[int]string{1: "icmp", 6: "tcp", 17: "udp", 58: "icmpv6", 132: "sctp"}
	}
	return nil
}

// describe is a condition as a person wants to read it.
func describe(e ir.Expr) string { return shorten(described(e)) }

func described(e ir.Expr) string {
	switch e := e.(type) {
	case *ir.And:
		return describedList(e.List, " and ")
	case *ir.Or:
		return describedList(e.List, " or ")
	case *ir.Not:
		// "app != 'a'" is the text of app == 'a' under a negation.
		if c, ok := e.X.(*ir.Compare); ok && strings.Contains(c.Text, "!=") {
			return c.Text
		}
		return "not (" + described(e.X) + ")"
	case *ir.Compare:
		if e.Text != "" && !strings.Contains(e.Text, "!=") {
			return e.Text
		}
	default:
	}
	return ir.Dump(e)
}

func describedList(list []ir.Expr, word string) string {
	parts := make([]string, len(list))
	for i, e := range list {
		parts[i] = described(e)
		switch e.(type) {
		case *ir.And, *ir.Or:
			parts[i] = "(" + parts[i] + ")"
		default:
		}
	}
	return strings.Join(parts, word)
}

// shorten keeps a message readable.
func shorten(s string) string {
	const most = 160
	if len(s) > most {
		return s[:most] + "..."
	}
	return s
}

// met says that a flow was tried on conditions and meets all of them.
func met(f *fact.Facts, conditions ...ir.Expr) bool {
	for _, c := range conditions {
		if flowspace.Eval(c, f) != flowspace.Yes {
			return false
		}
	}
	return true
}
