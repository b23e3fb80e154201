package flowfacts

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/netpol/netpol/enforcer/classify"
	"github.com/netpol/netpol/lang/fact"
)

// Pair is an attribute of a flow and its value as criteria write it.
type Pair struct {
	Name  string `json:"attribute"`
	Value string `json:"value"`
}

// Text is the value of an attribute as Set reads it; empty when not known. A
// flag is always "true" or "false".
func Text(f *fact.Facts, a fact.Attribute) string {
	switch v := fieldOf(f, a).Interface().(type) {
	case string:
		return v
	case int:
		return NumberText(a, v)
	case bool:
		return strconv.FormatBool(v)
	case netip.Addr:
		if v.IsValid() {
			return v.String()
		}
	}
	return ""
}

// NumberText is a value of a numeric attribute as Set reads it.
func NumberText(a fact.Attribute, v int) string {
	switch {
	case a.Type == fact.TimeOfDay:
		if v%60 == 0 {
			return fmt.Sprintf("%02d:%02d", v/3600, v/60%60)
		}
		return fmt.Sprintf("%02d:%02d:%02d", v/3600, v/60%60, v%60)
	case a.Type == fact.TLSVersion:
		for name, n := range tlsVersions {
			if n == v {
				return name
			}
		}
		if v == 0 {
			return ""
		}
		return fmt.Sprintf("%#04x", v)
	case a.Name == "tls_cipher" && v != 0:
		return fact.CipherName(v)
	case a.Name == "ip_protocol":
		for name, n := range ipProtocols {
			if n == v {
				return name
			}
		}
	}
	return strconv.Itoa(v)
}

// Known lists the attributes that have a value other than the zero one and say
// something that others do not, in the order of the documentation.
func Known(f *fact.Facts) []Pair {
	var out []Pair
	for _, a := range fact.Attributes {
		if !fieldOf(f, a).IsZero() && classify.Telling(f, a.Name) {
			out = append(out, Pair{a.Name, Text(f, a)})
		}
	}
	return out
}

// String writes pairs as a criterion would: application = 'zoom', dst_port = 443.
func String(pairs []Pair) string {
	if len(pairs) == 0 {
		return "a flow of which nothing is known"
	}
	parts := make([]string, len(pairs))
	for i, p := range pairs {
		parts[i] = p.Name + " = " + quoted(p)
	}
	return strings.Join(parts, ", ")
}

// quoted is the value as criteria write it: numbers and flags bare.
func quoted(p Pair) string {
	a, _ := fact.Lookup(p.Name)
	switch a.Type {
	case fact.Number, fact.Port:
		if _, err := strconv.Atoi(p.Value); err == nil {
			return p.Value
		}
	case fact.Flag:
		return p.Value
	default:
	}
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(p.Value) + "'"
}

// Restore makes facts of pairs that the enforcer itself has written; unlike
// Set it takes every text as it is.
func Restore(pairs []Pair) *fact.Facts {
	f := new(fact.Facts)
	for _, p := range pairs {
		a, ok := fact.Lookup(p.Name)
		if !ok {
			continue
		}
		field := fieldOf(f, a)
		if _, text := field.Interface().(string); text {
			field.SetString(p.Value)
			continue
		}
		_ = Set(f, a, p.Value, nil) // what the enforcer wrote can be read; numbers and addresses need no catalogue
	}
	return f
}
