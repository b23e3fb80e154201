package nft

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"regexp"
	"slices"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/compiler/ir"
)

// plainName is what a schedule is called whose name can stand in a set's.
var plainName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,32}$`)

// times names the set of the times at which a comparison of the clock holds.
// The name ends in a digest of the schedules: a set of another content has
// another name, although its elements are the clock's.
func (t *packetTests) times(c *ir.Compare) string {
	var list []artifact.Schedule
	word := ""
	switch c.Attr.Name {
	case "schedule":
		for _, name := range c.Strings {
			if s, ok := t.schedules[name]; ok {
				list = append(list, s)
			}
		}
		if len(list) == 1 && plainName.MatchString(list[0].Name) {
			word = list[0].Name + "_"
		}
	case "weekday":
		s := artifact.Schedule{Name: c.Attr.Name, Zone: t.settings.Timezone}
		for i, day := range artifact.Weekdays() {
			if slices.Contains(c.Strings, day) {
				s.Days |= 1 << i
			}
		}
		if s.Days != 0 { // 0 would be every day
			list = append(list, s)
		}
	default:
		s := artifact.Schedule{Name: c.Attr.Name, Zone: t.settings.Timezone}
		for _, r := range c.Ranges {
			if from, to := max(r.Low, 0), min(r.High, artifact.SecondsPerDay-1); from <= to {
				s.Hours = append(s.Hours, artifact.Hours{From: from, To: to + 1})
			}
		}
		if len(s.Hours) > 0 {
			list = append(list, s)
		}
	}
	text, err := json.Marshal(list)
	if err != nil {
		panic(err) // our own bug: a Schedule is plain data
	}
	sum := sha256.Sum256(text)
	name := "np_time_" + word + hex.EncodeToString(sum[:4])
	t.sets[name] = artifact.Set{Name: name, Type: artifact.SetTime, Schedules: list}
	return name
}
