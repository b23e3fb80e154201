package netify

import (
	"errors"
	"slices"
	"strings"

	"github.com/netpol/netpol/lang/diag"
	"github.com/netpol/netpol/lang/importer"
	"github.com/netpol/netpol/lang/suggest"
)

// run is one import.
type run struct {
	in       importer.Input
	src      *importer.Source
	out      *importer.Result
	told     map[string]bool // what is reported once, by id and topic
	names    importer.Unique // of policies
	labels   importer.Unique
	renamed  map[string]bool // labels whose new name was reported
	targets  map[string]*target
	maxBit   int
	exempt   []string // global exemptions, as criteria
	unexempt bool     // a global exemption was lost
	// perPacket says that criteria read since it was cleared ask for what changes
	// from packet to packet, exemptPerPacket that a global exemption does.
	perPacket, exemptPerPacket bool
	zone                       string // of all windows of time; empty when not known
	badZone                    bool
	// schedules are the windows of actions, by content.
	schedules     map[string]*schedule
	stretches     int // of hours, in all of them
	scheduleNames importer.Unique
	// Sets by what their blocks say, and by where the kernel has them.
	setsByContent, setsByKernel map[string]*set
	setNames                    importer.Unique

	sinks     map[string]*sink // by Netify's name
	sinkNames importer.Unique
	// set and cleared are the bits that the marks of policies so far write.
	set, cleared uint32
}

// Import converts a file of flow actions.
func Import(in importer.Input) *importer.Result {
	r := &run{
		in:      in,
		src:     importer.NewSource(in.Name, in.Source),
		out:     &importer.Result{Report: importer.Report{Format: "netify"}},
		told:    map[string]bool{},
		renamed: map[string]bool{},
		targets: map[string]*target{},
		maxBit:  maxLabelBit,

		schedules:     map[string]*schedule{},
		setsByContent: map[string]*set{}, setsByKernel: map[string]*set{},
		sinks: map[string]*sink{},
	}
	if top := r.read(); top != nil {
		r.file(top)
	}
	r.out.Report.Findings.Sort()
	return r.out
}

func (r *run) add(d diag.Diagnostic) { r.out.Report.Add(d) }

// report tells of a stretch of the file.
func (r *run) report(id string, from, to int, format string, args ...any) {
	r.add(importer.New(id, r.src.Range(from, to), format, args...))
}

// read parses the input; nil after a fault that ends the import.
func (r *run) read() *value {
	if len(r.in.Source) > importer.MaxBytes {
		r.report(importer.InputTooLarge, 0, 0, "The file is larger than %d KiB.", importer.MaxBytes>>10)
		return nil
	}
	src := []byte(strings.Replace(string(r.in.Source), "\ufeff", "   ", 1)) // a byte order mark
	top, err := parseJSON(src)
	var syntax *syntaxError
	switch {
	case errors.As(err, &syntax):
		r.report(importer.BadInput, syntax.at, syntax.at+1, "This is not JSON: %s.", syntax.why)
		return nil
	case err != nil:
		r.report(importer.InputTooLarge, 0, 0, "Objects and lists may nest %d deep.", maxJSONDepth)
		return nil
	case top.kind != object:
		r.report(importer.BadInput, top.from, top.to, "The file is %s; flow actions are an object with targets and actions.", top.kind)
		return nil
	}
	return top
}

// file converts the whole file: global things first, because actions depend on
// them.
func (r *run) file(top *value) {
	r.checkKeys(top, "the file", "actions", "exemptions", "reprocess_flows", "target_defaults", "target_globals", "targets", "timezone", "version")
	r.checkVersion(top)
	r.readGlobals(top.get("target_globals"))
	r.readTargets(top)
	r.globalExemptions(top.get("exemptions"))
	r.exemptPerPacket = r.perPacket
	if v := top.get("actions"); v != nil && len(v.members) > importer.MaxRules {
		r.add(importer.TooManyRules(r.src.Range(v.from, v.from+1), len(v.members)))
		return
	}
	actions := r.readActions(top.get("actions"))
	actions = r.halts(actions)
	w := importer.NewWriter("Imported from "+importer.OneLine(r.in.Name, 200)+", flow actions of Netify, by netpol import.",
		"Read the report of the import before you apply it.")
	r.writeSettings(w, top, actions)
	for _, a := range actions {
		r.write(w, a)
	}
	slices.SortStableFunc(r.out.Report.Items, func(a, b importer.Item) int { return a.Line - b.Line })
	r.out.Files = w.Files(importer.BaseName(r.in.Name, "netify-flow-actions"))
}

// writeSettings writes what holds for all actions.
func (r *run) writeSettings(w *importer.Writer, top *value, actions []*action) {
	var args []importer.Argument
	if len(r.exempt) > 0 {
		args = append(args, importer.Argument{Name: "exempt", Value: quoteList(r.exempt)})
	}
	timed := slices.ContainsFunc(actions, func(a *action) bool { return !a.off() && len(a.schedules)+len(a.except) > 0 })
	switch {
	case !timed && !r.badZone:
		r.notNeeded(top, "timezone", "only time_of_day depends on it")
	case r.zone != "":
		args = append(args, importer.Argument{Name: "timezone", Value: importer.Quote(r.zone)})
	}
	if len(args) > 0 {
		w.Add(importer.Block{Type: "netpol", Arguments: args})
	}
}

func (r *run) checkVersion(top *value) {
	if v := top.get("version"); v != nil && v.text != "1" {
		r.report(importer.BadValue, v.from, v.to, "The version of flow actions is 1.")
	}
	r.readZone(top)
	if v := top.get("reprocess_flows"); v != nil && v.kind == boolean && v.flag {
		r.report(importer.NotConverted, v.from, v.to, "reprocess_flows has no counterpart: after netpol apply live flows are decided anew when something new is known of them.")
	}
}

// checkKeys reports keys that an object has twice, or that Netify does not know
// and would ignore.
func (r *run) checkKeys(v *value, what string, known ...string) {
	seen := map[string]bool{}
	for _, m := range v.members {
		if seen[m.key] {
			r.report(importer.DuplicateKey, m.from, m.to, "%q stands twice in %s; the last one counts.", importer.OneLine(m.key, 80), what)
		}
		seen[m.key] = true
		found := known == nil
		for _, k := range known {
			found = found || k == m.key
		}
		if !found {
			r.add(importer.New(importer.UnknownKey, r.src.Range(m.from, m.to), "Netify knows no key %q in %s and ignores it; it was not converted.", importer.OneLine(m.key, 80), what).
				WithHint(suggest.Hint(m.key, known)))
		}
	}
}

// notNeeded reports a key that was left behind because netpol does without it.
func (r *run) notNeeded(v *value, key, why string) {
	if at := v.get(key); at != nil && !r.told[importer.NotNeeded+key] {
		r.told[importer.NotNeeded+key] = true
		r.report(importer.NotNeeded, at.from, at.to, "%s was not converted: %s.", key, why)
	}
}

// want is a value of a kind; nil when it is absent, null or of another kind,
// which is reported.
func (r *run) want(v *value, k kind, what string) *value {
	if v == nil || v.kind == null {
		return nil
	}
	if v.kind != k {
		r.report(importer.WrongType, v.from, v.to, "%s is %s, not %s.", what, k, v.kind)
		return nil
	}
	return v
}

// is is want with the word for whether the value can be used: absent is fine.
func (r *run) is(v *value, k kind, what string) (*value, bool) {
	out := r.want(v, k, what)
	return out, out != nil || v == nil || v.kind == null
}

// strings are the strings of a list; ok is false when there is another thing in
// it.
func (r *run) strings(v *value, what string) (list []*value, ok bool) {
	v, ok = r.is(v, array, what)
	if v == nil {
		return nil, ok
	}
	for _, e := range v.list {
		if s := r.want(e, text, "An element of "+what); s != nil {
			list = append(list, s)
		} else {
			ok = false
		}
	}
	return list, ok
}

// quoteList is texts as an HCL list, or the only one.
func quoteList(list []string) string {
	if len(list) == 1 {
		return importer.Quote(list[0])
	}
	quoted := make([]string, len(list))
	for i, s := range list {
		quoted[i] = importer.Quote(s)
	}
	return importer.List(quoted)
}
