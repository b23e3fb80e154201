package resolve

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/compiler/ir"
	"github.com/netpol/netpol/lang"
)

func TestSchedulesOfASet(t *testing.T) {
	const top = `
netpol { timezone = "Europe/Berlin" }
schedule "Nights" {
  days     = ["fri", "sat"]
  hours    = "22:00-06:00"
  dates    = "2026-01-01..2026-12-30"
  except   = "2026-05-01"
  timezone = "America/New_York"
}
schedule "lunch" { hours = ["12:00-13:00"] }
schedule "nobody" { days = "mon" }
module "m" {
  for_each = ["One"]
  source   = "./m"
}
policy "p" {
  criteria = "app == 'zoom'"
  schedule = "nights"
  label    = "a"
}
policy "off" {
  criteria = "schedule == 'nobody'"
  label    = "a"
  enabled  = false
}
`
	const module = `
schedule "lunch" { days = "sun" }
policy "q" {
  criteria = "schedule == 'lunch'"
  schedule = "Nights"
  label    = "a"
}
`
	files := map[string][]byte{"a.netpol.hcl": []byte(top), "m/m.netpol.hcl": []byte(module)}
	p, diags := lang.Parse(files, lang.Options{})
	set, more := Resolve(p, catalogue())
	if diags.Extend(more); len(diags) != 0 {
		t.Fatalf("diagnostics: got %v", diags)
	}
	want := []artifact.Schedule{
		{Name: "m(one)/lunch", Days: 1 << 6, Zone: "Europe/Berlin"},
		{
			Name: "nights", Days: 0b0110000, Hours: []artifact.Hours{{From: 22 * 3600, To: 6 * 3600}},
			Dates:  []artifact.Dates{{From: "2026-01-01", To: "2026-12-30"}},
			Except: []artifact.Dates{{From: "2026-05-01", To: "2026-05-01"}},
			Zone:   "America/New_York",
		},
	}
	if diff := cmp.Diff(want, set.Schedules); diff != "" {
		t.Errorf("schedules (-want +got):\n%s", diff)
	}
	if got := ir.Dump(set.Policies[0].Cond); got != `schedule in {nights} and schedule in {"m(one)/lunch"}` {
		t.Errorf("the module's policy: got %s", got)
	}
}
