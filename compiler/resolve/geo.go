package resolve

import (
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strings"

	"github.com/netpol/netpol/compiler/ir"
	"github.com/netpol/netpol/lang"
	"github.com/netpol/netpol/lang/diag"
	"github.com/netpol/netpol/lang/fact"
	"github.com/netpol/netpol/policies/geo"
)

// The attributes that say whose the address on the other side is. They end here:
// what is left is other_ip in the networks that the set's files have for them.
const (
	asnName     = "asn"
	countryName = "country"
)

func isGeo(a fact.Attribute) bool { return a.Name == asnName || a.Name == countryName }

// geoFiles are the set's files, opened when a criterion asks for them.
type geoFiles struct {
	asn, country geoFile
}

// geoFile is one. Its zero value is not opened yet.
type geoFile struct {
	db     *geo.DB
	opened bool // db is nil after a mistake, which was reported
	// networks of one asn, or one country, as they were found.
	networks map[string][]netip.Prefix
}

// geoAtom resolves asn or country against constants.
func (k *criterion) geoAtom(a atom, constants []constant) (ir.Expr, bool) {
	wanted, ok := k.geoWanted(a, constants)
	if !ok {
		return nil, false
	}
	file := k.geoFile(a)
	if file == nil {
		return nil, false
	}
	file.collect(a.attr.Name, wanted)
	var lists [][]netip.Prefix
	total := 0
	for i, w := range wanted {
		list := file.networks[w]
		if len(list) == 0 {
			k.fault(diag.ConstantCondition, constants[i].span, "The file has no network of %s. Is it a file of another kind, or older?", geoText(a, w))
		}
		lists, total = append(lists, list), total+len(list)
	}
	at := k.at(a.span)
	if total == 0 {
		return &ir.Const{Value: false, Range: at}, true
	}
	if !k.spend(total, a.span) {
		return nil, false
	}
	other, _ := fact.Lookup("other_ip")
	return &ir.Compare{Attr: other, Op: ir.OpPrefix, Prefixes: mergePrefixes(slices.Concat(lists...)), Range: at, Text: k.slice(a.span)}, true
}

// geoText is a constant for people.
func geoText(a atom, wanted string) string {
	if a.attr.Name == asnName {
		return "AS" + wanted
	}
	return "the country " + wanted
}

// geoWanted reads the constants: a number in decimals, a country in capitals.
func (k *criterion) geoWanted(a atom, constants []constant) (wanted []string, ok bool) {
	ok = true
	for _, c := range constants {
		switch {
		case a.attr.Name == asnName && c.kind == numberConstant && c.low > 0 && uint64(c.low) <= math.MaxUint32:
			wanted = append(wanted, fmt.Sprint(c.low))
		case a.attr.Name == asnName:
			k.fault(diag.WrongConstant, c.span, "%s is compared with the numbers of autonomous systems, 1 to 4294967295, such as 15169.", a.name)
			ok = false
		case c.kind == stringConstant && isCountry(c.text):
			wanted = append(wanted, strings.ToUpper(c.text))
		default:
			k.fault(diag.WrongConstant, c.span, "%s is compared with countries, two letters of ISO 3166-1 such as 'DE'.", a.name)
			ok = false
		}
	}
	return wanted, ok
}

func isCountry(s string) bool {
	return len(s) == 2 && strings.Trim(strings.ToUpper(s), "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}

// geoFile is the file that an attribute needs; nil after a report.
func (k *criterion) geoFile(a atom) *geoFile {
	file, named, argument := &k.r.geo.asn, k.r.policy.Settings.ASNDatabase, "asn_database"
	if a.attr.Name == countryName {
		file, named, argument = &k.r.geo.country, k.r.policy.Settings.CountryDatabase, "country_database"
	}
	if named == nil {
		k.fault(diag.NoDatabase, a.span, "%s needs a file in the MaxMind DB format that says whose addresses are, and the set names none.", a.name).
			Hint = "write netpol { " + argument + " = \"./geo/" + map[string]string{asnName: "GeoLite2-ASN", countryName: "GeoLite2-Country"}[a.attr.Name] + ".mmdb\" }, and put the file there"
		return nil
	}
	if !file.opened {
		file.open(k.r, named)
	}
	if file.db == nil {
		return nil
	}
	return file
}

// open parses a file once; one that could not be read was reported before.
func (f *geoFile) open(r *resolver, named *lang.Database) {
	f.opened, f.networks = true, map[string][]netip.Prefix{}
	if named.Data == nil {
		return
	}
	db, err := geo.Parse(named.Data)
	if err != nil {
		r.diags.Add(diag.New(diag.UnreadableFile, named.Range, fmt.Sprintf("%q cannot be read: %v.", named.Name, err)))
		return
	}
	f.db = db
}

// collect finds the networks of those that are not known yet, in one walk each:
// a file of autonomous systems has some 600,000 networks.
func (f *geoFile) collect(attribute string, wanted []string) {
	for _, w := range wanted {
		if _, ok := f.networks[w]; ok {
			continue
		}
		f.networks[w] = f.db.Networks(func(r geo.Record) bool {
			if attribute == asnName {
				return r.ASN != 0 && fmt.Sprint(r.ASN) == w
			}
			return r.Country == w
		})
	}
}
