package lang

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/netpol/netpol/lang/diag"
	"github.com/netpol/netpol/lang/quantity"
	"github.com/netpol/netpol/lang/suggest"
)

// Bounds of sets.
const (
	maxSets       = 256     // blocks; each is a set of the kernel's, or two
	maxSetSize    = 1 << 24 // a gigabyte of elements
	maxAdds       = 64      // sets of one policy
	minSetTimeout = 15 * time.Second
	// maxSetTimeout is ipset's (IPSET_MAX_TIMEOUT).
	maxSetTimeout = 2147483 * time.Second
	// defaultSetTimeout is how long what a dead netpold put into managed sets
	// stays there.
	defaultSetTimeout = 15 * time.Minute
	defaultSetSize    = 65536
	maxIpsetName      = 31 // IPSET_MAXNAMELEN, with a NUL
	maxNftName        = 63 // sets had names of 31 bytes once, and have 255 now
)

// setArguments are those of a set block.
func setArguments() []string {
	return []string{
		"address", "description", "families", "family", "flush_on_create", "flush_on_destroy", "kind", "managed", "name",
		"size", "skb_mark", "skb_prio", "skb_queue", "table", "timeout", "type",
	}
}

// SetFields are the words of which the type of a set of nftables is made.
func SetFields() []string {
	return []string{"local_addr", "other_addr", "local_mac", "other_mac", "local_port", "other_port", "ip_proto", "mark", "interface"}
}

// ipsetTypes are the types of ipsets, with a and b for the two sides.
func ipsetTypes() map[string][]string {
	return map[string][]string{
		"hash:ip": {"a_addr"}, "hash:net": {"a_addr"}, "hash:mac": {"a_mac"},
		"hash:ip,port": {"a_addr", "a_port"}, "hash:net,port": {"a_addr", "a_port"},
		"hash:ip,port,ip": {"a_addr", "a_port", "b_addr"}, "hash:ip,port,net": {"a_addr", "a_port", "b_addr"},
		"hash:net,port,net": {"a_addr", "a_port", "b_addr"}, "hash:net,net": {"a_addr", "b_addr"},
		"hash:ip,mac": {"a_addr", "a_mac"}, "hash:ip,mark": {"a_addr", "mark"}, "hash:net,iface": {"a_addr", "interface"},
	}
}

// kernelName is what names of sets and tables may be in both tools.
var kernelName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_./-]*$`)

func (d *decoder) decodeSet(b *hclsyntax.Block) {
	s := &FlowSet{Name: d.qualify(b.Labels[0]), Module: d.module, Range: headerRange(b)}
	if !d.checkGroupName(b, "a set") {
		return
	}
	before := len(d.diags)
	s.Description = d.text(b, "description", `"flows to drop"`).Value
	s.Kind = d.word(diag.InvalidSet, b, "kind", []string{"nft", "ipset"}, "")
	if s.Kind == "" {
		if d.require(b, "kind", `kind = "nft"`) == nil || len(d.diags) > before {
			return
		}
	}
	if s.Kind == "nft" {
		d.setPlace(b, s)
		d.setFields(b, s)
	} else {
		d.ipsetType(b, s)
	}
	d.setFamilies(b, s)
	s.Managed = d.flag(b, "managed", s.Kind == "nft" && s.Table == "")
	s.FlushOnCreate = d.flag(b, "flush_on_create", false)
	s.FlushOnDestroy = d.flag(b, "flush_on_destroy", false)
	s.Size = uint32(d.number(b, "size", 1, maxSetSize, defaultSetSize))
	s.Timeout = d.setTimeout(b, s)
	d.setName(b, s)
	d.skbInfo(b, s)
	if s.Kind == "nft" && s.Table == "" && !s.Managed {
		d.badSet(b, "managed", "A set without a table stands in netpol's own, so that nobody else could create it. Leave managed out, or name the table that the set is in.")
	}
	if len(d.diags) > before || !d.define("set "+b.Labels[0], fmt.Sprintf("set %q", b.Labels[0]), s.Range) {
		return
	}
	if len(d.out.Sets) == maxSets {
		d.diags.Add(diag.New(diag.TooLarge, s.Range, fmt.Sprintf("A policy set has at most %d sets. Use one set in several policies.", maxSets)))
	}
	d.out.Sets = append(d.out.Sets, s)
}

// badSet reports an argument of a set.
func (d *decoder) badSet(b *hclsyntax.Block, name, detail string) *diag.Diagnostic {
	return d.badArgument(diag.InvalidSet, b, name, detail)
}

// setPlace reads the table of a set.
func (d *decoder) setPlace(b *hclsyntax.Block, s *FlowSet) {
	s.Family = d.word(diag.InvalidSet, b, "family", []string{"inet", "ip", "ip6"}, "inet")
	if t := d.text(b, "table", `"fw4"`); !t.Range.IsZero() {
		s.Table = t.Value
		switch {
		case !kernelName.MatchString(s.Table) || len(s.Table) > maxNftName:
			d.badSet(b, "table", fmt.Sprintf("%q is not a name of a table: it begins with a letter, and holds letters, digits and _ . / -.", s.Table))
		case s.Table == "netpol":
			d.badSet(b, "table", "The table netpol is made anew by every apply, and nothing of another's stays in it. Leave table out for one of netpol's own that stays.")
		}
	} else if _, ok := b.Body.Attributes["family"]; ok {
		d.badSet(b, "family", "Without a table the set is in netpol's own, whose family is inet. Name the table as well, or leave family out.")
	}
	for _, name := range []string{"address", "skb_mark", "skb_prio", "skb_queue"} {
		if _, ok := b.Body.Attributes[name]; ok {
			d.badSet(b, name, name+" is for ipsets. The type of a set of nftables names the side of each field, as other_addr does.")
		}
	}
}

// setFields reads the type of a set of nftables.
func (d *decoder) setFields(b *hclsyntax.Block, s *FlowSet) {
	if d.require(b, "type", `type = ["local_addr", "ip_proto", "other_port", "other_addr"]`) == nil {
		return
	}
	before := len(d.diags)
	list := d.textOrList(b, "type", `"local_addr"`)
	for _, t := range list {
		if !slices.Contains(SetFields(), t.Value) {
			d.diags.Add(diag.New(diag.InvalidSet, t.Range, fmt.Sprintf("A set has no field %q. The fields are %s.", t.Value, strings.Join(SetFields(), ", "))).
				WithHint(suggest.Hint(strings.ToLower(t.Value), SetFields())))
			continue
		}
		if slices.Contains(s.Fields, t.Value) {
			d.diags.Add(diag.New(diag.InvalidSet, t.Range, fmt.Sprintf("%s stands in the type twice.", t.Value)))
			continue
		}
		s.Fields = append(s.Fields, t.Value)
	}
	if n := keyBytes(s.Fields); n > 64 {
		d.badSet(b, "type", fmt.Sprintf("An element has at most 64 bytes in the kernel, and these fields make %d for IPv6. Leave some out.", n))
	}
	if len(list) == 0 && len(d.diags) == before {
		d.badSet(b, "type", "The type has no field. Name at least one, for example type = [\"local_addr\"].")
	}
}

// keyBytes is how many bytes a concatenation has, at most.
func keyBytes(fields []string) int {
	n := 0
	for _, f := range fields {
		switch {
		case strings.HasSuffix(f, "_addr") || f == "interface":
			n += 16
		case strings.HasSuffix(f, "_mac"):
			n += 8
		default:
			n += 4
		}
	}
	return n
}

// ipsetType reads the type of an ipset, and which side comes first in it.
func (d *decoder) ipsetType(b *hclsyntax.Block, s *FlowSet) {
	for _, name := range []string{"table", "family"} {
		if _, ok := b.Body.Attributes[name]; ok {
			d.badSet(b, name, fmt.Sprintf("An ipset stands in no table, so it has no %s. Write families = [\"ipv4\"] for the IP version.", name))
		}
	}
	words := make([]string, 0, 16)
	for t := range ipsetTypes() {
		words = append(words, t)
	}
	slices.Sort(words)
	if d.require(b, "type", `type = "hash:ip,port,ip"`) == nil {
		return
	}
	if s.Type = d.word(diag.InvalidSet, b, "type", words, ""); s.Type == "" {
		return
	}
	side := "other"
	if s.Type == "hash:mac" { // what is beyond the router has the router's neighbour's
		side = "local"
	}
	a := d.word(diag.InvalidSet, b, "address", []string{"local", "other"}, side)
	other := map[string]string{"local": "other", "other": "local"}
	for _, f := range ipsetTypes()[s.Type] {
		f = strings.Replace(f, "a_", a+"_", 1)
		s.Fields = append(s.Fields, strings.Replace(f, "b_", other[a]+"_", 1))
	}
}

// setFamilies reads of which IP versions a set's addresses are.
func (d *decoder) setFamilies(b *hclsyntax.Block, s *FlowSet) {
	list := d.someOf(b, "families", `"ipv4"`)
	addresses := slices.ContainsFunc(s.Fields, func(f string) bool { return strings.HasSuffix(f, "_addr") })
	if !addresses {
		if len(list) > 0 && len(s.Fields) > 0 {
			d.badSet(b, "families", "The set has no addresses, so it takes flows of both IP versions. Leave families out.")
		}
		return
	}
	for _, t := range list {
		i := slices.Index([]string{"ipv4", "ipv6"}, t.Value)
		if i < 0 {
			d.diags.Add(diag.New(diag.InvalidSet, t.Range, fmt.Sprintf("families are \"ipv4\" and \"ipv6\", not %q; without them both.", t.Value)).
				WithHint(suggest.Hint(strings.ToLower(t.Value), []string{"ipv4", "ipv6"})))
			continue
		}
		if v := uint8(4 + 2*i); !slices.Contains(s.Versions, v) {
			s.Versions = append(s.Versions, v)
		}
	}
	slices.Sort(s.Versions)
	only := map[string]uint8{"ip": 4, "ip6": 6}[s.Family]
	switch {
	case only != 0 && len(list) == 0:
		s.Versions = []uint8{only}
	case only != 0 && !slices.Equal(s.Versions, []uint8{only}) && len(s.Versions) > 0:
		d.badSet(b, "families", fmt.Sprintf("A table of the family %s sees packets of IPv%d alone. Leave families out, or name a table of the family inet.", s.Family, only))
	case len(list) == 0:
		s.Versions = []uint8{4, 6}
	}
}

// setTimeout reads how long elements live that nobody renews.
func (d *decoder) setTimeout(b *hclsyntax.Block, s *FlowSet) time.Duration {
	t := d.text(b, "timeout", `"15m"`)
	if t.Range.IsZero() {
		if s.Managed {
			return defaultSetTimeout
		}
		return 0
	}
	n, problem := quantity.Parse(t.Value, quantity.Seconds)
	timeout := time.Duration(min(n, int(maxSetTimeout/time.Second)+1)) * time.Second
	switch {
	case problem != quantity.None:
		bad := d.badSet(b, "timeout", fmt.Sprintf("%q is not a time. A timeout is written \"15m\", with one of the units %s; \"0s\" is for ever.", t.Value, quantity.Names(quantity.Seconds)))
		bad.Hint = quantity.Hint(t.Value, quantity.Seconds, `"`)
	case timeout != 0 && timeout < minSetTimeout || timeout > maxSetTimeout:
		d.badSet(b, "timeout", fmt.Sprintf("A timeout is from %s to %d days, or \"0s\" for elements that only go with their flow.", "15s", int(maxSetTimeout/(24*time.Hour))))
	}
	return timeout
}

// setName reads the kernel's name of a set.
func (d *decoder) setName(b *hclsyntax.Block, s *FlowSet) {
	s.Set = strings.ReplaceAll(s.Name, "/", ".")
	at := "kind"
	if t := d.text(b, "name", `"blocks"`); !t.Range.IsZero() {
		s.Set, at = t.Value, "name"
	}
	most, suffix := maxNftName, 0
	if s.Kind == "ipset" {
		most = maxIpsetName
	}
	if len(s.Versions) == 2 {
		suffix = len(".v4")
	}
	switch {
	case !kernelName.MatchString(s.Set):
		d.badSet(b, at, fmt.Sprintf("%q is not a name of a set: it begins with a letter, and holds letters, digits and _ . / -.", s.Set))
	case len(s.Set)+suffix > most:
		detail := fmt.Sprintf("%q is too long: the kernel takes %d characters", s.Set, most)
		if suffix > 0 {
			detail += ", of which .v4 and .v6 need 3"
		}
		d.badSet(b, at, detail+". Give the set a shorter name = \"...\".")
	}
}

// skbInfo reads what an ipset gives packets that a SET target maps.
func (d *decoder) skbInfo(b *hclsyntax.Block, s *FlowSet) {
	if s.Kind != "ipset" {
		return
	}
	if a, ok := b.Body.Attributes["skb_mark"]; ok {
		s.SkbMark = d.mark(a)
		if t := d.text(b, "skb_mark", `"0x10/0xff"`); s.SkbMark != nil && !strings.Contains(t.Value, "/") {
			s.SkbMark.Mask = 0xffffffff
		}
	}
	if t := d.text(b, "skb_prio", `"1:10"`); !t.Range.IsZero() {
		major, minor, _ := strings.Cut(t.Value, ":")
		high, err1 := strconv.ParseUint(major, 16, 16)
		low, err2 := strconv.ParseUint(minor, 16, 16)
		if err1 != nil || err2 != nil {
			d.badSet(b, "skb_prio", fmt.Sprintf("%q is not a class. It is written \"1:10\", in hexadecimal digits, as tc writes it.", t.Value))
		}
		prio := uint32(high<<16 | low)
		s.SkbPriority = &prio
	}
	if _, ok := b.Body.Attributes["skb_queue"]; ok {
		queue := uint16(d.number(b, "skb_queue", 0, 65535, 0))
		s.SkbQueue = &queue
	}
}

// adds reads the sets that a policy puts its flows into.
func (d *decoder) adds(b *hclsyntax.Block) []Text {
	list := d.textOrList(b, "add", `"blocks"`)
	if len(list) > maxAdds {
		d.diags.Add(diag.New(diag.TooLarge, toRange(b.Body.Attributes["add"].Expr.Range()), fmt.Sprintf("add may name %d sets.", maxAdds)))
		return nil
	}
	seen := map[string]bool{}
	for _, t := range list {
		if seen[t.Value] {
			d.diags.Add(diag.New(diag.Duplicate, t.Range, fmt.Sprintf("The set %q stands in the list already.", t.Value)))
		}
		seen[t.Value] = true
	}
	return list
}
