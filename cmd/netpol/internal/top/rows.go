package top

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/netpol/netpol/enforcer/telemetry"
)

// View is what rows stand for.
type View int

// Views, in the order of their keys.
const (
	Applications View = iota
	Hosts
	Flows
	Policies
	views
)

// names are the words of views, as --view takes them.
var names = [views]string{"apps", "hosts", "flows", "policies"}

// Names are the words of all views.
func Names() []string { return names[:] }

// ViewOf is the view of a word.
func ViewOf(word string) (View, bool) {
	i := slices.Index(names[:], word)
	return View(max(i, 0)), i >= 0
}

// Order is what rows are sorted by, the most first.
type Order int

// Orders, as a key goes through them.
const (
	ByRate Order = iota
	ByBytes
	ByFlows
	orders
)

var orderNames = [orders]string{"rate", "bytes", "flows"}

// Row is one line: what one application, host, connection or policy carries.
type Row struct {
	Name  string          `json:"name"`
	Rate  uint64          `json:"rate"`  // bytes a second, by the last two readings of netpold
	Bytes uint64          `json:"bytes"` // of the connections that are there now
	Flows int             `json:"flows"`
	Flow  *telemetry.Flow `json:"flow,omitempty"` // of a connection
}

// unnamed stands for connections without the name that a view asks for.
const unnamed = "-"

// keysOf are the names of a flow in a view.
func keysOf(v View, f *telemetry.Flow) []string {
	switch v {
	case Hosts:
		if f.LocalIP.IsValid() {
			return []string{f.LocalIP.String()}
		}
	case Policies:
		if len(f.Policies) > 0 {
			return f.Policies
		}
	case Applications:
		if name := cmp.Or(f.Application, f.Protocol); name != "" {
			return []string{name}
		}
	case Flows, views:
	}
	return []string{unnamed}
}

// Rows adds up flows for a view.
func Rows(v View, by Order, flows []telemetry.Flow) []Row {
	var out []Row
	at := map[string]int{}
	for i := range flows {
		f := &flows[i]
		if v == Flows {
			out = append(out, Row{Name: flowName(f), Rate: f.Rate, Bytes: f.Bytes, Flows: 1, Flow: f})
			continue
		}
		for _, key := range keysOf(v, f) {
			i, ok := at[key]
			if !ok {
				i = len(out)
				at[key] = i
				out = append(out, Row{Name: key})
			}
			out[i].Rate += f.Rate
			out[i].Bytes += f.Bytes
			out[i].Flows++
		}
	}
	figure := func(r *Row) [3]uint64 {
		list := [...]uint64{r.Rate, r.Bytes, uint64(r.Flows)}
		return [3]uint64{list[by], r.Rate, r.Bytes}
	}
	slices.SortStableFunc(out, func(a, b Row) int {
		x, y := figure(&a), figure(&b)
		return cmp.Or(slices.Compare(y[:], x[:]), strings.Compare(a.Name, b.Name))
	})
	return out
}

// within are the flows that a row of a view adds up.
func within(v View, name string, flows []telemetry.Flow) []telemetry.Flow {
	return slices.DeleteFunc(slices.Clone(flows), func(f telemetry.Flow) bool { return !slices.Contains(keysOf(v, &f), name) })
}

// flowName is a connection in short.
func flowName(f *telemetry.Flow) string {
	name := cmp.Or(f.Hostname, f.DNSHostname)
	words := []string{cmp.Or(f.Application, f.Protocol, unnamed), name, end(f.SrcIP.String(), f.SrcPort), ">", end(f.DstIP.String(), f.DstPort)}
	return strings.Join(slices.DeleteFunc(words, func(w string) bool { return w == "" }), " ")
}

func end(ip string, port int) string {
	if strings.Contains(ip, ":") {
		ip = "[" + ip + "]"
	}
	if port == 0 {
		return ip
	}
	return fmt.Sprintf("%s:%d", ip, port)
}

// rate writes bytes a second as bits, as links are sold.
func rate(bytes uint64) string { return scaled(float64(bytes)*8, 1000, "bit/s") }

// size writes bytes.
func size(bytes uint64) string { return scaled(float64(bytes), 1000, "B") }

func scaled(v, step float64, unit string) string {
	prefix := ""
	for _, p := range []string{"k", "M", "G", "T", "P"} {
		if v < step {
			break
		}
		v, prefix = v/step, p
	}
	if prefix == "" || v >= 100 {
		return fmt.Sprintf("%.0f %s%s", v, prefix, unit)
	}
	return fmt.Sprintf("%.1f %s%s", v, prefix, unit)
}
