package top

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/netpol/netpol/enforcer/telemetry"
)

// View is what rows stand for: connections, or a dimension that they are added up by.
type View string

// Flows is the view of connections.
const Flows View = "flows"

// Views lists all of them, in the order of their keys.
func Views() []View {
	list := []View{}
	for _, d := range telemetry.Dimensions() {
		list = append(list, View(d))
	}
	return slices.Insert(list, 2, Flows)
}

// Names are the words of all views.
func Names() []string {
	var words []string
	for _, v := range Views() {
		words = append(words, string(v))
	}
	return words
}

// Valid says that there is such a view.
func (v View) Valid() bool { return slices.Contains(Views(), v) }

// title heads the column of names.
func (v View) title() string {
	switch d := telemetry.Dimension(v); d {
	case telemetry.ByApplication:
		return "APPLICATION"
	case telemetry.ByHost:
		return "HOST"
	case telemetry.ByPolicy:
		return "POLICY"
	case telemetry.ByGroup:
		return "GROUP"
	case telemetry.ByStation:
		return "STATION"
	case telemetry.ByCategory:
		return "CATEGORY"
	case telemetry.ByProtocol:
		return "PROTOCOL"
	case telemetry.ByRemote:
		return "REMOTE ADDRESS"
	case telemetry.ByName:
		return "HOST NAME"
	case telemetry.ByBrand:
		return "BRAND"
	case telemetry.ByInterface:
		return "INTERFACE"
	}
	return "CONNECTION"
}

// next is the view that a row's flows are shown in: applications by host and hosts by
// application, connections below both.
func (v View) next(path []telemetry.Part) View {
	been := func(d telemetry.Dimension) bool {
		return v == View(d) || slices.ContainsFunc(path, func(p telemetry.Part) bool { return p.By == d })
	}
	switch {
	case !been(telemetry.ByApplication):
		return View(telemetry.ByApplication)
	case !been(telemetry.ByHost):
		return View(telemetry.ByHost)
	}
	return Flows
}

// Orders are what a view can be sorted by, in the order of its columns.
func (v View) orders() []telemetry.Order {
	list := []telemetry.Order{telemetry.OrderRate, telemetry.OrderUp, telemetry.OrderDown, telemetry.OrderBytes, telemetry.OrderFlows, telemetry.OrderRTT, telemetry.OrderRetrans, telemetry.OrderPackets}
	if v == Flows {
		list[4] = telemetry.OrderNew
	}
	return append(list, telemetry.OrderName)
}

// Row is one line: what one application, host, connection or policy carries.
type Row struct {
	telemetry.Sum
	Flow *telemetry.Flow `json:"flow,omitempty"` // of a connection
}

// Rows are the lines of a view.
func Rows(v View, o *telemetry.Overview) []Row {
	var rows []Row
	if v != Flows {
		for _, s := range o.Rows {
			rows = append(rows, Row{Sum: s})
		}
		return rows
	}
	for i := range o.Flows {
		f := &o.Flows[i]
		row := Row{Sum: telemetry.Sum{Name: flowName(f)}, Flow: f}
		row.Carry(&f.Now, f.Packets, f.Bytes)
		row.RTT = f.RTT()
		rows = append(rows, row)
	}
	return rows
}

// key tells a row from others, from one look to the next.
func (r *Row) key() string {
	if f := r.Flow; f != nil {
		return fmt.Sprint(f.IPProtocol, f.SrcIP, f.SrcPort, f.DstIP, f.DstPort, f.VLANID, f.Interface, f.Input)
	}
	return r.Name
}

// flowName is a connection in short.
func flowName(f *telemetry.Flow) string {
	name := cmp.Or(f.Hostname, f.DNSHostname)
	words := []string{cmp.Or(f.Application, f.Protocol, telemetry.Unnamed), name, end(f.SrcIP.String(), f.SrcPort), ">", end(f.DstIP.String(), f.DstPort)}
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
