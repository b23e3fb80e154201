package dissecttest

import (
	"errors"
	"fmt"
	"hash/maphash"
	"reflect"
	"strings"
	"time"

	"github.com/netpol/netpol/enforcer/dissect"
	"github.com/netpol/netpol/lang/fact"
)

const (
	// maxText bounds what a fact may hold: 2 KiB of a target, each byte as \xNN.
	maxText = 8 << 10
	// maxName is the longest host name (RFC 1035, 2.3.4).
	maxName = 253
	// maxAsked is the longest in a question, each byte as \DDD (RFC 1035, 5.1).
	maxAsked = 4 * 255
	// slow is far more than a call may cost, so that it is no matter of a busy
	// machine or the race detector: the bound proper is that of the benchmarks.
	slow = 50 * time.Millisecond
)

// promises checks what package dissect promises of d, on a flow: results in
// their order and final, the same however the flow is cut and each time it is
// shown, facts that are clean and their own, and the input left alone. outcome
// tells ends of different kinds apart.
func promises(d dissect.Dissector, fl Flow) (outcome uint64, _ error) {
	if fl.Cuts() == 0 {
		return 0, nil // the engine asks when something has been sent
	}
	was := fl.clone()
	grown, err := grow(d, fl, packetCuts(fl))
	if err != nil {
		return 0, err
	}
	others := map[string][]int{"again": packetCuts(fl)}
	if !fl.UDP { // of datagrams some dissectors look at the newest alone
		others["in other pieces"] = otherCuts(fl)
		others["whole"] = []int{fl.Cuts()}
	}
	for how, cuts := range others {
		other, err := grow(d, fl, cuts)
		if err == nil && !agree(grown, other, how == "again" || oneSided(fl)) {
			err = fmt.Errorf("%s, by packets it was %s", other, grown)
		}
		if err != nil {
			return 0, fmt.Errorf("shown %s: %w", how, err)
		}
	}
	for i := range fl.Packets {
		if string(fl.Packets[i].Data) != string(was.Packets[i].Data) {
			return 0, fmt.Errorf("packet %d was changed", i)
		}
	}
	return outcomeOf(grown), cleanFacts(&grown.facts, fl)
}

// agree says that two ways of showing a flow came to the same end. Where both
// sides speak, a dissector may have decided before it saw one of them, so that
// it may know less, but nothing else.
func agree(by, other progress, equal bool) bool {
	if equal {
		return by.last == other.last && by.facts == other.facts
	}
	if by.last < dissect.Partial {
		return true
	}
	return other.last >= dissect.Partial
}

// oneSided says that one side is silent.
func oneSided(fl Flow) bool {
	var sent [2]int
	for _, p := range fl.Packets {
		sent[p.From] += len(p.Data)
	}
	return sent[0] == 0 || sent[1] == 0
}

// String is the result and the facts that are set.
func (p progress) String() string {
	var b strings.Builder
	b.WriteString(ResultName(p.last))
	fields := reflect.ValueOf(&p.facts).Elem()
	for i := range fields.NumField() {
		if v := fields.Field(i); !v.IsZero() {
			fmt.Fprintf(&b, " %s=%v", fields.Type().Field(i).Name, v)
		}
	}
	return b.String()
}

// grow shows d the flow's beginnings, as the engine does: until it has decided.
func grow(d dissect.Dissector, fl Flow, cuts []int) (progress, error) {
	p := progress{last: dissect.NeedMore}
	for _, cut := range cuts {
		if p.last == dissect.NoMatch || p.last == dissect.Match {
			break
		}
		w := fl.Window(cut)
		begun := time.Now()
		if err := p.step(d, w); err != nil {
			return p, fmt.Errorf("cut %d: %w", cut, err)
		}
		if time.Since(begun) > slow && !quicker(d, w) {
			return p, fmt.Errorf("cut %d: more than %s", cut, slow)
		}
		for _, n := range w.Names {
			if !clean(n.Name) || len(n.Name) > maxName || !n.Addr.IsValid() {
				return p, fmt.Errorf("cut %d: name binding %q %v", cut, n.Name, n.Addr)
			}
		}
	}
	return p, nil
}

// quicker says that it was the machine that was slow.
func quicker(d dissect.Dissector, w *dissect.Window) bool {
	for range 10 {
		var f fact.Facts
		again := *w
		begun := time.Now()
		d.Dissect(&again, &f)
		if time.Since(begun) <= slow {
			return true
		}
	}
	return false
}

// packetCuts are the flow's beginnings by packets.
func packetCuts(fl Flow) (cuts []int) {
	cut := 0
	for _, p := range fl.Packets {
		if cut++; !fl.UDP {
			cut += len(p.Data) - 1
		}
		cuts = append(cuts, cut)
	}
	return cuts
}

// otherCuts are up to eight beginnings of a stream at places that its length
// chooses, and the whole.
func otherCuts(fl Flow) (cuts []int) {
	n := fl.Cuts()
	for cut := 1 + n%7; cut < n && len(cuts) < 8; cut += 1 + n/9 + n%5 {
		cuts = append(cuts, cut)
	}
	return append(cuts, n)
}

// texts are the places of facts that are text.
var texts = textFields()

func textFields() (places []int) {
	t := reflect.TypeFor[fact.Facts]()
	for i := range t.NumField() {
		if t.Field(i).Type.Kind() == reflect.String {
			places = append(places, i)
		}
	}
	return places
}

// cleanFacts says that facts can go into a log, a terminal and a rule, and that
// they do not lie in the packets: the engine uses those again.
func cleanFacts(f *fact.Facts, fl Flow) error {
	if f.Protocol == "" {
		return nil
	}
	fields := reflect.ValueOf(f).Elem()
	var before [64]string
	for i, at := range texts {
		s := fields.Field(at).String()
		if !clean(s) || len(s) > maxText {
			return fmt.Errorf("fact %s is %q", fields.Type().Field(at).Name, s)
		}
		before[i%len(before)] += strings.Clone(s)
	}
	if len(f.Hostname) > maxName || len(f.DNSHostname) > maxAsked {
		return fmt.Errorf("host names of %d and %d bytes", len(f.Hostname), len(f.DNSHostname))
	}
	if f.Hostname != strings.ToLower(f.Hostname) || f.DNSHostname != strings.ToLower(f.DNSHostname) {
		return fmt.Errorf("host names %q, %q: want lower case", f.Hostname, f.DNSHostname)
	}
	for i := range fl.Packets {
		clear(fl.Packets[i].Data)
	}
	var after [64]string
	for i, at := range texts {
		after[i%len(after)] += fields.Field(at).String()
	}
	if before != after {
		return errors.New("a fact lies in a packet's memory")
	}
	return nil
}

// clean says whether s is printable ASCII.
func clean(s string) bool {
	for i := range len(s) {
		if s[i] < 0x20 || s[i] > 0x7e {
			return false
		}
	}
	return true
}

// seed makes outcomes numbers; one run has one.
var seed = maphash.MakeSeed()

// outcomeOf is a number for the kind of end that a flow had: the result, the
// protocol, and which facts were found.
func outcomeOf(p progress) uint64 {
	var h maphash.Hash
	h.SetSeed(seed)
	_ = h.WriteByte(byte(p.last))
	_, _ = h.WriteString(p.facts.Protocol)
	fields := reflect.ValueOf(&p.facts).Elem()
	for i := range fields.NumField() {
		if !fields.Field(i).IsZero() {
			_ = h.WriteByte(byte(i))
		}
	}
	return h.Sum64()
}
