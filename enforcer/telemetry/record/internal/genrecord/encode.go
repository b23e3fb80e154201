package main

import (
	"bytes"
	"fmt"
	"log"
	"net/netip"
	"reflect"
	"strings"

	"github.com/netpol/netpol/enforcer/telemetry/record"
)

// writers are the statements that append a value, by its type.
var writers = map[reflect.Type]string{
	reflect.TypeFor[string]():             "b = AppendString(b, %s)",
	reflect.TypeFor[record.Reason]():      "b = AppendString(b, string(%s))",
	reflect.TypeFor[record.Kind]():        "b = appendWord(b, %s.String())",
	reflect.TypeFor[bool]():               "b = strconv.AppendBool(b, %s)",
	reflect.TypeFor[int]():                "b = appendInt(b, int64(%s))",
	reflect.TypeFor[int64]():              "b = appendInt(b, %s)",
	reflect.TypeFor[uint32]():             "b = appendUint(b, uint64(%s))",
	reflect.TypeFor[uint64]():             "b = appendUint(b, %s)",
	reflect.TypeFor[netip.Addr]():         "b = AppendAddr(b, %s)",
	reflect.TypeFor[[]string]():           "b = AppendStrings(b, %s)",
	reflect.TypeFor[[]uint64]():           "b = appendNumbers(b, %s)",
	reflect.TypeFor[record.List]():        "b = appendList(b, %s)",
	reflect.TypeFor[record.Hex16]():       "b = appendHex16(b, %s)",
	reflect.TypeFor[record.Digest]():      "b = appendDigest(b, %s)",
	reflect.TypeFor[record.Milli]():       "b = appendMilli(b, %s)",
	reflect.TypeFor[[]record.Endpoint]():  "b = appendHosts(b, %s)",
	reflect.TypeFor[[]record.Attribute](): "b = appendAttributes(b, %s)",
}

// encoders are the methods that write records as JSON.
func encoders() []byte {
	return generated(`import (
		"net/netip"
		"strconv"
	)`, writers, func(b *bytes.Buffer, t reflect.Type, whole bool) {
		if whole {
			fmt.Fprintf(b, "\n// Kind is the record's type.\nfunc (r *%s) Kind() Kind { return r.Type }\n", t.Name())
			fmt.Fprintf(b, "\n// AppendJSON appends the record as one JSON object without a line end.\nfunc (r *%s) AppendJSON(b []byte) []byte {\n", t.Name())
			b.WriteString("start := len(b)\nreturn object(r.members(b), start)\n}\n")
		}
		own, facts := split(fieldsOf(t))
		members(b, t, "members", own, len(facts) > 0)
		if len(facts) > 0 {
			members(b, t, "sharedMembers", facts, false)
		}
		if names := namesOf(own); len(names) > 0 {
			members(b, t, "nameMembers", names, false)
		}
	})
}

// members writes a method that appends members, and behind them those that are marked facts.
func members(b *bytes.Buffer, t reflect.Type, method string, list []field, shared bool) {
	fmt.Fprintf(b, "\nfunc (r *%s) %s(b []byte) []byte {\n", t.Name(), method)
	for _, run := range runs(list) {
		if run[0].named && method != "nameMembers" {
			b.WriteString("b = r.Names.append(b, r.nameMembers)\n")
			continue
		}
		known := run[0].once
		if run[0].facts {
			known = "" // who calls looks
		}
		if known != "" {
			fmt.Fprintf(b, "if !r.Known.%s {\n", known)
		}
		for _, f := range run {
			member(b, f)
		}
		if known != "" {
			b.WriteString("}\n")
		}
	}
	if shared {
		b.WriteString("if !r.Known.Facts {\nb = r.Rendered.append(b, r.sharedMembers)\n}\n")
	}
	b.WriteString("return b\n}\n")
}

// structOf is a struct, or that of which a slice is, or that a pointer points to.
func structOf(t reflect.Type) reflect.Type {
	if t.Kind() == reflect.Slice || t.Kind() == reflect.Pointer {
		return t.Elem()
	}
	return t
}

// member writes the statements that append a member.
func member(b *bytes.Buffer, f field) {
	path := "r." + f.goName
	if f.part {
		fmt.Fprintf(b, "b = %s.members(b)\n", path)
		return
	}
	if f.omit {
		fmt.Fprintf(b, "if %s {\n", set(path, f.typ))
	}
	if !f.inline {
		fmt.Fprintf(b, "b = append(b, `,%q:`...)\n", f.name)
	}
	switch w, ok := writers[f.typ]; {
	case ok && len(f.enum) > 0:
		fmt.Fprintf(b, "b = appendWord(b, %s)\n", path)
	case ok:
		fmt.Fprintf(b, w+"\n", path)
	case f.typ.Kind() == reflect.Slice:
		fmt.Fprintf(b, "b = append(b, '[')\nfor i := range %s {\nif i > 0 {\nb = append(b, ',')\n}\nstart := len(b)\nb = object(%s[i].members(b), start)\n}\nb = append(b, ']')\n", path, path)
	case structOf(f.typ).Kind() == reflect.Struct:
		start := "at" + f.goName
		nothing, noughts := noughtsOf(path, f.typ)
		if nothing != "" {
			fmt.Fprintf(b, "if %s {\nb = append(b, `%s`...)\n} else {\n", nothing, noughts)
		}
		fmt.Fprintf(b, "%s := len(b)\nb = object(%s.members(b), %s)\n", start, path, start)
		if nothing != "" {
			b.WriteString("}\n")
		}
	default:
		log.Fatalf("%s has type %s", path, f.typ)
	}
	if f.omit {
		b.WriteString("}\n")
	}
}

// noughtsOf is the condition that all figures of a struct are 0, and its JSON then: mostly they are. Empty
// for a struct that has other members than figures, or leaves some out.
func noughtsOf(path string, t reflect.Type) (condition, text string) {
	if t.Kind() == reflect.Pointer {
		return "", ""
	}
	var figures, members []string
	for _, f := range fieldsOf(t) {
		if f.omit || f.typ != reflect.TypeFor[uint64]() {
			return "", ""
		}
		figures, members = append(figures, path+"."+f.goName), append(members, fmt.Sprintf("%q:0", f.name))
	}
	return strings.Join(figures, "|") + " == 0", "{" + strings.Join(members, ",") + "}"
}

// set is the condition that a member is not zero.
func set(path string, t reflect.Type) string {
	switch {
	case t == reflect.TypeFor[netip.Addr]():
		return path + " != (netip.Addr{})"
	case t.Kind() == reflect.Struct:
		return path + " != (" + t.Name() + "{})"
	case t.Kind() == reflect.Pointer:
		return path + " != nil"
	case t.Kind() == reflect.Bool:
		return path
	case t.Kind() == reflect.String:
		return path + ` != ""`
	}
	return path + " != 0"
}
