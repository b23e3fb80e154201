package flowfacts

import (
	"fmt"
	"maps"
	"math"
	"net"
	"net/netip"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/lang"
	"github.com/netpol/netpol/lang/diag"
	"github.com/netpol/netpol/lang/fact"
	"github.com/netpol/netpol/lang/suggest"
)

// Set gives an attribute the value that text says. What is wrong with it comes
// back as a diagnostic without a place, nil if nothing is. An empty text means
// "not known".
func Set(f *fact.Facts, a fact.Attribute, text string, cat *artifact.Catalogue) *diag.Diagnostic {
	field := fieldOf(f, a)
	if text == "" {
		field.SetZero()
		return nil
	}
	if a.Decided == fact.Measured {
		return fault(diag.NotDecided, "%s is measured of connections, and policies are decided before: a flow that they are tried on has none. Leave it out.", a.Name)
	}
	switch field.Interface().(type) {
	case string:
		s, d := parseText(a, text, cat)
		if d == nil {
			field.SetString(s)
		}
		return d
	case int:
		n, d := parseNumber(a, text)
		if d == nil {
			field.SetInt(int64(n))
		}
		return d
	case bool:
		on, err := strconv.ParseBool(text)
		if err != nil {
			return fault(diag.WrongConstant, "%s is true or false, not %q.", a.Name, text)
		}
		field.SetBool(on)
	case netip.Addr:
		addr, err := netip.ParseAddr(text)
		if err != nil || addr.Zone() != "" {
			return fault(diag.InvalidAddress, "%s is one IPv4 or IPv6 address, not %q.", a.Name, text)
		}
		field.Set(reflect.ValueOf(addr.Unmap()))
	default:
		return fault(diag.WrongValueType, "%s cannot be written here.", a.Name)
	}
	return nil
}

func fieldOf(f *fact.Facts, a fact.Attribute) reflect.Value {
	return reflect.ValueOf(f).Elem().FieldByName(a.Field)
}

// Number is the value of an attribute that is a number; 0 for another one.
func Number(f *fact.Facts, a fact.Attribute) int {
	n, _ := fieldOf(f, a).Interface().(int)
	return n
}

func fault(code, format string, args ...any) *diag.Diagnostic {
	d := diag.New(code, diag.Range{}, fmt.Sprintf(format, args...))
	return &d
}

// parseText checks a text against what its type allows. Facts hold names of
// every kind in lower case.
func parseText(a fact.Attribute, text string, cat *artifact.Catalogue) (string, *diag.Diagnostic) {
	switch a.Type {
	case fact.ApplicationName:
		return tag(diag.UnknownApplication, "application", text, tags(cat.Applications, func(x artifact.Application) string { return x.Tag }))
	case fact.BrandName:
		return tag(diag.UnknownBrand, "brand", text, brands(cat))
	case fact.ProtocolName:
		return tag(diag.UnknownProtocol, "protocol", text, tags(cat.Protocols, func(x artifact.Protocol) string { return x.Tag }))
	case fact.CategoryName:
		return tag(diag.UnknownCategory, "category", text, tags(cat.Categories, func(x artifact.Category) string { return x.Tag }))
	case fact.EvidenceName:
		return tag(diag.UnknownEvidence, "evidence", text, fact.Evidences)
	case fact.MAC:
		mac, err := net.ParseMAC(text)
		if err != nil || len(mac) != 6 {
			return "", fault(diag.InvalidMAC, "A MAC address is six bytes in hexadecimal digits, such as '02:00:5e:10:00:01'.")
		}
		return mac.String(), nil
	case fact.EnumName:
		return tag(diag.WrongConstant, a.Name, text, a.Values)
	case fact.Hostname:
		name, d := lang.ParseDomain(text)
		if d.Code != "" {
			d.Detail = fmt.Sprintf("%s is a host name: %s", a.Name, d.Detail)
			return "", &d
		}
		return name, nil
	case fact.TextList:
		for word := range strings.SplitSeq(text, ",") {
			if a.Values != nil && !slices.Contains(a.Values, word) {
				d := fault(diag.WrongConstant, "%s holds %s, not %q.", a.Name, strings.Join(a.Values, ", "), word)
				d.Hint = suggest.Hint(word, a.Values)
				return "", d
			}
		}
		return text, nil
	default:
		return text, nil
	}
}

// brands are the applications that are part of no other.
func brands(cat *artifact.Catalogue) []string {
	var out []string
	for _, a := range cat.Applications {
		if a.Brand == "" {
			out = append(out, a.Tag)
		}
	}
	return out
}

func tags[T any](list []T, name func(T) string) []string {
	out := make([]string, len(list))
	for i, x := range list {
		out[i] = name(x)
	}
	return out
}

func tag(code, what, text string, known []string) (string, *diag.Diagnostic) {
	word := strings.ToLower(text)
	if slices.Contains(known, word) {
		return word, nil
	}
	d := fault(code, "No %s is named %q.", what, text)
	if len(known) <= 8 {
		d.Detail = fmt.Sprintf("%s is one of %s, not %q.", what, strings.Join(known, ", "), text)
	}
	d.Hint = suggest.Hint(word, known)
	return "", d
}

// parseNumber reads a number, or one of the names that some numbers have.
func parseNumber(a fact.Attribute, text string) (int, *diag.Diagnostic) {
	switch a.Type {
	case fact.TLSVersion:
		return parseTLS(text)
	case fact.TimeOfDay:
		return parseTimeOfDay(a, text)
	default:
	}
	if a.Name == "ip_protocol" {
		if n, ok := ipProtocols[strings.ToLower(text)]; ok {
			return n, nil
		}
	}
	if a.Name == "tls_cipher" {
		if n, ok := fact.CipherNumber(text); ok {
			return n, nil
		}
	}
	low, high := Domain(a)
	n, err := strconv.ParseInt(text, 0, 64)
	if err != nil {
		var ok bool
		if n, ok = inUnits(a, text); !ok {
			return 0, notNumber(a, text)
		}
	}
	if int(n) < low || int(n) > high {
		code := diag.NumberOutOfRange
		if a.Type == fact.Port {
			code = diag.InvalidPort
		}
		return 0, fault(code, "%s is a number from %d to %d.", a.Name, low, high)
	}
	return int(n), nil
}

// notNumber says what an attribute's numbers may be written as.
func notNumber(a fact.Attribute, text string) *diag.Diagnostic {
	d := fault(diag.WrongConstant, "%s is a number, not %q.", a.Name, text)
	if examples, ok := map[string]string{"bytes": "20MB or 512KiB", "bytes per second": "2MB/s or 10Mbit/s", "seconds": "90s or 5m"}[a.Unit]; ok {
		d.Detail = fmt.Sprintf("%s is a number of %s, or a text such as %s; not %q.", a.Name, a.Unit, examples, text)
	}
	switch a.Name {
	case "ip_protocol":
		known := slices.Sorted(maps.Keys(ipProtocols))
		d.Detail = fmt.Sprintf("ip_protocol is a number or one of %s, not %q.", strings.Join(known, ", "), text)
		d.Hint = suggest.Hint(text, known)
	case "tls_cipher":
		d.Detail = fmt.Sprintf("tls_cipher is a number such as 0x1301, or the registered name of a cipher suite, not %q.", text)
		d.Hint = suggest.Hint(text, slices.Sorted(slices.Values(fact.CipherNames())))
	}
	return d
}

// ipProtocols are the names that ip_protocol may be written with, the same as
// in criteria (IANA protocol numbers).
var ipProtocols = map[string]int{"icmp": 1, "igmp": 2, "tcp": 6, "udp": 17, "gre": 47, "esp": 50, "ah": 51, "icmpv6": 58, "sctp": 132}

// maxNumber bounds numbers that nothing else bounds: what a program of 32 bits
// can hold, and more than any flow has where programs have more.
const (
	maxNumber  = 1<<31 - 1
	maxCounted = min(math.MaxInt, 1<<53)
)

// parseTimeOfDay reads 18:30 or 18:30:15 as seconds since midnight.
func parseTimeOfDay(a fact.Attribute, text string) (int, *diag.Diagnostic) {
	for _, form := range []string{"15:04", "15:04:05"} {
		if t, err := time.Parse(form, text); err == nil {
			return t.Hour()*3600 + t.Minute()*60 + t.Second(), nil
		}
	}
	return 0, fault(diag.WrongConstant, "%s is written '18:30' or '18:30:00', not %q.", a.Name, text)
}

// Domain is the least and the greatest value that a numeric attribute can have.
func Domain(a fact.Attribute) (low, high int) {
	switch a.Type {
	case fact.Port:
		return 0, 65535
	case fact.TLSVersion:
		return 0, 0x0304
	default:
	}
	switch a.Name {
	case "ip_protocol":
		return 0, 255
	case "ip_version":
		return 4, 6
	case "vlan_id":
		return 0, 4095
	case "ip_dscp":
		return 0, 63
	case "confidence":
		return 0, 100
	case "tls_cipher":
		return 0, 0xffff
	case "ct_mark":
		return 0, min(math.MaxInt, math.MaxUint32)
	}
	switch {
	case a.Type == fact.TimeOfDay:
		return 0, artifact.SecondsPerDay - 1
	case a.Unit == "bytes", a.Unit == "packets", a.Unit == "bytes per second":
		return 0, maxCounted
	}
	return 0, maxNumber
}

// tlsVersions are the wire values of RFC 8446 section 4.1.2, written as in
// criteria.
var tlsVersions = map[string]int{"ssl3": 0x0300, "1.0": 0x0301, "1.1": 0x0302, "1.2": 0x0303, "1.3": 0x0304}

func parseTLS(text string) (int, *diag.Diagnostic) {
	word := strings.ToLower(text)
	for _, prefix := range []string{"dtlsv", "tlsv", "tls"} { // flow records write TLSv1.2
		word = strings.TrimPrefix(word, prefix)
	}
	if word == "sslv3" {
		word = "ssl3"
	}
	if word == "1" { // HCL writes the number 1.0 so
		word = "1.0"
	}
	if v, ok := tlsVersions[word]; ok {
		return v, nil
	}
	if hex, ok := strings.CutPrefix(word, "0x"); ok {
		if n, err := strconv.ParseUint(hex, 16, 16); err == nil {
			return int(n), nil // another version, as a flow record writes it
		}
	}
	return 0, fault(diag.InvalidTLSVersion, "TLS versions are '1.0', '1.1', '1.2' and '1.3', and 'ssl3'.")
}
