package main

import (
	"bytes"
	"fmt"
	"log"
	"net/netip"
	"reflect"

	"github.com/netpol/netpol/enforcer/telemetry/record"
)

// writers are the statements that append a value, by its type.
var writers = map[reflect.Type]string{
	reflect.TypeFor[string]():             "b = AppendString(b, %s)",
	reflect.TypeFor[record.Reason]():      "b = AppendString(b, string(%s))",
	reflect.TypeFor[record.Kind]():        "b = AppendString(b, %s.String())",
	reflect.TypeFor[bool]():               "b = strconv.AppendBool(b, %s)",
	reflect.TypeFor[int]():                "b = strconv.AppendInt(b, int64(%s), 10)",
	reflect.TypeFor[int64]():              "b = strconv.AppendInt(b, %s, 10)",
	reflect.TypeFor[uint32]():             "b = strconv.AppendUint(b, uint64(%s), 10)",
	reflect.TypeFor[uint64]():             "b = strconv.AppendUint(b, %s, 10)",
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
	})
}

// members writes a method that appends members, and behind them those that are marked facts.
func members(b *bytes.Buffer, t reflect.Type, method string, list []field, shared bool) {
	fmt.Fprintf(b, "\nfunc (r *%s) %s(b []byte) []byte {\n", t.Name(), method)
	for _, run := range runs(list) {
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
	case ok:
		fmt.Fprintf(b, w+"\n", path)
	case f.typ.Kind() == reflect.Slice:
		fmt.Fprintf(b, "b = append(b, '[')\nfor i := range %s {\nif i > 0 {\nb = append(b, ',')\n}\nstart := len(b)\nb = object(%s[i].members(b), start)\n}\nb = append(b, ']')\n", path, path)
	case structOf(f.typ).Kind() == reflect.Struct:
		start := "at" + f.goName
		fmt.Fprintf(b, "%s := len(b)\nb = object(%s.members(b), %s)\n", start, path, start)
	default:
		log.Fatalf("%s has type %s", path, f.typ)
	}
	if f.omit {
		b.WriteString("}\n")
	}
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
