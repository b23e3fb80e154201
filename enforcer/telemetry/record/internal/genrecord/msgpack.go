package main

import (
	"bytes"
	"fmt"
	"log"
	"net/netip"
	"reflect"

	"github.com/netpol/netpol/enforcer/telemetry/record"
)

// packers are the statements that append a value as MessagePack, by its type.
// The values are those of the JSON: one schema describes both.
var packers = map[reflect.Type]string{
	reflect.TypeFor[string]():            "b = packString(b, %s)",
	reflect.TypeFor[record.Reason]():     "b = packString(b, string(%s))",
	reflect.TypeFor[record.Kind]():       "b = packString(b, %s.String())",
	reflect.TypeFor[bool]():              "b = packBool(b, %s)",
	reflect.TypeFor[int]():               "b = packInt(b, int64(%s))",
	reflect.TypeFor[int64]():             "b = packInt(b, %s)",
	reflect.TypeFor[uint32]():            "b = packUint(b, uint64(%s))",
	reflect.TypeFor[uint64]():            "b = packUint(b, %s)",
	reflect.TypeFor[netip.Addr]():        "b = packAddr(b, %s)",
	reflect.TypeFor[[]string]():          "b = packStrings(b, %s)",
	reflect.TypeFor[[]uint64]():          "b = packNumbers(b, %s)",
	reflect.TypeFor[record.List]():       "b = packList(b, %s)",
	reflect.TypeFor[record.Hex16]():      "b = packHex16(b, %s)",
	reflect.TypeFor[record.Digest]():     "b = packDigest(b, %s)",
	reflect.TypeFor[record.Milli]():      "b = packMilli(b, %s)",
	reflect.TypeFor[[]record.Endpoint](): "b = packHosts(b, %s)",
}

// msgpackEncoders are the methods that write records as MessagePack. A part's says
// how many members it has, which stands before them.
func msgpackEncoders() []byte {
	return generated(`import "net/netip"`, packers, func(b *bytes.Buffer, t reflect.Type, whole bool) {
		if whole {
			fmt.Fprintf(b, "\n// AppendMsgpack appends the record as one map of MessagePack.\nfunc (r *%s) AppendMsgpack(b []byte) []byte {\n", t.Name())
			b.WriteString("start := len(b)\nb, n := r.pack(packOpen(b))\nreturn packClose(b, start, n)\n}\n")
		}
		own, facts := split(fieldsOf(t))
		packed(b, t, "pack", own, len(facts) > 0)
		if len(facts) > 0 {
			packed(b, t, "packSharedMembers", facts, false)
		}
		if names := namesOf(own); len(names) > 0 {
			packed(b, t, "packNameMembers", names, false)
		}
	})
}

// packed writes a method that appends members, and behind them those that are marked facts.
func packed(b *bytes.Buffer, t reflect.Type, method string, list []field, shared bool) {
	always := 0
	var body bytes.Buffer
	for _, run := range runs(list) {
		if run[0].named && method != "packNameMembers" {
			body.WriteString("b, nNames := r.Names.pack(b, r.packNameMembers)\nn += nNames\n")
			continue
		}
		if known := run[0].once; known != "" && !run[0].facts {
			fmt.Fprintf(&body, "if !r.Known.%s {\nn += %d\n", known, unconditional(run))
			packedMembers(&body, run)
			body.WriteString("}\n")
			continue
		}
		always += unconditional(run)
		packedMembers(&body, run)
	}
	if shared {
		body.WriteString("if !r.Known.Facts {\nnShared := 0\nb, nShared = r.Rendered.pack(b, r.packSharedMembers)\nn += nShared\n}\n")
	}
	fmt.Fprintf(b, "\nfunc (r *%s) %s(b []byte) ([]byte, int) {\nn := %d\n%sreturn b, n\n}\n", t.Name(), method, always, body.Bytes())
}

// unconditional is how many of some members there are in each record that has any of them.
func unconditional(list []field) (n int) {
	for _, f := range list {
		if !f.part && !f.omit && !f.inline {
			n++
		}
	}
	return n
}

func packedMembers(b *bytes.Buffer, list []field) {
	for _, f := range list {
		packedMember(b, f)
	}
}

// packedMember writes the statements that append a member.
func packedMember(b *bytes.Buffer, f field) {
	path := "r." + f.goName
	if f.part {
		fmt.Fprintf(b, "b, n%[1]s := %[2]s.pack(b)\nn += n%[1]s\n", f.goName, path)
		return
	}
	if f.omit {
		fmt.Fprintf(b, "if %s {\nn++\n", set(path, f.typ))
	}
	if f.inline {
		fmt.Fprintf(b, "n += len(%s)\n", path)
	} else {
		fmt.Fprintf(b, "b = append(b, %s...)\n", packedKey(f.name))
	}
	switch w, ok := packers[f.typ]; {
	case ok:
		fmt.Fprintf(b, w+"\n", path)
	case f.typ.Kind() == reflect.Slice:
		fmt.Fprintf(b, "b = packArray(b, len(%[1]s))\nfor i := range %[1]s {\nstart, count := len(b), 0\nb, count = %[1]s[i].pack(packOpen(b))\nb = packClose(b, start, count)\n}\n", path)
	case structOf(f.typ).Kind() == reflect.Struct:
		fmt.Fprintf(b, "at%[1]s, n%[1]s := len(b), 0\nb, n%[1]s = %[2]s.pack(packOpen(b))\nb = packClose(b, at%[1]s, n%[1]s)\n", f.goName, path)
	default:
		log.Fatalf("%s has type %s", path, f.typ)
	}
	if f.omit {
		b.WriteString("}\n")
	}
}

// packedKey is a member's name as a string of MessagePack, as a Go literal.
func packedKey(name string) string {
	if len(name) < 32 {
		return fmt.Sprintf("\"\\x%02x\" + %q", 0xa0|len(name), name)
	}
	return fmt.Sprintf("\"\\xd9\\x%02x\" + %q", len(name), name)
}
