package sink

import (
	"bytes"
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/telemetry/ipfix"
	"github.com/netpol/netpol/enforcer/telemetry/record"
	"github.com/netpol/netpol/lang/fact"
)

// planted is a record in whose members words and addresses stand that are nowhere else, by the
// member's path.
type planted struct {
	marks map[string][][]byte // of each, all ways in which an encoding may write it
	n     int
}

// plant fills a record in. Lists have one element.
func (p *planted) plant(v reflect.Value, path string) {
	switch v.Kind() {
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[netip.Addr]() {
			v.Set(reflect.ValueOf(p.address(path)))
			return
		}
		for i := range v.NumField() {
			f, to := v.Type().Field(i), path
			if !f.Anonymous {
				to = strings.TrimPrefix(path+"."+f.Name, ".")
			}
			if f.Tag.Get("enum") == "" && f.Name != "Rendered" && f.Name != "Whole" {
				p.plant(v.Field(i), to)
			}
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		p.plant(v.Index(0), path)
	case reflect.String:
		if strings.HasSuffix(path, "MAC") {
			v.SetString(p.mac(path))
			return
		}
		v.SetString(p.word(path))
	default: // numbers say nothing of a host
	}
}

func (p *planted) address(path string) netip.Addr {
	p.n++
	a := netip.AddrFrom4([4]byte{198, 51, 100, byte(p.n)})
	b := a.As4()
	p.marks[path] = [][]byte{[]byte(a.String() + `"`), append([]byte{0xaf}, a.String()...), b[:]}
	return a
}

func (p *planted) mac(path string) string {
	p.n++
	text := fmt.Sprintf("0a:0b:0c:0d:0e:%02x", p.n)
	p.marks[path] = [][]byte{[]byte(text), {0x0a, 0x0b, 0x0c, 0x0d, 0x0e, byte(p.n)}}
	return text
}

// word is a host's name: what stands before the domain is the mark.
func (p *planted) word(path string) string {
	p.n++
	mark := fmt.Sprintf("zq%03d", p.n)
	p.marks[path] = [][]byte{[]byte(mark)}
	return mark + ".example.org"
}

// seen are the paths whose marks are in a text.
func (p *planted) seen(text []byte) []string {
	out := []string{}
	for path, marks := range p.marks {
		if slices.ContainsFunc(marks, func(m []byte) bool { return bytes.Contains(text, m) }) {
			out = append(out, path)
		}
	}
	slices.Sort(out)
	return out
}

// encoded is all that any sink makes of a record: what waits in memory, goes into a spool and
// to the other sinks is made of one of these.
func encoded(r record.Record) []byte {
	e := &export{encoder: ipfix.NewEncoder(32473, ipfix.MaxMessage), told: map[record.Digest][2]ipfix.Counts{}}
	return e.add(r.AppendMsgpack(r.AppendJSON(nil)), r, 1<<20)
}

// Members that are of a host on the local side, and those that say who it talks to. The
// others are told whatever a sink is not to be told: a member that is new fails
// TestPrivacyOfEveryMember until it stands here or is nobody's.
var (
	localMembers = []string{
		"Flow.LocalIP", "Flow.LocalMAC", "Flow.Conntrack.ReplySrcIP", "Flow.Conntrack.ReplyDstIP", "Flow.MDNS.DomainName",
		"Flow.STUN.Mapped", "Flow.STUN.Peer", "Flow.STUN.Relayed", "Flow.STUN.Response", "Flow.STUN.Other",
		"Hosts.MAC", "Hosts.Addresses", "Rows.LocalIP", "Rows.LocalMAC",
	}
	localPeers  = []string{"Flow.OtherIP", "Flow.OtherMAC", "Rows.OtherIP"} // where the other side is local as well
	nameMembers = []string{
		"Flow.HostName", "Flow.DNSHostName", "Flow.SSL.ClientSNI", "Flow.SSL.ServerCN", "Flow.SSL.SubjectDN", "Flow.SSL.Fingerprint",
		"Flow.HTTP.URL", "Flow.MDNS.DomainName",
	}
)

// privateRecords are records of each kind that tells of hosts.
func privateRecords() map[record.Kind]func() record.Record {
	return map[record.Kind]func() record.Record{
		record.KindFlow:        func() record.Record { return &record.Flow{} },
		record.KindFlowEnd:     func() record.Record { return &record.FlowEnd{} },
		record.KindPolicyMatch: func() record.Record { return &record.PolicyMatch{} },
		record.KindEndpoints:   func() record.Record { return &record.Endpoints{} },
		record.KindAggregate:   func() record.Record { return &record.Aggregate{} },
		record.KindFlowStats:   func() record.Record { return &record.FlowStats{} },
	}
}

// TestPrivacyOfEveryMember plants a word or an address that is nowhere else in each member of
// each record, and looks for it in whatever is made of the record.
func TestPrivacyOfEveryMember(t *testing.T) {
	for kind, fresh := range privateRecords() {
		for _, local := range []bool{false, true} {
			for _, privacy := range []artifact.Privacy{
				{Addresses: artifact.DiscloseHash},
				{Addresses: artifact.DiscloseNone},
				{Names: artifact.DiscloseDomain},
				{Names: artifact.DiscloseNone},
				{Addresses: artifact.DiscloseHash, Names: artifact.DiscloseDomain},
			} {
				r, p := plantedRecord(fresh(), kind, local)
				before := p.seen(encoded(r))
				var hidden []string
				if privacy.Addresses != artifact.DisclosePlain {
					hidden = append(hidden, localMembers...)
				}
				if privacy.Addresses != artifact.DisclosePlain && local {
					hidden = append(hidden, localPeers...)
				}
				if privacy.Names != artifact.DisclosePlain {
					hidden = append(hidden, nameMembers...)
				}
				if len(hidden) > 0 && kind == record.KindPolicyMatch {
					hidden = append(hidden, "Policy.Criteria")
				}
				want := slices.DeleteFunc(slices.Clone(before), func(path string) bool {
					return slices.Contains(hidden, path) || hiddenEvidence(path, privacy)
				})
				if diff := cmp.Diff(want, p.seen(encoded(newRedactor(privacy, [32]byte{1}).redact(r)))); diff != "" {
					t.Errorf("%s, %+v, other side local %v: -want +told:\n%s", kind, privacy, local, diff)
				}
			}
		}
	}
}

func plantedRecord(r record.Record, kind record.Kind, local bool) (record.Record, *planted) {
	p := &planted{marks: map[string][][]byte{}}
	v := reflect.ValueOf(r).Elem()
	p.plant(v, "")
	v.FieldByName("Type").Set(reflect.ValueOf(kind))
	other := "remote"
	if local {
		other = "local"
	}
	switch r := r.(type) {
	case *record.Flow:
		r.Flow.OtherType = other
	case *record.FlowEnd:
		r.Flow.OtherType = other
	case *record.FlowStats: // all that is known is told by IPFIX alone
		whole := reflect.ValueOf(new(record.Detail))
		p.plant(whole.Elem(), "Flow")
		r.Whole = whole.Interface().(*record.Detail)
		r.Whole.OtherType, r.Whole.IPVersion = other, 4
	case *record.PolicyMatch:
		r.Flow.OtherType = other
		r.Policy.Evidence = nil
		for _, a := range fact.Attributes {
			r.Policy.Evidence = append(r.Policy.Evidence, record.Attribute{Name: a.Name, Value: p.word("evidence " + a.Name)})
		}
	case *record.Aggregate:
		r.Rows[0].OtherIsLocal = local
	}
	return r, p
}

// hiddenEvidence says that an attribute's value is not told.
func hiddenEvidence(path string, p artifact.Privacy) bool {
	name, ok := strings.CutPrefix(path, "evidence ")
	if !ok {
		return false
	}
	addresses := slices.Contains([]string{
		"local_ip", "other_ip", "src_ip", "dst_ip", "local_mac", "other_mac", "src_mac", "dst_mac", "ct_reply_src_ip", "ct_reply_dst_ip",
		"stun_mapped", "stun_peer", "stun_relayed", "stun_response", "stun_other", "mdns_domain_name",
	}, name)
	names := slices.Contains([]string{
		"hostname", "dns_hostname", "http_url", "tls_server_cn", "tls_subject_dn", "tls_cert_fingerprint", "mdns_domain_name",
	}, name)
	return addresses && p.Addresses != artifact.DisclosePlain || names && p.Names != artifact.DisclosePlain
}

// TestNamesThatSayAddresses: a host of one's own is named by more than its address.
func TestNamesThatSayAddresses(t *testing.T) {
	local := netip.MustParseAddr("192.168.1.7")
	for name, in := range map[string]record.Detail{
		"a look-up of its name":      {DNSHostName: "7.1.168.192.in-addr.arpa"},
		"a look-up of its IPv6 name": {DNSHostName: "7.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa"},
		"its address as Host":        {HostName: "192.168.1.7", SSL: record.SSL{ServerCN: "192.168.1.7:443"}},
		"its IPv6 address as Host":   {HostName: "[fd00::192:168:1:7]"},
		"its name on the link":       {HostName: "192-168-1-7.local", DNSHostName: "192-168-1-7.local", MDNS: record.MDNS{DomainName: "192-168-1-7.local"}},
		"a URL of its address":       {HTTP: record.HTTP{URL: "192.168.1.7:8080/x"}},
		"a URL with its address":     {HTTP: record.HTTP{URL: "example.com/?me=192.168.1.7"}},
		"who asks for its neighbour": {OtherIP: netip.MustParseAddr("ff02::1:ff68:107"), OtherType: "multicast"},
		"a certificate of its own":   {SSL: record.SSL{SubjectDN: "CN=192.168.1.7", IssuerDN: "CN=192.168.1.7"}},
	} {
		r := &record.Flow{Flow: in}
		r.Type, r.Flow.LocalIP = record.KindFlow, local
		privacy := artifact.Privacy{Addresses: artifact.DiscloseHash}
		if in.SSL.IssuerDN != "" {
			privacy = artifact.Privacy{Addresses: artifact.DiscloseHash, Names: artifact.DiscloseDomain}
		}
		got := string(newRedactor(privacy, [32]byte{1}).redact(r).AppendJSON(nil))
		for _, mark := range []string{"168", "ip6.arpa", "ff02::1:ff"} {
			if strings.Contains(got, mark) {
				t.Errorf("%s: %s in %s", name, mark, got)
			}
		}
	}
}

// TestDomains says what is left of names.
func TestDomains(t *testing.T) {
	r := newRedactor(artifact.Privacy{Names: artifact.DiscloseDomain}, [32]byte{})
	for name, want := range map[string]string{
		"": "", "a.b.example.com": "example.com", "example.com": "example.com", "*.example.com": "example.com",
		"johns-iphone.local": "local", "JOHNS-PC": "", "198.51.100.7": "", "[2001:db8::7]": "", "198.51.100.7:80": "",
		"7.1.168.192.in-addr.arpa": "in-addr.arpa", ".com": "",
	} {
		if got := r.name(name); got != want {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
	}
}
