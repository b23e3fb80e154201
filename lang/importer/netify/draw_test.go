package netify_test

import (
	"fmt"
	"net/netip"
	"regexp"
	"strconv"
	"strings"

	"pgregory.net/rapid"

	"github.com/netpol/netpol/lang/fact"
)

// Small worlds: few values, so that criteria and flows meet.
var (
	worldApps    = []string{"", "zoom", "facebook", "netflix"}
	worldProtos  = []string{"", "tls", "dns", "smtp"}
	worldCats    = []string{"", "games", "voip", "web"}
	worldHosts   = []string{"", "zoom.us", "us02web.zoom.us", "foo:8080", "cdn7.example.org", "example.org"}
	worldAddrs   = []string{"10.0.0.1", "10.1.2.3", "192.168.1.5", "2001:db8::1", "8.8.8.8"}
	worldBlocks  = []string{"10.0.0.0/8", "10.1.0.0/16", "192.168.1.5/32", "2001:db8::/32", "0.0.0.0/0", "::/0"}
	worldPorts   = []int{0, 1, 53, 443, 1023, 1024, 65535}
	worldVLANs   = []int{0, 1, 10, 4095}
	worldTLS     = []int{0, 0x0301, 0x0302, 0x0303, 0x0304}
	worldIfaces  = []string{"", "br-lan", "eth0.10", "wan"}
	worldRegexes = []string{"^cdn[0-9]+", "zoom", "(zoom|example)", "ORG$", `\.us`, "^$", "o{2}"}
)

func drawFacts(t *rapid.T) *fact.Facts {
	pick := func(list []string, name string) string { return rapid.SampledFrom(list).Draw(t, name) }
	number := func(list []int, name string) int { return rapid.SampledFrom(list).Draw(t, name) }
	return &fact.Facts{
		Application: pick(worldApps, "app"), Protocol: pick(worldProtos, "proto"),
		ApplicationCategory: pick(worldCats, "app cat"), ProtocolCategory: pick(worldCats, "proto cat"), DomainCategory: pick(worldCats, "dom cat"),
		Hostname: pick(worldHosts, "host"), DNSHostname: pick(worldHosts, "dns host"),
		Guessed: rapid.Bool().Draw(t, "guessed"), Complete: rapid.Bool().Draw(t, "complete"),
		LocalIP: netip.MustParseAddr(pick(worldAddrs, "local")), OtherIP: netip.MustParseAddr(pick(worldAddrs, "other")),
		LocalPort: number(worldPorts, "local port"), OtherPort: number(worldPorts, "other port"),
		IPProtocol: number([]int{1, 6, 17, 58}, "ip proto"), IPVersion: number([]int{4, 6}, "version"),
		VLANID: number(worldVLANs, "vlan"), TLSVersion: number(worldTLS, "tls"), Interface: pick(worldIfaces, "iface"),
	}
}

func drawAtom(t *rapid.T) term {
	kinds := []func(*rapid.T) term{drawNumber, drawNumber, drawName, drawName, drawCategory, drawHost, drawAddress, drawFlag, drawInterface}
	return rapid.SampledFrom(kinds).Draw(t, "kind")(t)
}

// decorate writes a comparison with more or less space.
func compared(t *rapid.T, name, op, value string) string {
	sep := rapid.SampledFrom([]string{" ", "", "  "}).Draw(t, "space")
	return name + sep + op + sep + value
}

func equality(t *rapid.T) (string, bool) {
	if rapid.Bool().Draw(t, "equal") {
		return "==", true
	}
	return "!=", false
}

// known draws attr or !attr.
func known(t *rapid.T, name string, is func(*fact.Facts) bool) term {
	if rapid.Bool().Draw(t, "not") {
		return term{text: rapid.SampledFrom([]string{"!", "! "}).Draw(t, "bang") + name, holds: func(f *fact.Facts) bool { return !is(f) }}
	}
	return term{text: name, holds: is}
}

func drawNumber(t *rapid.T) term {
	type row struct {
		name   string
		get    func(*fact.Facts) int
		values []int
	}
	r := rapid.SampledFrom([]row{
		{"local_port", func(f *fact.Facts) int { return f.LocalPort }, append(worldPorts, 65536, 70000)},
		{"other_port", func(f *fact.Facts) int { return f.OtherPort }, append(worldPorts, -1, 99999)},
		{"remote_port", func(f *fact.Facts) int { return f.OtherPort }, worldPorts},
		{"vlan_id", func(f *fact.Facts) int { return f.VLANID }, append(worldVLANs, 5000, -3)},
		{"vlan", func(f *fact.Facts) int { return f.VLANID }, worldVLANs},
		{"ip_protocol", func(f *fact.Facts) int { return f.IPProtocol }, []int{0, 6, 17, 255, 256}},
		{"tls_version", func(f *fact.Facts) int { return f.TLSVersion }, []int{0, 0x0301, 0x0302, 0x0303, 0x0304}},
		{"ip_version", func(f *fact.Facts) int { return f.IPVersion }, []int{4, 5, 6}},
	}).Draw(t, "number")
	v := rapid.SampledFrom(r.values).Draw(t, "value")
	if r.name == "ip_version" {
		op, equal := equality(t)
		return term{text: compared(t, r.name, op, strconv.Itoa(v)), holds: func(f *fact.Facts) bool { return (r.get(f) == v) == equal }}
	}
	if rapid.IntRange(0, 4).Draw(t, "bare") == 0 {
		return known(t, r.name, func(f *fact.Facts) bool { return r.get(f) != 0 })
	}
	op := rapid.SampledFrom([]string{"==", "!=", "<", "<=", ">", ">="}).Draw(t, "op")
	text, x := strconv.Itoa(v), float64(v)
	switch form := rapid.IntRange(0, 3).Draw(t, "form"); {
	case form == 0 && v >= 0:
		text = fmt.Sprintf("0x%X", v)
	case form == 1 && r.name != "tls_version":
		text, x = fmt.Sprintf("%d.5", v), x+0.5
		if v < 0 {
			x = float64(v) - 0.5
		}
	}
	return term{text: compared(t, r.name, op, text), holds: func(f *fact.Facts) bool { return order(op, float64(r.get(f)), x) }}
}

func order(op string, a, b float64) bool {
	switch op {
	case "==":
		return a == b
	case "!=":
		return a != b
	case "<":
		return a < b
	case "<=":
		return a <= b
	case ">":
		return a > b
	}
	return a >= b
}

func drawName(t *rapid.T) term {
	type row struct {
		name, prefix string
		get          func(*fact.Facts) string
		values       []string
		bare         bool
	}
	r := rapid.SampledFrom([]row{
		{"app", "netify.", func(f *fact.Facts) string { return f.Application }, worldApps[1:], true},
		{"application", "", func(f *fact.Facts) string { return f.Application }, worldApps[1:], true},
		{"proto", "", func(f *fact.Facts) string { return f.Protocol }, worldProtos[1:], true},
		{"protocol_id", "", func(f *fact.Facts) string { return f.Protocol }, worldProtos[1:], true},
		{"app_category", "", func(f *fact.Facts) string { return f.ApplicationCategory }, worldCats[1:], false},
		{"proto_category", "", func(f *fact.Facts) string { return f.ProtocolCategory }, worldCats[1:], false},
	}).Draw(t, "name")
	if r.bare && rapid.IntRange(0, 4).Draw(t, "bare") == 0 {
		return known(t, r.name, func(f *fact.Facts) bool { return r.get(f) != "" })
	}
	op, equal := equality(t)
	v := rapid.SampledFrom(r.values).Draw(t, "value")
	spelled := v
	if rapid.Bool().Draw(t, "capitals") {
		spelled = strings.ToUpper(v)
	}
	return term{text: compared(t, r.name, op, "'"+r.prefix+spelled+"'"), holds: func(f *fact.Facts) bool { return (r.get(f) == v) == equal }}
}

// drawCategory draws a comparison with any category; != is an or of both.
func drawCategory(t *rapid.T) term {
	op, equal := equality(t)
	v := rapid.SampledFrom(worldCats[1:]).Draw(t, "value")
	return term{text: compared(t, rapid.SampledFrom([]string{"category", "cat"}).Draw(t, "name"), op, `"`+v+`"`), holds: func(f *fact.Facts) bool {
		return (f.ApplicationCategory == v) == equal || (f.DomainCategory == v) == equal
	}}
}

func drawHost(t *rapid.T) term {
	name, get := "detected_hostname", func(f *fact.Facts) string { return f.Hostname }
	if rapid.Bool().Draw(t, "dns") {
		name, get = "dns_hostname", func(f *fact.Facts) string { return f.DNSHostname }
	}
	op, equal := equality(t)
	switch rapid.IntRange(0, 2).Draw(t, "host") {
	case 0:
		return known(t, name, func(f *fact.Facts) bool { return get(f) != "" })
	case 1:
		p := rapid.SampledFrom(worldRegexes).Draw(t, "regex")
		re := regexp.MustCompile("(?i)" + p)
		return term{text: compared(t, name, op, "'rx:"+p+"'"), holds: func(f *fact.Facts) bool { return re.MatchString(get(f)) == equal }}
	}
	v := rapid.SampledFrom(worldHosts[1:]).Draw(t, "value")
	return term{text: compared(t, name, op, "'"+strings.ToUpper(v)+"'"), holds: func(f *fact.Facts) bool { return (get(f) == v) == equal }}
}

func drawAddress(t *rapid.T) term {
	op, equal := equality(t)
	v := rapid.SampledFrom(append(worldAddrs, worldBlocks...)).Draw(t, "value")
	inside := func(a netip.Addr) bool {
		if p, err := netip.ParsePrefix(v); err == nil {
			return p.Contains(a)
		}
		return a == netip.MustParseAddr(v)
	}
	name := rapid.SampledFrom([]string{"local_ip", "other_ip", "ip"}).Draw(t, "name")
	return term{text: compared(t, name, op, v), holds: func(f *fact.Facts) bool {
		switch {
		case name == "other_ip":
			return inside(f.OtherIP) == equal
		case name == "ip" && !equal: // true if either differs; == looks at the local side only
			return !inside(f.LocalIP) || !inside(f.OtherIP)
		}
		return inside(f.LocalIP) == equal
	}}
}

func drawFlag(t *rapid.T) term {
	name, get := "detection_guessed", func(f *fact.Facts) bool { return f.Guessed }
	if rapid.Bool().Draw(t, "complete") {
		name, get = "detection_complete", func(f *fact.Facts) bool { return f.Complete }
	}
	if rapid.Bool().Draw(t, "bare") {
		return known(t, name, get)
	}
	op, equal := equality(t)
	v := rapid.Bool().Draw(t, "value")
	return term{text: compared(t, name, op, rapid.SampledFrom([]string{"%t", "%T"}).Draw(t, "case")), holds: nil}.flag(v, func(f *fact.Facts) bool { return (get(f) == v) == equal })
}

// flag fills in the value of a comparison with true or false.
func (t term) flag(v bool, holds func(*fact.Facts) bool) term {
	t.text = strings.NewReplacer("%t", strconv.FormatBool(v), "%T", strings.ToUpper(strconv.FormatBool(v))).Replace(t.text)
	t.holds = holds
	return t
}

func drawInterface(t *rapid.T) term {
	op, equal := equality(t)
	v := rapid.SampledFrom(append(worldIfaces[1:], "no:interface")).Draw(t, "value")
	return term{text: compared(t, "iface", op, "'"+v+"'"), holds: func(f *fact.Facts) bool { return (f.Interface == v) == equal }}
}
