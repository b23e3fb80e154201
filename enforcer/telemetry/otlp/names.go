package otlp

import (
	"crypto/tls"
	"strconv"
	"strings"

	"github.com/netpol/netpol/enforcer/telemetry"
)

// schemaURL is the version of the semantic conventions that names here are of.
const schemaURL = "https://opentelemetry.io/schemas/1.37.0"

// transports are IP protocols as network.transport has them, by their numbers in
// the IANA's registry; another one is its number.
var transports = map[int64]string{1: "icmp", 6: "tcp", 17: "udp", 33: "dccp", 47: "gre", 50: "esp", 58: "icmpv6", 132: "sctp", 136: "udplite"}

// network appends what tells the addresses of a connection apart: the source is who
// opened it.
func (a *attributes) network(flow object) {
	local, other := "source", "destination"
	if opened, ok := flow["local_origin"].(bool); ok && !opened {
		local, other = other, local
	}
	ports := map[string]int64{local: takeNumber(flow, "local_port"), other: takeNumber(flow, "other_port")}
	for _, side := range [][2]string{{local, "local_ip"}, {other, "other_ip"}} {
		a.text(side[0]+".address", take(flow, side[1]))
		if n := ports[side[0]]; n != 0 {
			a.add(side[0]+".port", whole(n))
		}
	}
	a.protocols(flow)
	if name := take(flow, "host_server_name"); name != "" {
		a.text("server.address", name)
		if n := ports["destination"]; n != 0 {
			a.add("server.port", whole(n))
		}
	}
}

// protocols appends those of layers 3, 4 and 7.
func (a *attributes) protocols(from object) {
	if n := takeNumber(from, "ip_version"); n != 0 {
		a.text("network.type", "ipv"+strconv.FormatInt(n, 10))
	}
	if n := takeNumber(from, "ip_protocol"); n != 0 {
		a.text("network.transport", transportOf(n))
	}
	protocol := take(from, "detected_protocol_name")
	a.text("network.protocol.name", protocol)
	if protocol == "dns" {
		a.text("dns.question.name", take(from, "dns_host_name"))
	}
}

func transportOf(n int64) string {
	if name := transports[n]; name != "" {
		return name
	}
	return strconv.FormatInt(n, 10)
}

// encryption appends what TLS showed.
func (a *attributes) encryption(ssl object) {
	if name, version, ok := strings.Cut(telemetry.TLSVersionName(int(code(ssl, "version"))), "v"); ok {
		delete(ssl, "version")
		a.text("tls.protocol.name", strings.ToLower(name))
		a.text("tls.protocol.version", version)
	}
	if name := tls.CipherSuiteName(code(ssl, "cipher_suite")); strings.HasPrefix(name, "TLS_") {
		delete(ssl, "cipher_suite")
		a.text("tls.cipher", name)
	}
	if chosen, _ := ssl["alpn_server"].([]any); len(chosen) == 1 {
		delete(ssl, "alpn_server")
		a.add("tls.next_protocol", valueOf(chosen[0]))
	}
	a.text("tls.server.subject", take(ssl, "subject_dn"))
	a.text("tls.server.issuer", take(ssl, "issuer_dn"))
	a.text("tls.server.hash.sha1", strings.ToUpper(take(ssl, "fingerprint")))
}

// code is a member that is a code of 16 bits as TLS has it on the wire, "0x1301". One of
// 0 is not known, and taken out.
func code(ssl object, name string) uint16 {
	word, _ := ssl[name].(string)
	n, err := strconv.ParseUint(word, 0, 16)
	if err == nil && n == 0 {
		delete(ssl, name)
	}
	return uint16(n)
}
