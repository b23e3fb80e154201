package propose

import (
	"fmt"
	"net/netip"
	"strings"
	"time"
	"unicode"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/lang"
)

// Names of the files of a proposal.
const (
	PolicyFile = "main" + lang.PolicySuffix
	TestFile   = "main" + lang.TestSuffix
)

// Bounds of what is listed.
const (
	maxShown   = 12
	maxSkipped = 50
)

// Proposal is the files of a policy set.
type Proposal struct {
	Policies []byte
	Tests    []byte // nil if there is nothing to test
	// Rules is how many policies stand for rules that were found, and Skipped how
	// many rules mark and have none.
	Rules, Skipped int
}

// Make proposes a policy set.
func Make(f Found) (Proposal, error) {
	found, left, err := f.readRules()
	if err != nil {
		return Proposal{}, err
	}
	list := f.name(found)
	w := &writer{}
	w.head(&f)
	w.settings(&f, list)
	w.networks(&f)
	w.rules(list)
	w.applications(&f)
	w.connections(&f)
	w.queues(&f)
	w.labels(f.Labels)
	w.skipped(left)
	text, diags := lang.Format(PolicyFile, []byte(w.text.String()))
	if diags.HasErrors() {
		return Proposal{}, fmt.Errorf("propose policies: %s", diags.Error())
	}
	return Proposal{Policies: text, Tests: tests(list), Rules: len(list), Skipped: len(left)}, nil
}

// writer writes HCL. Whatever was found goes through comment or quote: names and
// comments of rules are other people's text.
type writer struct{ text strings.Builder }

func (w *writer) line(format string, args ...any) { fmt.Fprintf(&w.text, format+"\n", args...) }

// comment writes lines of a comment.
func (w *writer) comment(format string, args ...any) {
	w.line("# %s", visible(fmt.Sprintf(format, args...)))
}

// visible takes out of a text what would end a comment or move a terminal's cursor.
func visible(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsGraphic(r) && r != unicode.ReplacementChar {
			return r
		}
		return '?'
	}, text)
}

// quote is a string of HCL, in which no template begins.
func quote(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "${", "$${", "%{", "%%{").Replace(visible(text)) + `"`
}

func (w *writer) head(f *Found) {
	w.comment("Proposed by netpol init --from-live from what was on %s at %s.", f.Host, f.Time.UTC().Format(time.RFC3339))
	w.comment("Nothing of it is in force: the router was looked at and not changed. Read it, take out")
	w.comment("what you do not want, run netpol lint and netpol plan, and remove the old rules once")
	w.comment("netpol's are applied: until then both act.")
	for _, why := range f.Unread {
		w.comment("Not looked at: %s", why)
	}
	w.line("")
}

func (w *writer) settings(f *Found, list []policy) {
	inside := artifact.Settings{}.Inside()
	var public []string
	for _, i := range f.Interfaces {
		if i.Default {
			continue
		}
		for _, p := range append(i.Networks, i.Routed...) {
			if !within(p, inside) {
				public = append(public, quote(p.String()))
			}
		}
	}
	w.line("netpol {")
	if len(public) > 0 {
		w.comment("Networks of this router's own that are not private ones.")
		w.line("local_networks = [%s]", strings.Join(public, ", "))
	}
	used := f.usedMarks(list)
	switch bit, ok := doneMark(used); {
	case !ok:
		w.comment("All bits of the mark are in use by somebody: netpold needs one, see done_mark.")
	case bit != 0:
		w.comment("Somebody uses the bit 0x80000000 of marks, which netpold would take.")
		w.line("done_mark = \"%#x\"", bit)
	}
	if used&(1<<30) != 0 {
		w.comment("Somebody uses the bit 0x40000000 of marks. Another makes packets cheaper, see quiet_mark.")
		w.line("quiet_mark = \"none\"")
	}
	w.comment("The zone of times of day and schedules.")
	w.line("timezone = \"UTC\"\n}")
}

func within(p netip.Prefix, list []netip.Prefix) bool {
	for _, outer := range list {
		if outer.Bits() <= p.Bits() && outer.Contains(p.Addr()) {
			return true
		}
	}
	return false
}

// networks makes an address group of what is behind each interface that does not lead
// to the Internet, and a policy that shows its use.
func (w *writer) networks(f *Found) {
	for _, i := range f.Interfaces {
		if i.Default {
			w.line("")
			w.comment("%s leads to the Internet: a default route is there.", i.Name)
			continue
		}
		members := make([]string, 0, len(i.Networks)+len(i.Routed))
		for _, p := range append(i.Networks, i.Routed...) {
			members = append(members, quote(p.String()))
		}
		if len(members) == 0 {
			continue
		}
		name := groupName(i.Name)
		w.line("")
		w.comment("Addresses of the interface %s%s.", i.Name, routed(len(i.Routed)))
		w.line("address_group %s {\nmembers = [%s]\n}\n", quote(name), strings.Join(members, ", "))
		w.comment("How much each host there moves: netpol usage shows it once this is enabled.")
		w.line("policy %s {\ncriteria = %s\ncount = \"host\"\nenabled = false\n}", quote("hosts-of-"+name), quote("local_ip in '@"+name+"'"))
	}
	w.line("")
}

func routed(n int) string {
	if n == 0 {
		return ""
	}
	if n == 1 {
		return " and of one network behind it"
	}
	return fmt.Sprintf(" and of %d networks behind it", n)
}

// groupName makes a group's name of an interface's.
func groupName(text string) string {
	name := strings.Map(func(r rune) rune {
		if r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r)) || r == '-' || r == '_' {
			return r
		}
		return '-'
	}, text)
	if name == "" || !unicode.IsLetter(rune(name[0])) {
		name = "net-" + name
	}
	return name
}

func (w *writer) rules(list []policy) {
	if len(list) == 0 {
		return
	}
	w.comment("What rules of others do to packets now. A policy is of whole connections: it acts on both")
	w.comment("directions, where a rule may have acted on one. Of rules the last one that sets something wins, of")
	w.comment("policies the first, so those of a chain stand here from its end to its beginning.")
	for _, p := range list {
		w.line("")
		for _, from := range p.from {
			w.comment("%s", from)
		}
		for _, remark := range p.remark {
			w.comment("%s", remark)
		}
		w.line("policy %s {\ncriteria = %s", quote(p.title), quote(p.criteria))
		w.effect(&p)
		w.line("}")
	}
	w.line("")
}

func (w *writer) effect(p *policy) {
	if p.effect.dscp != "" {
		w.line("dscp = %s", quote(p.effect.dscp))
	}
	if p.effect.priority != "" {
		w.line("priority = %s", quote(p.effect.priority))
	}
	if p.route != 0 {
		w.line("route = %d", p.route)
	}
	switch m := p.effect.mark; {
	case m == nil:
	case m.mask == 0xffffffff:
		w.line("mark = \"%#x\"", m.value)
	default:
		w.line("mark = \"%#x/%#x\"", m.value, m.mask)
	}
}

func (w *writer) applications(f *Found) {
	if len(f.Applications) == 0 {
		return
	}
	w.comment("What netpold has named on this router lately, by connections.")
	for _, c := range f.Applications[:min(maxShown, len(f.Applications))] {
		w.line("")
		w.comment("%d connections", c.N)
		w.line("policy %s {\ncriteria = %s\ncount = true\nenabled = false\n}", quote("seen-"+c.Name), quote("app == '"+c.Name+"'"))
	}
	w.line("")
}

func (w *writer) connections(f *Found) {
	if len(f.Connections) == 0 {
		return
	}
	w.comment("Connections that conntrack had, by the port that they were opened to:")
	for _, c := range f.Connections[:min(maxShown, len(f.Connections))] {
		w.comment("  %6d  %s", c.N, c.Name)
	}
	w.line("")
}

func (w *writer) queues(f *Found) {
	if len(f.Classes) == 0 {
		return
	}
	w.comment("Classes of queues that policies can put packets into:")
	for _, c := range f.Classes {
		rate := ""
		if c.Rate > 0 {
			rate = fmt.Sprintf(", %d kbit/s", c.Rate*8/1000)
		}
		w.comment("  priority = \"%s\"  %s on %s%s", c.ID, c.Kind, c.Interface, rate)
	}
	w.line("")
}

func (w *writer) labels(list []artifact.Label) {
	if len(list) == 0 {
		return
	}
	w.comment("Labels of others in connlabel.conf, which policies cannot have:")
	for _, l := range list {
		w.comment("  %3d %s", l.Bit, l.Name)
	}
	w.line("")
}

func (w *writer) skipped(list []skipped) {
	if len(list) == 0 {
		return
	}
	w.comment("Rules that mark packets and have no policy here:")
	for i, s := range list {
		if i == maxSkipped {
			w.comment("  ... and %d more", len(list)-i)
			break
		}
		w.comment("  %s", s.text)
		w.comment("    %s", s.why)
	}
}
