package importer

import (
	"fmt"
	"strings"
)

// Limits of names in the language (lang/decode_policy.go).
const (
	maxPolicyName = 128
	maxLabelName  = 63
)

// PolicyName makes a policy name of any text: other characters become a dash.
func PolicyName(s string) string {
	name := clean(s, func(c byte) bool { return isAlnum(c) || strings.IndexByte(" -_./:(),+", c) >= 0 })
	name = strings.TrimRight(strings.TrimLeft(name, " -_./:(),+"), " ")
	return cut(orElse(name, "imported"), maxPolicyName)
}

// LabelName makes a conntrack label's name of any text.
func LabelName(s string) string {
	name := clean(s, func(c byte) bool { return isAlnum(c) || c == '-' })
	name = orElse(strings.Trim(name, "-"), "label")
	if !isLetter(name[0]) {
		name = "l-" + name
	}
	if strings.HasPrefix(strings.ToLower(name), "np-") {
		name = "x-" + name
	}
	return cut(name, maxLabelName)
}

// GroupName makes an address group's name of any text.
func GroupName(s string) string {
	name := clean(s, func(c byte) bool { return isAlnum(c) || c == '-' || c == '_' })
	if name = orElse(strings.Trim(name, "-_"), "group"); !isLetter(name[0]) {
		name = "g-" + name
	}
	return cut(name, maxLabelName)
}

func clean(s string, keep func(byte) bool) string {
	var b strings.Builder
	for _, r := range s {
		if r < 0x80 && keep(byte(r)) {
			b.WriteRune(r)
		} else {
			b.WriteByte('-')
		}
	}
	return b.String()
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

func cut(s string, most int) string { return s[:min(len(s), most)] }

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

func isAlnum(c byte) bool { return isLetter(c) || '0' <= c && c <= '9' }

// Unique gives different texts different names. The zero value is ready.
type Unique struct {
	names map[string]string // text -> name
	taken map[string]bool
}

// Name is the name of a text: make(text) where that is free, else with a number
// after it. The same text gets the same name again.
func (u *Unique) Name(text string, make func(string) string, most int) string {
	if name, ok := u.names[text]; ok {
		return name
	}
	if u.names == nil {
		u.names, u.taken = map[string]string{}, map[string]bool{}
	}
	base := make(text)
	name := base
	for n := 2; u.taken[name]; n++ {
		suffix := fmt.Sprintf("-%d", n)
		name = cut(base, most-len(suffix)) + suffix
	}
	u.names[text], u.taken[name] = name, true
	return name
}

// Policy is Name for policies.
func (u *Unique) Policy(text string) string { return u.Name(text, PolicyName, maxPolicyName) }

// Rule is a policy's name for a rule that others may share a name with.
func (u *Unique) Rule(number int, name string) string {
	return u.Name(fmt.Sprintf("%d %s", number, name), func(string) string { return PolicyName(name) }, maxPolicyName)
}

// Label is Name for labels.
func (u *Unique) Label(text string) string { return u.Name(text, LabelName, maxLabelName) }

// Group is Name for address groups.
func (u *Unique) Group(text string) string { return u.Name(text, GroupName, maxLabelName) }
