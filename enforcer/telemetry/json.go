package telemetry

import (
	"strconv"
	"time"

	"github.com/netpol/netpol/enforcer/telemetry/record"
)

// MarshalJSON is AppendJSON for encoding/json.
func (f *Flow) MarshalJSON() ([]byte, error) { return f.AppendJSON(nil), nil }

// AppendJSON appends the row as one JSON object without a line end. Every
// key is always there. It allocates nothing beyond b's growth.
func (f *Flow) AppendJSON(b []byte) []byte {
	b = append(b, '{')
	if f.Event != Ended {
		b = record.AppendString(append(b, `"event":`...), f.Event.String())
		b = append(b, ',')
	}
	b = record.AppendString(append(b, `"pcap":`...), f.PCAP)
	b = appendInt(append(b, `,"ip_protocol":`...), f.IPProtocol)
	b = record.AppendAddr(append(b, `,"src_ip":`...), f.SrcIP)
	b = appendInt(append(b, `,"src_port":`...), f.SrcPort)
	b = record.AppendAddr(append(b, `,"dst_ip":`...), f.DstIP)
	b = appendInt(append(b, `,"dst_port":`...), f.DstPort)
	b = appendInt(append(b, `,"vlan_id":`...), f.VLANID)
	b = record.AppendString(append(b, `,"protocol":`...), f.Protocol)
	b = record.AppendString(append(b, `,"application":`...), f.Application)
	b = record.AppendString(append(b, `,"brand":`...), f.Brand)
	b = record.AppendString(append(b, `,"category":`...), f.Category)
	b = record.AppendString(append(b, `,"hostname":`...), f.Hostname)
	b = record.AppendString(append(b, `,"tls_version":`...), f.TLSVersion)
	b = record.AppendString(append(b, `,"ja4":`...), f.JA4)
	b = record.AppendString(append(b, `,"alpn":`...), f.ALPN)
	b = strconv.AppendUint(append(b, `,"packets":`...), f.Packets, 10)
	b = strconv.AppendUint(append(b, `,"bytes":`...), f.Bytes, 10)
	b = appendInt(append(b, `,"detection_packets":`...), f.DetectionPackets)
	b = appendInt(append(b, `,"inspected_packets":`...), f.InspectedPackets)
	b = record.AppendStrings(append(b, `,"labels":`...), f.Labels)
	b = record.AppendStrings(append(b, `,"policies":`...), f.Policies)
	b = record.AppendString(append(b, `,"by":`...), f.By)
	b = record.AppendString(append(b, `,"dns_hostname":`...), f.DNSHostname)
	b = record.AppendString(append(b, `,"interface":`...), f.Interface)
	if f.Input != "" {
		b = record.AppendString(append(b, `,"input":`...), f.Input)
	}
	b = strconv.AppendBool(append(b, `,"detection_guessed":`...), f.Guessed)
	b = appendTime(append(b, `,"first_seen":`...), f.FirstSeen)
	b = appendTime(append(b, `,"last_seen":`...), f.LastSeen)
	if f.Event == Live || f.LocalIP.IsValid() {
		b = record.AppendAddr(append(b, `,"local_ip":`...), f.LocalIP)
		if f.LocalMAC != "" {
			b = record.AppendString(append(b, `,"local_mac":`...), f.LocalMAC)
		}
		b = f.appendNow(b)
	}
	return append(b, '}')
}

// appendNow appends what is of the moment. How a flow fares is there if it is known.
func (n *Now) appendNow(b []byte) []byte {
	b = strconv.AppendUint(append(b, `,"rate":`...), n.Rate, 10)
	b = strconv.AppendUint(append(b, `,"local_rate":`...), n.LocalRate, 10)
	b = strconv.AppendUint(append(b, `,"other_rate":`...), n.OtherRate, 10)
	b = strconv.AppendUint(append(b, `,"local_bytes":`...), n.LocalBytes, 10)
	b = strconv.AppendUint(append(b, `,"other_bytes":`...), n.OtherBytes, 10)
	if n.RTTServer != 0 {
		b = strconv.AppendUint(append(b, `,"rtt_server_us":`...), uint64(n.RTTServer), 10)
	}
	if n.RTTClient != 0 {
		b = strconv.AppendUint(append(b, `,"rtt_client_us":`...), uint64(n.RTTClient), 10)
	}
	if n.Retrans != 0 {
		b = strconv.AppendUint(append(b, `,"retrans":`...), n.Retrans, 10)
	}
	return b
}

func appendInt(b []byte, n int) []byte { return strconv.AppendInt(b, int64(n), 10) }

func appendTime(b []byte, t time.Time) []byte {
	b = append(b, '"')
	b = t.AppendFormat(b, time.RFC3339Nano)
	return append(b, '"')
}
