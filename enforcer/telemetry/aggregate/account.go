package aggregate

import (
	"slices"

	"github.com/gaissmai/bart"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/telemetry/record"
	"github.com/netpol/netpol/lang/fact"
)

// A record stays below 64 KiB with so many rows, as a rule.
const (
	rowsPerRecord  = 128
	rowsWithHealth = 32
)

// Sample is what a flow has carried since it was sampled last.
type Sample struct {
	Facts       *fact.Facts
	Application string   // as records name it
	Brand       string   // the application's
	Policies    []string // that match, in the order of evaluation
	Counts      Counts
	Health      *Health // nil for nothing new
}

// Account is an aggregate at work. Not safe for concurrent use.
type Account struct {
	of     artifact.Aggregate
	by     dims
	rank   map[string]int // of policies that are told apart; nil for all
	groups []*group
	words  *words
	table  *table
	total  Counts
}

// dims says which dimensions an aggregate asks for.
type dims struct {
	application, brand, protocol, category, localIP, localMAC, localPort, otherIP, otherPort bool
	ipProtocol, ipVersion, vlan, iface, policy, group                                        bool
}

type group struct {
	name     string
	networks bart.Lite
	macs     map[string]bool
}

// New makes an account. The seed keeps senders from knowing how keys are hashed.
func New(of artifact.Aggregate, seed uint64) *Account {
	has := func(name string) bool { return slices.Contains(of.By, name) }
	a := &Account{of: of, words: newWords(), table: newTable(max(of.Keys, 1), seed), by: dims{
		application: has("application"), brand: has("brand"), protocol: has("protocol"), category: has("category"),
		localIP: has("local_ip"), localMAC: has("local_mac"), localPort: has("local_port"),
		otherIP: has("other_ip"), otherPort: has("other_port"), ipProtocol: has("ip_protocol"), ipVersion: has("ip_version"),
		vlan: has("vlan_id"), iface: has("interface"), policy: has("policy"), group: has("address_group"),
	}}
	if len(of.Policies) > 0 {
		a.rank = make(map[string]int, len(of.Policies))
		for i, name := range of.Policies {
			a.rank[name] = i
		}
	}
	if of.Health {
		a.table.ward = new(ward)
	}
	for _, g := range of.Groups {
		one := &group{name: g.Name, macs: make(map[string]bool, len(g.MACs))}
		for _, p := range g.Networks {
			one.networks.Insert(p)
		}
		for _, mac := range g.MACs {
			one.macs[mac] = true
		}
		a.groups = append(a.groups, one)
	}
	return a
}

// Add counts a sample. It allocates nothing, but for keys and words that are new.
func (a *Account) Add(s *Sample) {
	k := a.key(s)
	a.total.add(&s.Counts)
	row := a.table.add(&k, &s.Counts)
	if s.Health != nil && a.table.ward != nil {
		a.table.ward.add(row, s.Health)
	}
}

// perRecord is how many rows a record has at most.
func (a *Account) perRecord() int {
	if a.of.Health {
		return rowsWithHealth
	}
	return rowsPerRecord
}

// Evicted is how many keys made room for others since the last Close.
func (a *Account) Evicted() uint64 { return a.table.evicts }

func (a *Account) key(s *Sample) (k key) {
	f, by := s.Facts, &a.by
	if by.localIP {
		k.setAddr(keyLocalIP, f.LocalIP)
	}
	if by.otherIP {
		k.setAddr(keyOtherIP, f.OtherIP)
		if f.OtherType == fact.OtherLocal {
			k[keyNumbers] |= otherIsLocal
		}
	}
	k[keyApplication] = a.words.pair(a.product(s), when(by.protocol, f.Protocol))
	k[keyCategory] = a.words.pair(when(by.category, f.Category), when(by.iface, f.Interface))
	k[keyPolicy] = a.words.pair(a.policy(s.Policies), a.group(f))
	if by.localMAC {
		k[keyMAC] = packMAC(f.LocalMAC)
	}
	for _, n := range [...]struct {
		asked     bool
		at, shift int
		value     int
	}{
		{by.vlan, keyMAC, 0, f.VLANID},
		{by.localPort, keyNumbers, shiftLocalPort, f.LocalPort},
		{by.otherPort, keyNumbers, shiftOtherPort, f.OtherPort},
		{by.ipProtocol, keyNumbers, shiftProtocol, f.IPProtocol},
		{by.ipVersion, keyNumbers, shiftVersion, f.IPVersion},
	} {
		if n.asked {
			k[n.at] |= uint64(n.value) << n.shift
		}
	}
	return k
}

func when(asked bool, s string) string {
	if asked {
		return s
	}
	return ""
}

// product is the application or, where only that tells keys apart, the brand: an application
// has one.
func (a *Account) product(s *Sample) string {
	switch {
	case a.by.application && a.by.brand:
		a.words.brand(s.Application, s.Brand)
		return s.Application
	case a.by.brand:
		return s.Brand
	}
	return when(a.by.application, s.Application)
}

// policy is the first of those that match and are told apart.
func (a *Account) policy(matching []string) (best string) {
	if !a.by.policy || len(matching) == 0 {
		return ""
	}
	if a.rank == nil {
		return matching[0]
	}
	first := len(a.rank)
	for _, name := range matching {
		if i, ok := a.rank[name]; ok && i < first {
			best, first = name, i
		}
	}
	return best
}

func (a *Account) group(f *fact.Facts) string {
	if !a.by.group {
		return ""
	}
	for i := range a.groups {
		g := a.groups[i]
		if f.LocalIP.IsValid() && g.networks.Contains(f.LocalIP) || g.macs[f.LocalMAC] {
			return g.name
		}
	}
	return ""
}

// packMAC is a hardware address as text in the upper 48 bits.
func packMAC(text string) (out uint64) {
	for i := range len(text) {
		switch c := text[i]; {
		case c >= '0' && c <= '9':
			out = out<<4 | uint64(c-'0')
		case c >= 'a' && c <= 'f':
			out = out<<4 | uint64(c-'a'+10)
		}
	}
	return out << 16
}

func unpackMAC(k uint64) string {
	if k >>= 16; k == 0 {
		return ""
	}
	out := make([]byte, 0, 17)
	for shift := 44; shift >= 0; shift -= 4 {
		if out = append(out, hexDigits[k>>shift&15]); shift%8 == 0 && shift > 0 {
			out = append(out, ':')
		}
	}
	return string(out)
}

const hexDigits = "0123456789abcdef"

// Close ends an interval and tells of it at once.
func (a *Account) Close(head record.Aggregate, tell func(*record.Aggregate)) {
	c := a.Take(head)
	c.Finish(tell)
	c.Return()
}

func sumOf(c *Counts) record.Sum {
	return record.Sum{
		LocalBytes: c.LocalBytes, LocalPackets: c.LocalPackets, OtherBytes: c.OtherBytes, OtherPackets: c.OtherPackets,
		FlowCount: c.Flows,
	}
}

// row is a row as records have it.
func (a *Account) row(words *words, r *row) record.AggregateRow {
	k := &r.key
	out := record.AggregateRow{
		LocalIP: k.addr(keyLocalIP), OtherIP: k.addr(keyOtherIP), OtherIsLocal: k[keyNumbers]&otherIsLocal != 0,
		LocalMAC: unpackMAC(k[keyMAC]), VLANID: int(uint16(k[keyMAC])),
		LocalPort: int(uint16(k[keyNumbers] >> shiftLocalPort)), OtherPort: int(uint16(k[keyNumbers] >> shiftOtherPort)),
		IPProtocol: int(uint8(k[keyNumbers] >> shiftProtocol)), IPVersion: int(uint8(k[keyNumbers] >> shiftVersion)),
		Sum: sumOf(&r.counts), Error: r.missed,
	}
	out.ApplicationName, out.ProtocolName = words.split(k[keyApplication])
	switch {
	case a.by.application && a.by.brand:
		out.BrandName = words.brandOf(k[keyApplication])
	case a.by.brand:
		out.ApplicationName, out.BrandName = "", out.ApplicationName
	}
	out.Category, out.Interface = words.split(k[keyCategory])
	out.Policy, out.AddressGroup = words.split(k[keyPolicy])
	return out
}
