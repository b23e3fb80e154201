package propose

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// plainName is an interface that criteria can name: no pattern.
var plainName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._@-]{0,14}$`)

// values reads the right side of a test. outer says that it may be a set.
func (r nftReader) values(in *nftRule, f field, body json.RawMessage, outer bool) ([]string, error) {
	var number int
	if json.Unmarshal(body, &number) == nil {
		return fieldValue(f, strconv.Itoa(number))
	}
	var text string
	if json.Unmarshal(body, &text) == nil {
		if name, isSet := strings.CutPrefix(text, "@"); isSet && outer {
			return r.all(in, f, r.sets[in.Family+" "+in.Table+" "+name], "the set "+text)
		}
		return fieldValue(f, text)
	}
	var v struct {
		Set    []json.RawMessage
		Range  []json.RawMessage
		Prefix *struct {
			Addr string
			Len  int
		}
		Elem *struct{ Val json.RawMessage }
	}
	switch err := json.Unmarshal(body, &v); {
	case err != nil:
	case v.Elem != nil: // with a time-out, a counter or a comment of its own
		return r.values(in, f, v.Elem.Val, false)
	case v.Prefix != nil:
		return fieldValue(f, fmt.Sprintf("%s/%d", v.Prefix.Addr, v.Prefix.Len))
	case len(v.Range) == 2:
		return r.rangeOf(f, short(v.Range[0]), short(v.Range[1]))
	case v.Set != nil && outer:
		return r.all(in, f, v.Set, "its list")
	}
	return nil, fmt.Errorf("policies cannot ask for %s", short(body))
}

func (r nftReader) all(in *nftRule, f field, elements []json.RawMessage, what string) ([]string, error) {
	if len(elements) == 0 || len(elements) > maxElements {
		return nil, fmt.Errorf("%s has %d elements; see set and address_group", what, len(elements))
	}
	var out []string
	for _, e := range elements {
		values, err := r.values(in, f, e, false)
		if err != nil {
			return nil, err
		}
		out = append(out, values...)
	}
	return out, nil
}

func (r nftReader) rangeOf(f field, from, to string) ([]string, error) {
	if f == sourceAddress || f == targetAddress {
		return addressRange(from, to)
	}
	a, err1 := strconv.Atoi(from)
	b, err2 := strconv.Atoi(to)
	if err1 != nil || err2 != nil || f != sourcePort && f != targetPort {
		return nil, fmt.Errorf("policies cannot ask for %s-%s", from, to)
	}
	text, err := portRange(a, b)
	return []string{text}, err
}

// fieldValue is one value as criteria write it.
func fieldValue(f field, text string) ([]string, error) {
	switch f {
	case sourceAddress, targetAddress:
		text, err := address(text)
		return []string{text}, err
	case sourcePort, targetPort:
		n, err := strconv.Atoi(text)
		if err != nil {
			return nil, fmt.Errorf("policies cannot ask for the port %q", text)
		}
		text, err := portRange(n, n)
		return []string{text}, err
	case version:
		switch text {
		case "ipv4", "2":
			return []string{"4"}, nil
		case "ipv6", "10":
			return []string{"6"}, nil
		}
		return nil, fmt.Errorf("policies cannot ask for the protocol family %q", text)
	case protocol:
		if text == "ipv6-icmp" {
			text = "icmpv6"
		}
		_, err := strconv.Atoi(text)
		if err == nil || slices.Contains([]string{"tcp", "udp", "icmp", "icmpv6", "sctp"}, text) {
			return []string{text}, nil
		}
		return nil, fmt.Errorf("policies cannot ask for the IP protocol %q by its name", text)
	case inInterface:
		if !plainName.MatchString(text) || text == "lo" {
			return nil, fmt.Errorf("policies cannot ask for the interface %q", text)
		}
	}
	return []string{text}, nil
}

// short is a value for people, as nft writes it, and not longer than a line.
func short(body json.RawMessage) string {
	const longest = 120 // bytes
	text := nftText(body)
	if len(text) > longest {
		return strings.ToValidUTF8(text[:longest], "") + "..."
	}
	return text
}

func nftText(body json.RawMessage) string {
	var text string
	if json.Unmarshal(body, &text) == nil {
		return text
	}
	var v struct {
		Set, Range, Concat []json.RawMessage
		Or                 []json.RawMessage `json:"|"`
		And                []json.RawMessage `json:"&"`
		Xor                []json.RawMessage `json:"^"`
		Prefix             *struct {
			Addr string
			Len  int
		}
		Elem    *struct{ Val json.RawMessage }
		Map     *struct{ Key, Data json.RawMessage }
		Payload *struct{ Protocol, Field string }
		Meta    *struct{ Key string }
		CT      *struct{ Key string }
	}
	var pair []json.RawMessage
	switch {
	case json.Unmarshal(body, &pair) == nil:
		return joined(pair, " : ")
	case json.Unmarshal(body, &v) != nil:
	case v.Set != nil:
		return "{ " + joined(v.Set, ", ") + " }"
	case v.Range != nil:
		return joined(v.Range, "-")
	case v.Concat != nil:
		return joined(v.Concat, " . ")
	case v.Or != nil:
		return joined(v.Or, " | ")
	case v.And != nil:
		return joined(v.And, " & ")
	case v.Xor != nil:
		return joined(v.Xor, " ^ ")
	case v.Prefix != nil:
		return fmt.Sprintf("%s/%d", v.Prefix.Addr, v.Prefix.Len)
	case v.Elem != nil:
		return nftText(v.Elem.Val)
	case v.Map != nil:
		return nftText(v.Map.Key) + " map " + nftText(v.Map.Data)
	case v.Payload != nil:
		return v.Payload.Protocol + " " + v.Payload.Field
	case v.Meta != nil:
		return "meta " + v.Meta.Key
	case v.CT != nil:
		return "ct " + v.CT.Key
	}
	return string(body) // a number, a word such as true
}

func joined(list []json.RawMessage, with string) string {
	parts := make([]string, len(list))
	for i, body := range list {
		parts[i] = nftText(body)
	}
	return strings.Join(parts, with)
}
