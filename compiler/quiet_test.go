package compiler_test

import (
	"testing"

	"github.com/netpol/netpol/compiler"
	"github.com/netpol/netpol/lang"
)

// TestQuietMarkGivesWay: a set has the quiet mark if a rule gains by it, and a policy
// that writes or asks for its bit comes first unless the author has chosen the bit.
func TestQuietMarkGivesWay(t *testing.T) {
	const named = `policy "named" {
  criteria = "hostname == 'zoom.us'"
  dscp     = "cs5"
}
`
	for _, tt := range []struct {
		name, source string
		want         uint32
	}{
		{"by a name", named, 0x40000000},
		{"by a port, without netpold", `policy "p" {
  criteria = "dst_port == 22"
  dscp     = "cs5"
}`, 0},
		{"labels alone", `policy "p" {
  criteria = "hostname == 'zoom.us'"
  label    = "zoom"
}`, 0},
		{"none", named + `netpol { quiet_mark = "none" }`, 0},
		{"another", named + `netpol { quiet_mark = "0x100" }`, 0x100},
		{"a policy writes all bits", named + `policy "p" {
  criteria = "dst_port == 22"
  mark     = "5"
}`, 0},
		{"a policy writes others", named + `policy "p" {
  criteria = "dst_port == 22"
  mark     = "5/0xff"
}`, 0x40000000},
		{"a policy asks for all bits", named + `policy "p" {
  criteria = "ct_mark == 5"
  label    = "five"
}`, 0},
		{"a policy writes all, and the bit is chosen", named + `netpol { quiet_mark = "0x40000000" }
policy "p" {
  criteria = "dst_port == 22"
  mark     = "5"
}`, 0x40000000},
		{"the done mark has it", named + `netpol { done_mark = "0x40000000" }`, 0},
		{"the only rule is for all packets", `policy "p" {
  criteria = "total_bytes > 1000"
  dscp     = "cs5"
}
policy "q" {
  criteria = "hostname == 'zoom.us'"
  label    = "zoom"
}`, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, diags := lang.Parse(map[string][]byte{"a.netpol.hcl": []byte(tt.source)}, lang.Options{})
			b, more := compiler.Compile(p, compiler.Options{})
			if diags.Extend(more); diags.HasErrors() {
				t.Fatal(diags)
			}
			if got := b.Settings.QuietMark; got != tt.want || (got != 0) != (len(b.Ruleset.Loud) > 0) {
				t.Errorf("quiet mark %#x for labels %v, want %#x", got, b.Ruleset.Loud, tt.want)
			}
		})
	}
}
