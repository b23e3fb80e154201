package lang

import (
	"cmp"
	"fmt"
	"math/bits"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/netpol/netpol/lang/diag"
	"github.com/netpol/netpol/lang/suggest"
)

// defaultSettings are the settings of a set without a netpol block.
func defaultSettings() Settings {
	return Settings{LogGroup: 4788, LogGroups: 1, HoldQueue: 4788, HoldPackets: 256, InspectPackets: 32, DoneMark: 0x80000000, QuietMark: 0x40000000, RouteMark: 0x7f000000, HoldMark: 0x7f000000, Priority: 10, CapturePriority: -150, DSCPPriority: -150, Inspect: InspectNeeded, Timezone: DefaultZone}
}

// Bounds of hook priorities. Conntrack stands at -200 and destination NAT at -100
// (linux/netfilter_ipv4.h); netpol's chains have two priorities before and one after
// that which is set, those that decide on connections three before.
const (
	afterConntrack = -197
	beforeDNAT     = -102
)

func (d *decoder) decodeNetpol(b *hclsyntax.Block) {
	def := defaultSettings()
	s := &d.out.Settings
	s.Range = headerRange(b)
	for _, t := range d.texts(b, "local_networks", `"203.0.113.0/24"`) {
		if p, ok := d.prefix(t); ok {
			s.LocalNetworks = append(s.LocalNetworks, p)
		}
	}
	s.LogGroup = uint16(d.number(b, "log_group", 1, 65535, int(def.LogGroup)))
	s.LogGroups = d.logGroups(b, s.LogGroup, def.LogGroups)
	s.HoldQueue = uint16(d.number(b, "hold_queue", 0, maxQueue, int(def.HoldQueue)))
	s.HoldPackets = d.number(b, "hold_packets", 1, maxHeld, def.HoldPackets)
	// A flow that is not named after a thousand packets never will be.
	s.InspectPackets = d.number(b, "inspect_packets", 1, 1000, def.InspectPackets)
	// The kernel's own priorities reach from -450 to 300 (linux/netfilter_ipv4.h).
	s.Priority = d.number(b, "priority", afterConntrack+1, 500, def.Priority)
	s.CapturePriority = d.number(b, "capture_priority", afterConntrack+1, beforeDNAT, def.CapturePriority)
	s.DSCPPriority = d.number(b, "dscp_priority", afterConntrack, -1, def.DSCPPriority)
	if a, ok := b.Body.Attributes["done_mark"]; ok {
		s.DoneMark = d.doneMark(a, def.DoneMark)
	}
	s.QuietMark, s.QuietChosen = d.quietMark(b, s.DoneMark, def.QuietMark)
	s.RouteMark = d.routeMark(b, def.RouteMark)
	s.HoldMark = d.holdMark(b, holdMarkIn(s.RouteMark, def.HoldMark))
	s.Inspect = d.inspect(b)
	s.TableOwner = d.flag(b, "table_owner", false)
	s.OffloadDevices = d.offloadDevices(b)
	s.OffloadHardware = d.flag(b, "offload_hardware", false)
	d.belongs(b, "offload_hardware", "offload_devices", `says how the interfaces of offload_devices do it. Write offload_devices = ["lan0", "wan0"], or leave offload_hardware out`)
	if zone := d.zone(b); zone != "" {
		s.Timezone = zone
	}
	s.ASNDatabase = d.database(b, "asn_database", `"./geo/GeoLite2-ASN.mmdb"`)
	s.CountryDatabase = d.database(b, "country_database", `"./geo/GeoLite2-Country.mmdb"`)
	s.LabelApplications = d.textOrList(b, "label_applications", `"zoom"`)
	s.LabelCategories = d.textOrList(b, "label_categories", `"voip-conferencing"`)
	s.AnalysedLabel = d.analysedLabel(b)
	d.out.Exempt = d.criteria(b.Body.Attributes["exempt"])
}

// maxLogGroups bounds over how many NFLOG groups connections are spread: each is a
// rule that a connection's first packets are held against.
const maxLogGroups = 16

// logGroups is a power of two, because rules pick a group by bits of conntrack's
// number of a connection.
func (d *decoder) logGroups(b *hclsyntax.Block, first uint16, otherwise int) int {
	n := d.number(b, "log_groups", 1, maxLogGroups, otherwise)
	a, ok := b.Body.Attributes["log_groups"]
	switch {
	case !ok:
	case bits.OnesCount(uint(n)) != 1:
		d.diags.Add(diag.New(diag.NumberOutOfRange, toRange(a.Expr.Range()), fmt.Sprintf("Connections are spread by bits of their number, so log_groups is 1, 2, 4, 8 or 16, and not %d.", n)))
		return otherwise
	case int(first)+n-1 > 65535:
		d.diags.Add(diag.New(diag.NumberOutOfRange, toRange(a.Expr.Range()), fmt.Sprintf("%d groups from log_group = %d on would end at %d, and the last group that there is is 65535. Write a lower log_group.", n, first, int(first)+n-1)))
		return otherwise
	}
	return n
}

const (
	// maxQueue leaves room for the six queues of held packets
	// (artifact.HoldQueues of each kind) among the 65536 that there are.
	maxQueue = 65535 - 5
	// maxHeld is what the kernel takes for the length of a queue
	// (NFQNL_QMAX_DEFAULT, nfnetlink_queue.c); more would only wait longer.
	maxHeld = 1024
)

// Words of the inspect argument: which connections netpold is shown.
const (
	InspectNeeded = "needed" // those of which a policy asks for more than headers
	InspectAll    = "all"
)

// Words of label_applications and label_categories.
const (
	LabelNamed = "named" // what policies name
	LabelAll   = "all"   // what the catalogue knows; of categories only, because a connection has room for 128 labels
)

func (d *decoder) inspect(b *hclsyntax.Block) string {
	words := []string{InspectNeeded, InspectAll}
	t := d.text(b, "inspect", `"all"`)
	if t.Range.IsZero() || slices.Contains(words, t.Value) {
		return cmp.Or(t.Value, InspectNeeded)
	}
	d.diags.Add(diag.New(diag.InvalidInspect, t.Range, fmt.Sprintf("%q is not a choice of connections. inspect is \"needed\", which shows netpold those that a policy asks for the name of, or \"all\".", t.Value)).
		WithHint(suggest.Hint(strings.ToLower(t.Value), words)))
	return InspectNeeded
}

// analysedLabel reads the label that says what the done mark says.
func (d *decoder) analysedLabel(b *hclsyntax.Block) Text {
	t := d.text(b, "analysed_label", `"analysed"`)
	if why := badLabel(t.Value); why != "" && !t.Range.IsZero() {
		d.diags.Add(diag.New(diag.InvalidLabel, t.Range, fmt.Sprintf("%q cannot be a conntrack label: %s.", t.Value, why)))
		return Text{}
	}
	return t
}

// routeMark reads the bits of packets' marks that stand for routing tables.
func (d *decoder) routeMark(b *hclsyntax.Block, def uint32) uint32 {
	t := d.text(b, "route_mark", `"0x7f000000"`)
	if t.Range.IsZero() {
		return def
	}
	n, err := parseMarkNumber(strings.TrimSpace(t.Value))
	if err != nil || !sideBySide(n) {
		d.diags.Add(diag.New(diag.InvalidMark, t.Range, fmt.Sprintf("%q cannot be route_mark: it is a mask of bits side by side, written as a number, such as \"0x7f000000\" for 127 routing tables or \"0xf00\" for 15.", t.Value)))
		return def
	}
	return n
}

// Bounds of how many bits hold_mark has. Two tell the packets that were read from
// those that bring something into a new entry; what they bring needs 24 others
// (artifact.HoldMark).
const (
	fewHoldBits  = 2
	manyHoldBits = 8
)

// holdMark reads the bits that waiting packets carry.
func (d *decoder) holdMark(b *hclsyntax.Block, def uint32) uint32 {
	t := d.text(b, "hold_mark", `"0x7f000000"`)
	if t.Range.IsZero() {
		return def
	}
	n, err := parseMarkNumber(strings.TrimSpace(t.Value))
	if count := bits.OnesCount32(n); err != nil || !sideBySide(n) || count < fewHoldBits || count > manyHoldBits {
		d.diags.Add(diag.New(diag.InvalidMark, t.Range, fmt.Sprintf("%q cannot be hold_mark: it is a mask of two to eight bits side by side, written as a number, such as \"0x7f000000\" or \"0xf00\".", t.Value)))
		return def
	}
	return n
}

// holdMarkIn is the upper bits of a route mark that can be hold_mark: who moves the
// one out of another's way means both.
func holdMarkIn(route, def uint32) uint32 {
	if bits.OnesCount32(route) < fewHoldBits {
		return def
	}
	for bits.OnesCount32(route) >= manyHoldBits {
		route &= route - 1
	}
	return route
}

// noQuietMark is the word for a set that is to have no such bit.
const noQuietMark = "none"

// quietMark reads the bit of connections on which no rule has an effect. One that
// the author has chosen is netpol's alone, as the done mark is.
func (d *decoder) quietMark(b *hclsyntax.Block, done, def uint32) (bit uint32, chosen bool) {
	t := d.text(b, "quiet_mark", `"0x40000000"`)
	if t.Range.IsZero() {
		return def, false
	}
	if t.Value == noQuietMark {
		return 0, true
	}
	n, err := parseMarkNumber(strings.TrimSpace(t.Value))
	switch {
	case err != nil || bits.OnesCount32(n) != 1:
		d.diags.Add(diag.New(diag.InvalidMark, t.Range, fmt.Sprintf("%q cannot be quiet_mark: it is a single bit of 32, written as a number, such as \"0x40000000\", or \"none\" for a set without it.", t.Value)))
	case n == done:
		d.diags.Add(diag.New(diag.ReservedMark, t.Range, fmt.Sprintf("quiet_mark and done_mark are both %#x, and each says something of its own. Move one of them to another bit.", n)))
	default:
		return n, true
	}
	return def, false
}

// sideBySide says that a mask's bits have no gap between them.
func sideBySide(n uint32) bool {
	return n != 0 && bits.Len32(n)-bits.TrailingZeros32(n) == bits.OnesCount32(n)
}

// doneMark reads the one ct mark bit that the enforcer keeps to itself.
func (d *decoder) doneMark(a *hclsyntax.Attribute, def uint32) uint32 {
	v, ok := d.argument(a.Expr, cty.String, `"0x80000000"`)
	if !ok {
		return def
	}
	n, err := parseMarkNumber(strings.TrimSpace(v.AsString()))
	if err != nil || bits.OnesCount32(n) != 1 {
		d.diags.Add(diag.New(diag.InvalidMark, toRange(a.Expr.Range()), `done_mark is a single bit of 32, written as a number, such as "0x80000000".`))
		return def
	}
	return n
}
