package lang

import (
	"fmt"
	"regexp"
	"strings"
	"time"
	_ "time/tzdata" // policies are compiled on routers, which have no database of their own

	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/netpol/netpol/lang/diag"
)

// DefaultZone is the time zone of a set that names none.
const DefaultZone = "UTC"

// zoneCost is what looking a time zone up takes from the budget; see cost.go.
// A name that does not exist is looked for in four directories and in 600
// entries, and so are the names that may have been meant.
const zoneCost = 64 << 10

// maxZoneHints bounds the suggestions for time zones, of ten look-ups each.
const maxZoneHints = 20

// zoneName is the form of the names in the time zone database.
var zoneName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+){0,2}$`)

// zone reads a timezone argument; empty without one.
func (d *decoder) zone(b *hclsyntax.Block) string {
	t := d.text(b, "timezone", `"Europe/Berlin"`)
	if t.Range.IsZero() {
		return ""
	}
	known, looked := d.zones[t.Value]
	if !looked {
		if !d.spend(zoneCost, t.Range) {
			return ""
		}
		known = IsZone(t.Value)
		if d.zones == nil {
			d.zones = map[string]bool{}
		}
		d.zones[t.Value] = known
	}
	if known {
		return t.Value
	}
	hint := ""
	if d.zoneHints++; d.zoneHints <= maxZoneHints {
		hint = zoneHint(t.Value)
	}
	d.diags.Add(diag.New(diag.InvalidTimeZone, t.Range, fmt.Sprintf("There is no time zone %q. Zones have the names of the IANA database, such as Europe/Berlin, America/New_York or UTC.", t.Value)).
		WithHint(hint))
	return ""
}

// IsZone reports whether the time zone database has a name. "Local" is another
// zone on each machine.
func IsZone(name string) bool {
	if name == "Local" || !zoneName.MatchString(name) {
		return false
	}
	_, err := time.LoadLocation(name)
	return err == nil
}

// zoneHint finds the zone of a city, or of a name in another case.
func zoneHint(name string) string {
	if len(name) > 40 {
		return ""
	}
	words := strings.FieldsFunc(name, func(r rune) bool { return r == ' ' || r == '_' })
	city := titleCase(strings.Join(words, "_"))
	for _, area := range []string{"", "Europe/", "America/", "Asia/", "Africa/", "Australia/", "Pacific/", "Atlantic/", "Indian/"} {
		if IsZone(area + city) {
			return fmt.Sprintf("did you mean %q?", area+city)
		}
	}
	if upper := strings.ToUpper(name); IsZone(upper) {
		return fmt.Sprintf("did you mean %q?", upper)
	}
	return ""
}

// titleCase is a name with each of its parts beginning with a capital.
func titleCase(s string) string {
	out := []byte(strings.ToLower(s))
	for i := range out {
		if (i == 0 || out[i-1] == '/' || out[i-1] == '_') && 'a' <= out[i] && out[i] <= 'z' {
			out[i] -= 'a' - 'A'
		}
	}
	return string(out)
}
