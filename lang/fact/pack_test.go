package fact

import (
	"encoding/binary"
	"hash/maphash"
	"net/netip"
	"reflect"
	"testing"
)

// fields are the attributes' values in f, by the table.
func fields(f *Facts) reflect.Value { return reflect.ValueOf(f).Elem() }

// fill sets a field to the n-th value of its type; the 0-th is its zero value.
func fill(t testing.TB, v reflect.Value, n int) {
	t.Helper()
	addrs := [...]netip.Addr{
		{},
		netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1"),
		netip.MustParseAddr("fe80::1%eth0"), netip.MustParseAddr("::ffff:192.0.2.1"), netip.MustParseAddr("::"),
	}
	numbers := [...]int{0, 1, 100, 0x303, -1, 1<<31 - 1}
	texts := [...]string{"", "a", "a\x00", "b", "www.example.com", "\xff"}
	switch v.Interface().(type) {
	case string:
		v.SetString(texts[n%len(texts)])
	case int:
		v.SetInt(int64(numbers[n%len(numbers)]))
	case bool:
		v.SetBool(n%2 != 0)
	case netip.Addr:
		v.Set(reflect.ValueOf(addrs[n%len(addrs)]))
	default:
		t.Fatalf("no value for a %s", v.Type())
	}
}

// packed is a copy of what f knows, as it is kept.
func packed(f *Facts) *Packed {
	var scratch Packed
	scratch.Pack(f)
	kept := new(Packed)
	kept.Copy(&scratch)
	return kept
}

// TestEveryFieldIsPacked: each attribute that is not of the record comes back, by
// itself and beside all others; the record's do not.
func TestEveryFieldIsPacked(t *testing.T) {
	for n := 1; n < 6; n++ {
		var all Facts
		for i, a := range Attributes {
			var one Facts
			fill(t, fields(&one).Field(i), n)
			got := one
			packed(&one).Unpack(&got)
			if a.OfRecord() {
				one = Facts{}
			} else {
				fill(t, fields(&all).Field(i), n)
			}
			if got != one {
				t.Errorf("%s: got %+v, want %+v", a.Name, got, one)
			}
		}
		got := Facts{SrcPort: 1, Hostname: "left over"}
		if packed(&all).Unpack(&got); got != all {
			t.Errorf("all attributes: got %+v, want %+v", got, all)
		}
	}
}

// TestPackedIsEqualAsFactsAre, field by field: also by its hash, where senders choose
// the value.
func TestPackedIsEqualAsFactsAre(t *testing.T) {
	seed := maphash.MakeSeed()
	base := Facts{Protocol: "tls", TLSVersion: 0x303, STUNOther: netip.MustParseAddr("192.0.2.9"), Complete: true}
	for i, a := range Attributes {
		if a.OfRecord() {
			continue
		}
		sets := make([]*Packed, 6)
		facts := make([]Facts, 6)
		for n := range sets {
			facts[n] = base
			fill(t, fields(&facts[n]).Field(i), n)
			sets[n] = packed(&facts[n])
		}
		for n := range sets {
			for m := range sets {
				same := facts[n] == facts[m]
				if got := sets[n].Equal(sets[m]); got != same {
					t.Errorf("%s: values %d and %d: equal %v, want %v", a.Name, n, m, got, same)
				}
				bounded := a.Values != nil || a.Type == CategoryName || a.Type == BrandName || a.Type == EvidenceName || a.Type == InterfaceName || a.Name == "country"
				if !same && n*m != 0 && !bounded && a.Type != Flag && sets[n].Hash(seed) == sets[m].Hash(seed) {
					t.Errorf("%s: values %d and %d have the same hash", a.Name, n, m)
				}
				if same && sets[n].Hash(seed) != sets[m].Hash(seed) {
					t.Errorf("%s: value %d has two hashes", a.Name, n)
				}
			}
		}
	}
}

func TestPackedTells(t *testing.T) {
	for _, tt := range []struct {
		in       Facts
		protocol string
		named    bool
	}{
		{in: Facts{}},
		{in: Facts{Protocol: "ftp", Brand: "b"}, protocol: "ftp"},
		{in: Facts{Application: "a", Brand: "b", Protocol: "tls"}, protocol: "tls", named: true},
		{in: Facts{Hostname: "a.example", Category: "web"}, named: true},
		{in: Facts{Brand: "b", BTInfoHash: "0"}},
	} {
		p := packed(&tt.in)
		if p.Protocol() != tt.protocol || p.Named() != tt.named || p.Empty() != (tt.in == Facts{}) {
			t.Errorf("%+v: protocol %q, named %v, empty %v", tt.in, p.Protocol(), p.Named(), p.Empty())
		}
	}
}

func TestPackedIsClearedAndUsedAgain(t *testing.T) {
	first, second := Facts{Hostname: "a.example", JA4: "x", Confidence: 95}, Facts{Protocol: "dns", STUNPeer: netip.MustParseAddr("2001:db8::1")}
	p := packed(&first)
	p.Clear()
	if got := first; !p.Empty() {
		t.Error("a set that was cleared is not empty")
	} else if p.Unpack(&got); got != (Facts{}) {
		t.Errorf("a set that was cleared knows %+v", got)
	}
	p.Copy(packed(&second))
	var got Facts
	if p.Unpack(&got); got != second {
		t.Errorf("got %+v, want %+v", got, second)
	}
}

// TestPackingAllocatesNothing, once there is room; what a flow without a name knows, its
// tuple, never has any.
func TestPackingAllocatesNothing(t *testing.T) {
	var scratch, kept, none, empty Packed
	f := known()
	scratch.Pack(&f)
	kept.Copy(&scratch)
	tuple := Facts{SrcPort: 40000, DstPort: 443, SrcIP: netip.MustParseAddr("192.0.2.1"), IPProtocol: 6}
	for name, fn := range map[string]func(){
		"pack":            func() { scratch.Pack(&f) },
		"copy":            func() { kept.Copy(&scratch) },
		"unpack":          func() { kept.Unpack(&f) },
		"tuple":           func() { scratch.Pack(&tuple); scratch.Unpack(&tuple) },
		"copy of nothing": func() { none.Copy(&empty) },
	} {
		if n := testing.AllocsPerRun(100, fn); n != 0 {
			t.Errorf("%s: %v allocations, want 0", name, n)
		}
	}
	scratch.Pack(&f)
	if n := testing.AllocsPerRun(100, func() { new(Packed).Copy(&scratch) }); n > 2 {
		t.Errorf("%v allocations for a copy, want the set and its texts", n)
	}
}

// FuzzPack makes two sets of facts of the input: what is packed comes back, and is equal
// where the facts are.
func FuzzPack(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3}, []byte{0, 1, 2, 4})
	f.Add([]byte("\x48\x05\x02ab"), []byte("\x48\x06\x02ab"))
	f.Fuzz(func(t *testing.T, one, two []byte) {
		seed := maphash.MakeSeed()
		a, b := fromBytes(one), fromBytes(two)
		var got Facts
		pa, pb := packed(&a), packed(&b)
		if pa.Unpack(&got); got != a {
			t.Errorf("got %+v, want %+v", got, a)
		}
		if pa.Equal(pb) != (a == b) || a == b && pa.Hash(seed) != pb.Hash(seed) {
			t.Errorf("%+v and %+v: equal %v", a, b, pa.Equal(pb))
		}
		if pa.Protocol() != a.Protocol || pa.Named() != (a.Hostname != "" || a.Application != "") {
			t.Errorf("%+v: protocol %q, named %v", a, pa.Protocol(), pa.Named())
		}
	})
}

// fromBytes reads attributes: a byte for which, one for the length of its value, the value.
func fromBytes(b []byte) (f Facts) {
	for len(b) >= 2 {
		i, n := int(b[0])%len(Attributes), min(int(b[1]), len(b)-2)
		value := b[2 : 2+n]
		b = b[2+n:]
		if Attributes[i].OfRecord() {
			continue
		}
		switch v := fields(&f).Field(i); v.Interface().(type) {
		case string:
			v.SetString(string(value))
		case int:
			var wide [8]byte
			copy(wide[:], value)
			v.SetInt(int64(binary.LittleEndian.Uint64(wide[:])))
		case bool:
			v.SetBool(n > 0)
		case netip.Addr:
			addr, _ := netip.AddrFromSlice(value)
			v.Set(reflect.ValueOf(addr))
		}
	}
	return f
}

// known are the facts of a usual flow.
func known() Facts {
	return Facts{
		Application: "netflix", Brand: "netflix", Protocol: "tls", Category: "streaming", ApplicationCategory: "streaming", ProtocolCategory: "web",
		Hostname: "occ-0-1234-5678.1.nflxso.net", DNSHostname: "occ-0-1234-5678.1.nflxso.net", By: BySNI, Confidence: 95,
		DomainCategory: "streaming", NetworkCategory: "streaming", OtherNetworkCategory: "streaming", DstNetworkCategory: "streaming",
		Complete: true, TLSVersion: 0x304, ALPN: "h2,http/1.1", JA4: "t13d1516h2_8daaf6152771_e5627efa2ab1", JA4S: "t130200_1301_a56c5b993250",
		TLSCipher: 0x1301, TLSProcHello: true,
	}
}

func BenchmarkPack(b *testing.B) {
	f := known()
	seed := maphash.MakeSeed()
	var scratch, other Packed
	scratch.Pack(&f)
	other.Copy(&scratch)
	for name, fn := range map[string]func(){
		"pack":   func() { scratch.Pack(&f) },
		"hash":   func() { scratch.Hash(seed) },
		"equal":  func() { scratch.Equal(&other) },
		"unpack": func() { other.Unpack(&f) },
		"empty":  func() { var g Facts; scratch.Pack(&g) },
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				fn()
			}
		})
	}
}
